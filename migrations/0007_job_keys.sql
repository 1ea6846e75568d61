-- Purpose: work that several servers find necessary at once is queued once.
-- Locks: larder.job against writes while the index is built.
-- Duration: milliseconds; nothing is rewritten.

ALTER TABLE larder.job
    -- Of what need the job is for. Null where nobody else would ask for the same.
    ADD COLUMN key text COLLATE "C";

CREATE UNIQUE INDEX job_by_key ON larder.job (project_id, kind, key) WHERE state IN ('queued', 'running');
