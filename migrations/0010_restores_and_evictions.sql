-- Purpose: know a dump that is restored into the database it came from for another incarnation, and a Redis that has evicted
-- keys for one that lost data.
-- Locks: larder.incarnation and larder.online_store, for an instant.
-- Duration: milliseconds; nothing is rewritten.

ALTER TABLE larder.incarnation
    -- Of this table itself: a restore makes it anew, and no dump carries it. Null in incarnations that were over before this was
    -- recorded.
    ADD COLUMN table_oid oid,
    DROP CONSTRAINT incarnation_system_identifier_timeline_database_oid_key,
    ADD UNIQUE (system_identifier, timeline, database_oid, table_oid);

UPDATE larder.incarnation SET table_oid = 'larder.incarnation'::regclass
WHERE (system_identifier, timeline, database_oid) IN (SELECT * FROM larder.current_incarnation());

DROP FUNCTION larder.current_incarnation();

-- Its columns are those of larder.incarnation. The first 8 digits of a WAL file's name are the timeline; unlike the control
-- file they are right at once after a promotion.
CREATE FUNCTION larder.current_incarnation(
    OUT system_identifier bigint, OUT timeline integer, OUT database_oid oid, OUT table_oid oid
) LANGUAGE sql STABLE AS $$
    SELECT (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s),
           ('x' || substring(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) FROM 1 FOR 8))::bit(32)::integer,
           (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()),
           'larder.incarnation'::pg_catalog.regclass::pg_catalog.oid
$$;

ALTER TABLE larder.online_store
    -- As many keys Redis had evicted since its start when everything was last published anew: one more may be one of them.
    ADD COLUMN evicted_keys bigint NOT NULL DEFAULT 0;
