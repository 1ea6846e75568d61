-- Purpose: let a job that is done over after its training set was saved replace it, instead of finding its name taken.
-- Locks: larder.training_set, for an instant.
-- Duration: milliseconds; nothing is rewritten.

ALTER TABLE larder.training_set
    -- Null where it was not a job that made it. Not a reference: jobs are forgotten, training sets are not.
    ADD COLUMN job_id bigint;
