-- Purpose: what a plan's time estimate is made of: how fast each view's rows were computed and published last.
-- Locks: none that matter, everything is new.
-- Duration: milliseconds.

CREATE TABLE larder.measured_rate (
    feature_view_id bigint NOT NULL,
    stage text NOT NULL CHECK (stage IN ('offline', 'online')),
    rows bigint NOT NULL CHECK (rows > 0),
    seconds double precision NOT NULL CHECK (seconds > 0),
    measured_at timestamptz NOT NULL,
    PRIMARY KEY (feature_view_id, stage)
);

COMMENT ON TABLE larder.measured_rate IS 'Larder: the last run of each stage that was long enough to tell a rate';
