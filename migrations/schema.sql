-- The schema after the newest migration. Written by MigrationTests with UPDATE_GOLDEN=1.
CREATE SCHEMA larder;
COMMENT ON SCHEMA larder IS 'Larder: registry, ledger of writes, watermarks, key spaces';
CREATE SCHEMA larder_data;
COMMENT ON SCHEMA larder_data IS 'Larder: raw tables (source_<id>) and offline tables (view_<id>_g<generation>)';
CREATE SCHEMA larder_raw;
COMMENT ON SCHEMA larder_raw IS 'Larder: table sources with their system columns, for computation by the source login';
CREATE FUNCTION larder.current_incarnation(OUT system_identifier bigint, OUT timeline integer, OUT database_oid oid, OUT table_oid oid) RETURNS record
    LANGUAGE sql STABLE
    AS $$
    SELECT (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s),
           ('x' || substring(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) FROM 1 FOR 8))::bit(32)::integer,
           (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()),
           'larder.incarnation'::pg_catalog.regclass::pg_catalog.oid
$$;
CREATE FUNCTION larder.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are immutable', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TABLE larder.apply_audit (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    revision_before bigint NOT NULL,
    revision_after bigint NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    login text NOT NULL,
    changes json NOT NULL
);
ALTER TABLE larder.apply_audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME larder.apply_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE larder.generation (
    feature_view_id bigint NOT NULL,
    number integer NOT NULL,
    project_id bigint NOT NULL,
    layout_version integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT generation_number_check CHECK ((number > 0))
);
CREATE TABLE larder.incarnation (
    id integer NOT NULL,
    system_identifier bigint NOT NULL,
    timeline integer NOT NULL,
    database_oid oid NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    table_oid oid
);
ALTER TABLE larder.incarnation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME larder.incarnation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE larder.installation (
    id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    is_only_row boolean NOT NULL,
    CONSTRAINT installation_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{8}$'::text)),
    CONSTRAINT installation_is_only_row_check CHECK (is_only_row)
);
CREATE TABLE larder.job (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT 'queued'::text NOT NULL COLLATE pg_catalog."C",
    payload json NOT NULL,
    result json,
    error json,
    rows_done bigint DEFAULT 0 NOT NULL,
    rows_total bigint,
    note text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    maximum_attempts integer NOT NULL,
    worker text,
    lease_token bigint DEFAULT 0 NOT NULL,
    lease_expires_at timestamp with time zone,
    cancel_requested boolean DEFAULT false NOT NULL,
    kept_for interval NOT NULL,
    expires_at timestamp with time zone,
    retry_at timestamp with time zone,
    abandonments integer DEFAULT 0 NOT NULL,
    key text COLLATE pg_catalog."C",
    CONSTRAINT job_abandonments_check CHECK ((abandonments >= 0)),
    CONSTRAINT job_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT job_check CHECK (((state = 'running'::text) = (lease_expires_at IS NOT NULL))),
    CONSTRAINT job_check1 CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT job_check2 CHECK (((finished_at IS NULL) = (expires_at IS NULL))),
    CONSTRAINT job_check3 CHECK (((state = 'succeeded'::text) = (result IS NOT NULL))),
    CONSTRAINT job_check4 CHECK (((state = 'failed'::text) = (error IS NOT NULL))),
    CONSTRAINT job_kept_for_check CHECK ((kept_for > '00:00:00'::interval)),
    CONSTRAINT job_kind_check CHECK ((kind = ANY (ARRAY['training_set'::text, 'materialize'::text]))),
    CONSTRAINT job_maximum_attempts_check CHECK ((maximum_attempts > 0)),
    CONSTRAINT job_rows_done_check CHECK ((rows_done >= 0)),
    CONSTRAINT job_rows_total_check CHECK ((rows_total >= 0)),
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);
COMMENT ON TABLE larder.job IS 'Larder: jobs, with their state, progress and lease';
ALTER TABLE larder.job ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME larder.job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE larder.job_input (
    job_id bigint NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT job_input_bytes_check CHECK (((octet_length(bytes) >= 1) AND (octet_length(bytes) <= 4194304))),
    CONSTRAINT job_input_number_check CHECK ((number >= 0))
);
ALTER TABLE ONLY larder.job_input ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE larder.job_input IS 'Larder: what jobs work on, in pieces';
CREATE TABLE larder.job_output (
    job_id bigint NOT NULL,
    lease_token bigint NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT job_output_bytes_check CHECK (((octet_length(bytes) >= 1) AND (octet_length(bytes) <= 4194304))),
    CONSTRAINT job_output_number_check CHECK ((number >= 0))
);
ALTER TABLE ONLY larder.job_output ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE larder.job_output IS 'Larder: what jobs made, in pieces, by attempt';
CREATE TABLE larder.key_space (
    id bigint NOT NULL,
    feature_view_id bigint NOT NULL,
    generation integer NOT NULL,
    incarnation_id integer NOT NULL,
    fence bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone
);
ALTER TABLE larder.key_space ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME larder.key_space_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE larder.measured_rate (
    feature_view_id bigint NOT NULL,
    stage text NOT NULL,
    rows bigint NOT NULL,
    seconds double precision NOT NULL,
    measured_at timestamp with time zone NOT NULL,
    CONSTRAINT measured_rate_rows_check CHECK ((rows > 0)),
    CONSTRAINT measured_rate_seconds_check CHECK ((seconds > (0)::double precision)),
    CONSTRAINT measured_rate_stage_check CHECK ((stage = ANY (ARRAY['offline'::text, 'online'::text])))
);
COMMENT ON TABLE larder.measured_rate IS 'Larder: the last run of each stage that was long enough to tell a rate';
CREATE TABLE larder.migration (
    number integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    sha256 bytea NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    applied_by text NOT NULL,
    duration interval NOT NULL
);
CREATE SEQUENCE larder.object_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE larder.online_store (
    project_id bigint NOT NULL,
    online_incarnation bigint NOT NULL,
    redis_run_id text NOT NULL,
    minimum_revision bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    redis_endpoint text COLLATE pg_catalog."C",
    evicted_keys bigint DEFAULT 0 NOT NULL
);
CREATE TABLE larder.project (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE larder.quarantine (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    source_id bigint,
    feature_view_id bigint,
    generation integer,
    schema_version integer NOT NULL,
    judged_version integer NOT NULL,
    write_id bigint NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    row_number bigint NOT NULL,
    line bigint,
    format text NOT NULL,
    header bytea,
    record bytea NOT NULL,
    null_spelling text,
    codes text[] NOT NULL,
    reasons json NOT NULL,
    CONSTRAINT quarantine_check CHECK (((source_id IS NULL) <> (feature_view_id IS NULL))),
    CONSTRAINT quarantine_check1 CHECK (((feature_view_id IS NULL) = (generation IS NULL))),
    CONSTRAINT quarantine_check2 CHECK (((format = 'csv'::text) = (header IS NOT NULL))),
    CONSTRAINT quarantine_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'ndjson'::text, 'json'::text]))),
    CONSTRAINT quarantine_line_check CHECK ((line > 0)),
    CONSTRAINT quarantine_row_number_check CHECK ((row_number > 0))
);
ALTER TABLE larder.quarantine ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME larder.quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE larder.revision (
    project_id bigint NOT NULL,
    revision bigint NOT NULL,
    contents json NOT NULL,
    contents_sha256 bytea NOT NULL,
    applied_at timestamp with time zone NOT NULL,
    CONSTRAINT revision_contents_sha256_check CHECK ((length(contents_sha256) = 32)),
    CONSTRAINT revision_revision_check CHECK ((revision > 0))
);
CREATE SEQUENCE larder.row_block
    START WITH 65536
    INCREMENT BY 65536
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;
CREATE TABLE larder.source_table (
    source_id bigint NOT NULL,
    project_id bigint NOT NULL,
    layout_version integer NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE larder.training_set (
    id bigint NOT NULL,
    project_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text NOT NULL,
    project_revision bigint NOT NULL,
    definitions_sha256 text NOT NULL,
    request json NOT NULL,
    as_of timestamp with time zone NOT NULL,
    incarnation_id integer NOT NULL,
    snapshot pg_snapshot NOT NULL,
    row_count bigint,
    spine_bytes bigint,
    content_sha256 text,
    columns json,
    views json,
    job_id bigint
);
CREATE TABLE larder.training_set_generation (
    training_set_id bigint NOT NULL,
    feature_view_id bigint NOT NULL,
    generation integer NOT NULL
);
ALTER TABLE larder.training_set ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME larder.training_set_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE larder.training_set_spine (
    training_set_id bigint NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT training_set_spine_number_check CHECK ((number >= 0))
);
CREATE TABLE larder.watermark (
    feature_view_id bigint NOT NULL,
    generation integer NOT NULL,
    stage text NOT NULL,
    run bigint NOT NULL,
    incarnation_id integer,
    snapshot pg_snapshot,
    horizon timestamp with time zone,
    must_compare boolean NOT NULL,
    schema_version integer,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT watermark_check CHECK (((snapshot IS NULL) = (incarnation_id IS NULL))),
    CONSTRAINT watermark_stage_check CHECK ((stage = ANY (ARRAY['offline'::text, 'online'::text])))
);
CREATE TABLE larder.write (
    write_id bigint NOT NULL,
    incarnation_id integer NOT NULL,
    transaction_id xid8 NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    source_id bigint,
    feature_view_id bigint,
    generation integer,
    schema_version integer NOT NULL,
    idempotency_key bytea,
    rows_written bigint NOT NULL,
    rows_withdrawn bigint NOT NULL,
    request_digest bytea,
    CONSTRAINT write_check CHECK (((source_id IS NULL) <> (feature_view_id IS NULL))),
    CONSTRAINT write_check1 CHECK (((feature_view_id IS NULL) = (generation IS NULL))),
    CONSTRAINT write_kind_check CHECK ((kind = ANY (ARRAY['ingest'::text, 'materialize'::text, 'push'::text, 'erase'::text])))
);
CREATE SEQUENCE larder.write_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE ONLY larder.apply_audit
    ADD CONSTRAINT apply_audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.generation
    ADD CONSTRAINT generation_pkey PRIMARY KEY (feature_view_id, number);
ALTER TABLE ONLY larder.incarnation
    ADD CONSTRAINT incarnation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.incarnation
    ADD CONSTRAINT incarnation_system_identifier_timeline_database_oid_table_o_key UNIQUE (system_identifier, timeline, database_oid, table_oid);
ALTER TABLE ONLY larder.installation
    ADD CONSTRAINT installation_is_only_row_key UNIQUE (is_only_row);
ALTER TABLE ONLY larder.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.job_input
    ADD CONSTRAINT job_input_pkey PRIMARY KEY (job_id, number);
ALTER TABLE ONLY larder.job_output
    ADD CONSTRAINT job_output_pkey PRIMARY KEY (job_id, lease_token, number);
ALTER TABLE ONLY larder.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.key_space
    ADD CONSTRAINT key_space_feature_view_id_generation_incarnation_id_key UNIQUE (feature_view_id, generation, incarnation_id);
ALTER TABLE ONLY larder.key_space
    ADD CONSTRAINT key_space_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.measured_rate
    ADD CONSTRAINT measured_rate_pkey PRIMARY KEY (feature_view_id, stage);
ALTER TABLE ONLY larder.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY larder.online_store
    ADD CONSTRAINT online_store_pkey PRIMARY KEY (project_id);
ALTER TABLE ONLY larder.project
    ADD CONSTRAINT project_name_key UNIQUE (name);
ALTER TABLE ONLY larder.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.revision
    ADD CONSTRAINT revision_pkey PRIMARY KEY (project_id, revision);
ALTER TABLE ONLY larder.source_table
    ADD CONSTRAINT source_table_pkey PRIMARY KEY (source_id);
ALTER TABLE ONLY larder.training_set_generation
    ADD CONSTRAINT training_set_generation_pkey PRIMARY KEY (training_set_id, feature_view_id, generation);
ALTER TABLE ONLY larder.training_set
    ADD CONSTRAINT training_set_pkey PRIMARY KEY (id);
ALTER TABLE ONLY larder.training_set
    ADD CONSTRAINT training_set_project_id_name_key UNIQUE (project_id, name);
ALTER TABLE ONLY larder.training_set_spine
    ADD CONSTRAINT training_set_spine_pkey PRIMARY KEY (training_set_id, number);
ALTER TABLE ONLY larder.watermark
    ADD CONSTRAINT watermark_pkey PRIMARY KEY (feature_view_id, generation, stage);
ALTER TABLE ONLY larder.write
    ADD CONSTRAINT write_pkey PRIMARY KEY (write_id);
CREATE UNIQUE INDEX job_by_key ON larder.job USING btree (project_id, kind, key) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX job_by_project ON larder.job USING btree (project_id, id);
CREATE INDEX job_expiry ON larder.job USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX job_unfinished ON larder.job USING btree (id) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX quarantine_by_source ON larder.quarantine USING btree (source_id, id) WHERE (source_id IS NOT NULL);
CREATE INDEX quarantine_by_view ON larder.quarantine USING btree (feature_view_id, id) WHERE (feature_view_id IS NOT NULL);
CREATE INDEX training_set_by_generation ON larder.training_set_generation USING btree (feature_view_id, generation);
CREATE INDEX write_by_source ON larder.write USING btree (source_id, transaction_id) WHERE (source_id IS NOT NULL);
CREATE INDEX write_by_view ON larder.write USING btree (feature_view_id, generation, transaction_id) WHERE (feature_view_id IS NOT NULL);
CREATE UNIQUE INDEX write_idempotency ON larder.write USING btree (source_id, idempotency_key) WHERE ((source_id IS NOT NULL) AND (idempotency_key IS NOT NULL));
CREATE UNIQUE INDEX write_view_idempotency ON larder.write USING btree (feature_view_id, generation, idempotency_key) WHERE ((feature_view_id IS NOT NULL) AND (idempotency_key IS NOT NULL));
CREATE TRIGGER apply_audit_is_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON larder.apply_audit FOR EACH STATEMENT EXECUTE FUNCTION larder.refuse_change();
CREATE TRIGGER revision_is_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON larder.revision FOR EACH STATEMENT EXECUTE FUNCTION larder.refuse_change();
CREATE TRIGGER write_is_immutable BEFORE DELETE OR UPDATE OR TRUNCATE ON larder.write FOR EACH STATEMENT EXECUTE FUNCTION larder.refuse_change();
ALTER TABLE ONLY larder.apply_audit
    ADD CONSTRAINT apply_audit_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.generation
    ADD CONSTRAINT generation_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.job_input
    ADD CONSTRAINT job_input_job_id_fkey FOREIGN KEY (job_id) REFERENCES larder.job(id) ON DELETE CASCADE;
ALTER TABLE ONLY larder.job_output
    ADD CONSTRAINT job_output_job_id_fkey FOREIGN KEY (job_id) REFERENCES larder.job(id) ON DELETE CASCADE;
ALTER TABLE ONLY larder.job
    ADD CONSTRAINT job_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.key_space
    ADD CONSTRAINT key_space_feature_view_id_generation_fkey FOREIGN KEY (feature_view_id, generation) REFERENCES larder.generation(feature_view_id, number);
ALTER TABLE ONLY larder.key_space
    ADD CONSTRAINT key_space_incarnation_id_fkey FOREIGN KEY (incarnation_id) REFERENCES larder.incarnation(id);
ALTER TABLE ONLY larder.online_store
    ADD CONSTRAINT online_store_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.quarantine
    ADD CONSTRAINT quarantine_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.revision
    ADD CONSTRAINT revision_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.source_table
    ADD CONSTRAINT source_table_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.training_set_generation
    ADD CONSTRAINT training_set_generation_feature_view_id_generation_fkey FOREIGN KEY (feature_view_id, generation) REFERENCES larder.generation(feature_view_id, number);
ALTER TABLE ONLY larder.training_set_generation
    ADD CONSTRAINT training_set_generation_training_set_id_fkey FOREIGN KEY (training_set_id) REFERENCES larder.training_set(id) ON DELETE CASCADE;
ALTER TABLE ONLY larder.training_set
    ADD CONSTRAINT training_set_incarnation_id_fkey FOREIGN KEY (incarnation_id) REFERENCES larder.incarnation(id);
ALTER TABLE ONLY larder.training_set
    ADD CONSTRAINT training_set_project_id_fkey FOREIGN KEY (project_id) REFERENCES larder.project(id);
ALTER TABLE ONLY larder.training_set_spine
    ADD CONSTRAINT training_set_spine_training_set_id_fkey FOREIGN KEY (training_set_id) REFERENCES larder.training_set(id) ON DELETE CASCADE;
ALTER TABLE ONLY larder.watermark
    ADD CONSTRAINT watermark_feature_view_id_generation_fkey FOREIGN KEY (feature_view_id, generation) REFERENCES larder.generation(feature_view_id, number);
ALTER TABLE ONLY larder.watermark
    ADD CONSTRAINT watermark_incarnation_id_fkey FOREIGN KEY (incarnation_id) REFERENCES larder.incarnation(id);
ALTER TABLE ONLY larder.write
    ADD CONSTRAINT write_incarnation_id_fkey FOREIGN KEY (incarnation_id) REFERENCES larder.incarnation(id);
