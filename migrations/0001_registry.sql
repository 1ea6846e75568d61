-- Purpose: the registry, the ledger of writes, watermarks and key spaces.
-- Locks: none that matter, everything is new.
-- Duration: milliseconds.
-- The layout and its reasons: docs/adr/0001-storage-layout.md.

CREATE SCHEMA larder_data;
CREATE SCHEMA larder_raw;

COMMENT ON SCHEMA larder IS 'Larder: registry, ledger of writes, watermarks, key spaces';
COMMENT ON SCHEMA larder_data IS 'Larder: raw tables (source_<id>) and offline tables (view_<id>_g<generation>)';
COMMENT ON SCHEMA larder_raw IS 'Larder: table sources with their system columns, for computation by the source login';

-- Two installations may share a Redis; their keys start with this id.
CREATE TABLE larder.installation (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{8}$'),
    created_at timestamptz NOT NULL,
    is_only_row boolean NOT NULL UNIQUE CHECK (is_only_row)
);

INSERT INTO larder.installation (id, created_at, is_only_row)
VALUES (translate(encode(substring(uuid_send(gen_random_uuid()) FROM 1 FOR 6), 'base64'), '+/', '-_'),
        clock_timestamp(), true);

-- One server's life of transaction ids: it changes on restore and promotion.
CREATE TABLE larder.incarnation (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_identifier bigint NOT NULL,
    timeline integer NOT NULL,
    database_oid oid NOT NULL,
    first_seen_at timestamptz NOT NULL,
    UNIQUE (system_identifier, timeline, database_oid)
);

-- Ids of projects, entities, sources, feature views and feature services: global, never reused.
CREATE SEQUENCE larder.object_id AS bigint;

-- One value reserves this many row sequences.
CREATE SEQUENCE larder.row_block AS bigint INCREMENT BY 65536 MINVALUE 0 START WITH 65536;

CREATE SEQUENCE larder.write_id AS bigint;

CREATE TABLE larder.project (
    id bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL
);

-- What a project was after each apply, whole and unchangeable.
CREATE TABLE larder.revision (
    project_id bigint NOT NULL REFERENCES larder.project,
    revision bigint NOT NULL CHECK (revision > 0),
    contents json NOT NULL,
    contents_sha256 bytea NOT NULL CHECK (length(contents_sha256) = 32),
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, revision)
);

CREATE FUNCTION larder.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are immutable', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER revision_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON larder.revision
    FOR EACH STATEMENT EXECUTE FUNCTION larder.refuse_change();

CREATE TABLE larder.apply_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES larder.project,
    revision_before bigint NOT NULL,
    revision_after bigint NOT NULL,
    applied_at timestamptz NOT NULL,
    actor text NOT NULL,
    login text NOT NULL,
    changes json NOT NULL
);

CREATE TRIGGER apply_audit_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON larder.apply_audit
    FOR EACH STATEMENT EXECUTE FUNCTION larder.refuse_change();

CREATE TABLE larder.source_table (
    source_id bigint PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES larder.project,
    layout_version integer NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE larder.generation (
    feature_view_id bigint NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    project_id bigint NOT NULL REFERENCES larder.project,
    layout_version integer NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (feature_view_id, number)
);

-- One row per committed batch, inserted as the batch's last statement.
CREATE TABLE larder.write (
    write_id bigint PRIMARY KEY,
    incarnation_id integer NOT NULL REFERENCES larder.incarnation,
    transaction_id xid8 NOT NULL,
    arrived_at timestamptz NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('ingest', 'materialize', 'push', 'erase')),
    source_id bigint,
    feature_view_id bigint,
    generation integer,
    schema_version integer NOT NULL,
    idempotency_key bytea,
    rows_written bigint NOT NULL,
    rows_withdrawn bigint NOT NULL,
    CHECK ((source_id IS NULL) <> (feature_view_id IS NULL)),
    CHECK ((feature_view_id IS NULL) = (generation IS NULL))
);

CREATE TRIGGER write_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON larder.write
    FOR EACH STATEMENT EXECUTE FUNCTION larder.refuse_change();

CREATE UNIQUE INDEX write_idempotency ON larder.write (source_id, idempotency_key)
    WHERE source_id IS NOT NULL AND idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX write_view_idempotency ON larder.write (feature_view_id, generation, idempotency_key)
    WHERE feature_view_id IS NOT NULL AND idempotency_key IS NOT NULL;
CREATE INDEX write_by_source ON larder.write (source_id, transaction_id) WHERE source_id IS NOT NULL;
CREATE INDEX write_by_view ON larder.write (feature_view_id, generation, transaction_id)
    WHERE feature_view_id IS NOT NULL;

-- How far a stage has come, by what had committed.
CREATE TABLE larder.watermark (
    feature_view_id bigint NOT NULL,
    generation integer NOT NULL,
    stage text NOT NULL CHECK (stage IN ('offline', 'online')),
    -- Raised by every commit that moves the watermark; of two overlapping runs one finds it moved and gives up.
    run bigint NOT NULL,
    incarnation_id integer REFERENCES larder.incarnation,
    snapshot pg_snapshot,
    horizon timestamptz,
    -- A bounded run has written rows that the next unbounded one must compare instead of append.
    must_compare boolean NOT NULL,
    -- The newest schema version the stage has computed for every row.
    schema_version integer,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (feature_view_id, generation, stage),
    FOREIGN KEY (feature_view_id, generation) REFERENCES larder.generation,
    CHECK ((snapshot IS NULL) = (incarnation_id IS NULL))
);

-- The online home of a generation under one incarnation.
CREATE TABLE larder.key_space (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feature_view_id bigint NOT NULL,
    generation integer NOT NULL,
    incarnation_id integer NOT NULL REFERENCES larder.incarnation,
    -- Raised before rows are withdrawn; publishers under an older fence are refused.
    fence bigint NOT NULL,
    created_at timestamptz NOT NULL,
    -- When the first publication was complete; null is `not_materialized`.
    published_at timestamptz,
    UNIQUE (feature_view_id, generation, incarnation_id),
    FOREIGN KEY (feature_view_id, generation) REFERENCES larder.generation
);

-- What the online store must look like for a project's data to be believed.
CREATE TABLE larder.online_store (
    project_id bigint PRIMARY KEY REFERENCES larder.project,
    online_incarnation bigint NOT NULL,
    redis_run_id text NOT NULL,
    minimum_revision bigint NOT NULL,
    updated_at timestamptz NOT NULL
);

-- The first 8 digits of a WAL file's name are the timeline; unlike the control file they are right at once after a promotion.
CREATE FUNCTION larder.current_incarnation(
    OUT system_identifier bigint, OUT timeline integer, OUT database_oid oid
) LANGUAGE sql STABLE AS $$
    SELECT (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s),
           ('x' || substring(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) FROM 1 FOR 8))::bit(32)::integer,
           (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
$$;
