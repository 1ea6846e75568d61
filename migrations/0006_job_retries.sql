-- Purpose: jobs that failed for a passing reason wait before any worker begins them again.
-- Locks: larder.job, for an instant: it is read through once to check the new column.
-- Duration: milliseconds; nothing is rewritten.

ALTER TABLE larder.job
    -- Before then nobody claims a queued job. Null where it may be claimed at once.
    ADD COLUMN retry_at timestamptz,
    -- How many attempts in a row were taken over because their worker went away.
    ADD COLUMN abandonments integer NOT NULL DEFAULT 0 CHECK (abandonments >= 0);
