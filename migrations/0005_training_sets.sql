-- Purpose: saved training sets: what each was made of, so that it can be made again, and what it came to.
-- Locks: larder.project and larder.generation against writes for an instant, because training sets refer to them.
-- Duration: milliseconds.

CREATE TABLE larder.training_set (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES larder.project,
    name text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by text NOT NULL,
    -- The registry as it was: what its names meant, with ttl, lag and defaults.
    project_revision bigint NOT NULL,
    definitions_sha256 text NOT NULL,
    -- Features and options.
    request json NOT NULL,
    -- What was seen: writes that had arrived by then; and the snapshot it was read under.
    as_of timestamptz NOT NULL,
    incarnation_id integer NOT NULL REFERENCES larder.incarnation,
    snapshot pg_snapshot NOT NULL,
    -- What it came to. Filled in by the transaction that inserts the row, as its last step.
    row_count bigint,
    spine_bytes bigint,
    content_sha256 text,
    columns json,
    views json,
    UNIQUE (project_id, name)
);

-- The spine as an Arrow stream, in pieces that PostgreSQL compresses.
CREATE TABLE larder.training_set_spine (
    training_set_id bigint NOT NULL REFERENCES larder.training_set ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 0),
    bytes bytea NOT NULL,
    PRIMARY KEY (training_set_id, number)
);

-- Which generations it was read from: as long as it is kept, they are.
CREATE TABLE larder.training_set_generation (
    training_set_id bigint NOT NULL REFERENCES larder.training_set ON DELETE CASCADE,
    feature_view_id bigint NOT NULL,
    generation integer NOT NULL,
    PRIMARY KEY (training_set_id, feature_view_id, generation),
    FOREIGN KEY (feature_view_id, generation) REFERENCES larder.generation (feature_view_id, number)
);

CREATE INDEX training_set_by_generation ON larder.training_set_generation (feature_view_id, generation);
