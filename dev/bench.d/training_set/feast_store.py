"""A Feast repository for the weather, on the same PostgreSQL as Larder, in a database of its own."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Float64

from definitions import VIEWS

VIEW = VIEWS["flight_weather"]
URL_VARIABLE = "LARDER_BENCH_FEAST_URL"


def open_store(directory):
    url = urlsplit(os.environ[URL_VARIABLE])
    return FeatureStore(config=RepoConfig(
        project="bench", provider="local", registry=str(Path(directory) / "feast-registry.db"),
        offline_store={
            "type": "postgres", "host": url.hostname, "port": url.port, "database": url.path[1:], "db_schema": "public",
            "user": url.username, "password": unquote(url.password), "sslmode": "disable"},
        online_store={"type": "sqlite", "path": str(Path(directory) / "feast-online.db")},
        entity_key_serialization_version=3))


def load(directory):
    """The table with the index that its join would want, and its definitions applied."""
    import psycopg
    from pyarrow import parquet

    table = parquet.read_table(Path(directory) / f"{VIEW.table}.parquet")
    columns = ", ".join(f"{feature} float8" for feature in VIEW.features)
    with psycopg.connect(os.environ[URL_VARIABLE], autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {VIEW.table} ({VIEW.key} text, {VIEW.time} timestamptz, {columns})")
        with connection.cursor().copy(f"COPY {VIEW.table} FROM STDIN") as copy:
            for row in zip(*(column.to_pylist() for column in table.columns)):
                copy.write_row(row)
        connection.execute(f"CREATE INDEX ON {VIEW.table} ({VIEW.key}, {VIEW.time} DESC)")
        connection.execute(f"VACUUM ANALYZE {VIEW.table}")
    entity = Entity(name="airport", join_keys=[VIEW.key], value_type=ValueType.STRING)
    source = PostgreSQLSource(name=VIEW.table, query=f"SELECT * FROM {VIEW.table}", timestamp_field=VIEW.time)
    open_store(directory).apply([entity, FeatureView(
        name=VIEW.name, entities=[entity], ttl=timedelta(hours=VIEW.ttl_hours), source=source,
        schema=[Field(name=feature, dtype=Float64) for feature in VIEW.features])])


if __name__ == "__main__":
    import sys

    load(sys.argv[1])
