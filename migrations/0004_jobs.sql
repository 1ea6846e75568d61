-- Purpose: jobs: long work that any worker takes up, with the bytes that went in and came out.
-- Locks: larder.project against writes for an instant, because jobs refer to it.
-- Duration: milliseconds.

CREATE TABLE larder.job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES larder.project,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('training_set', 'materialize')),
    state text COLLATE "C" NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    -- What is to be done, and what came of it, in the words of the kind.
    payload json NOT NULL,
    result json,
    -- code, message, hint
    error json,
    rows_done bigint NOT NULL DEFAULT 0 CHECK (rows_done >= 0),
    rows_total bigint CHECK (rows_total >= 0),
    note text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by text NOT NULL,
    -- When the newest attempt began.
    started_at timestamptz,
    finished_at timestamptz,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    maximum_attempts integer NOT NULL CHECK (maximum_attempts > 0),
    -- Who works on it, or did so last.
    worker text,
    -- The fencing token: raised by every claim and never lowered. Whatever a worker writes names the token it was given.
    lease_token bigint NOT NULL DEFAULT 0,
    lease_expires_at timestamptz,
    cancel_requested boolean NOT NULL DEFAULT false,
    -- How long the job is kept once it is finished, and until when that is.
    kept_for interval NOT NULL CHECK (kept_for > interval '0'),
    expires_at timestamptz,
    CHECK ((state = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((finished_at IS NULL) = (expires_at IS NULL)),
    CHECK ((state = 'succeeded') = (result IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);

CREATE INDEX job_by_project ON larder.job (project_id, id);
CREATE INDEX job_unfinished ON larder.job (id) WHERE state IN ('queued', 'running');
CREATE INDEX job_expiry ON larder.job (expires_at) WHERE expires_at IS NOT NULL;

-- What a job works on, such as a spine, in pieces.
CREATE TABLE larder.job_input (
    job_id bigint NOT NULL REFERENCES larder.job ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 0),
    bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 4194304),
    PRIMARY KEY (job_id, number)
);

-- What attempts have made. Only that of the attempt that succeeded counts; claims remove the rest.
CREATE TABLE larder.job_output (
    job_id bigint NOT NULL REFERENCES larder.job ON DELETE CASCADE,
    lease_token bigint NOT NULL,
    number integer NOT NULL CHECK (number >= 0),
    bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 4194304),
    PRIMARY KEY (job_id, lease_token, number)
);

-- Pieces are written and read about once: compressing them costs more than the space it saves.
ALTER TABLE larder.job_input ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE larder.job_output ALTER COLUMN bytes SET STORAGE EXTERNAL;

COMMENT ON TABLE larder.job IS 'Larder: jobs, with their state, progress and lease';
COMMENT ON TABLE larder.job_input IS 'Larder: what jobs work on, in pieces';
COMMENT ON TABLE larder.job_output IS 'Larder: what jobs made, in pieces, by attempt';
