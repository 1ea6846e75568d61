"""Feast on the same PostgreSQL and Redis, tuned as "Online Server Performance Tuning" of its documentation says.

Two workers on two cores instead of 2 x cores + 1, and they are never recycled: no access log, no worker restarts, the
registry read from memory and refreshed by a thread every five minutes.
"""

import contextlib
import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from pyarrow import csv
import pyarrow.compute as pc

from client import Client
from processes import free_port, stop, wait_until
from views import GRACE_DAYS, KEY, TIME, TTL_DAYS

URL_VARIABLE = "LARDER_BENCH_FEAST_URL"
WORKERS = 2
CONNECTIONS = (16, 64)
READ, PUSH = "/get-online-features", "/push"
SQL_TYPES = {"int64": "bigint", "float64": "double precision", "string": "text", "bool": "boolean"}


def write_repository(directory, redis_database):
    """A repository with its online store in one of Redis' logical databases."""
    postgres, redis = urlsplit(os.environ[URL_VARIABLE]), urlsplit(os.environ["LARDER_REDIS_URL"])
    directory.mkdir(parents=True, exist_ok=True)
    configuration = {
        "project": "bench", "provider": "local", "entity_key_serialization_version": 3,
        "registry": {
            "registry_type": "file", "path": str(directory / "registry.db"), "cache_mode": "thread",
            "cache_ttl_seconds": 300},
        "offline_store": {
            "type": "postgres", "host": postgres.hostname, "port": postgres.port, "database": postgres.path[1:],
            "db_schema": "public", "user": postgres.username, "password": unquote(postgres.password),
            "sslmode": "disable"},
        "online_store": {
            "type": "redis", "connection_string": f"{redis.hostname}:{redis.port},db={redis_database}",
            "key_ttl_seconds": (TTL_DAYS + GRACE_DAYS) * 86_400},
        "materialization": {"pull_latest_features": True, "online_write_batch_size": 10_000},
    }
    file = directory / "feature_store.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(configuration))


def open_store(directory):
    from feast import FeatureStore

    return FeatureStore(repo_path=str(directory))


def write_table(view, rows):
    """The rows in PostgreSQL, in a table with the index that Feast's queries would want."""
    import psycopg

    columns = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in view.features)
    text = io.BytesIO()
    csv.write_csv(rows, text, csv.WriteOptions(include_header=False))
    with psycopg.connect(os.environ[URL_VARIABLE], autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {view.name}")
        connection.execute(f"CREATE TABLE {view.name} ({KEY} bigint, {TIME} timestamptz, {columns})")
        with connection.cursor().copy(f"COPY {view.name} FROM STDIN (FORMAT csv)") as copy:
            copy.write(text.getvalue())
        connection.execute(f"CREATE INDEX ON {view.name} ({KEY}, {TIME} DESC)")
        connection.execute(f"VACUUM ANALYZE {view.name}")


def apply(store, view):
    """A view that can also be pushed to, and a service of its name with all of its features."""
    from feast import Entity, FeatureService, FeatureView, Field, PushSource, ValueType
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
    from feast.types import Bool, Float64, Int64, String

    types = {"int64": Int64, "float64": Float64, "string": String, "bool": Bool}
    user = Entity(name="user", join_keys=[KEY], value_type=ValueType.INT64)
    table = PostgreSQLSource(name=f"{view.name}_table", table=view.name, timestamp_field=TIME)
    feature_view = FeatureView(
        name=view.name, entities=[user], ttl=timedelta(days=TTL_DAYS),
        schema=[Field(name=KEY, dtype=Int64), *(Field(name=name, dtype=types[kind]) for name, kind in view.features)],
        source=PushSource(name=view.name, batch_source=table))
    store.apply([user, feature_view, FeatureService(name=view.name, features=[feature_view])])


def materialize(store, view, rows):
    """Publishes the view's table to Redis."""
    times = pc.min_max(rows[TIME]).as_py()
    store.materialize(
        times["min"] - timedelta(seconds=1), times["max"] + timedelta(seconds=1), feature_views=[view.name])


def load(directory, redis_database, view, rows):
    write_repository(directory, redis_database)
    write_table(view, rows)
    store = open_store(directory)
    apply(store, view)
    materialize(store, view, rows)


@contextlib.contextmanager
def serving(directory):
    """A server, as its port."""
    port, log = free_port(), directory / "server.log"
    command = [
        Path(sys.executable).parent / "feast", "--chdir", directory, "serve", "--host", "127.0.0.1", "--port", port,
        "--workers", WORKERS, "--worker-connections", 2000, "--max-requests", 0, "--max-requests-jitter", 0,
        "--keep-alive-timeout", 30, "--registry_ttl_sec", 300, "--no-access-log"]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until(lambda: Client(port).status("/health") == 200, process, log)
        yield port
    finally:
        stop(process)
