-- Purpose: the quarantine: rows that partial writes refused, as they came, until they are replayed or discarded.
-- Locks: none that matter, everything is new.
-- Duration: milliseconds.

CREATE TABLE larder.quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES larder.project,
    source_id bigint,
    feature_view_id bigint,
    generation integer,
    -- The version that the write named.
    schema_version integer NOT NULL,
    -- The version that the reasons are about: another one once the row was replayed.
    judged_version integer NOT NULL,
    -- The write that the row came with. Its ledger row is inserted later in the same transaction, hence no reference.
    write_id bigint NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    row_number bigint NOT NULL CHECK (row_number > 0),
    line bigint CHECK (line > 0),
    -- 'json' is a row of an Arrow stream as a JSON object; the others are the writer's own bytes.
    format text NOT NULL CHECK (format IN ('csv', 'ndjson', 'json')),
    header bytea,
    record bytea NOT NULL,
    null_spelling text,
    -- The codes of the reasons, in their order, for counting.
    codes text[] NOT NULL,
    reasons json NOT NULL,
    CHECK ((source_id IS NULL) <> (feature_view_id IS NULL)),
    CHECK ((feature_view_id IS NULL) = (generation IS NULL)),
    CHECK ((format = 'csv') = (header IS NOT NULL))
);

CREATE INDEX quarantine_by_source ON larder.quarantine (source_id, id) WHERE source_id IS NOT NULL;
CREATE INDEX quarantine_by_view ON larder.quarantine (feature_view_id, id) WHERE feature_view_id IS NOT NULL;
