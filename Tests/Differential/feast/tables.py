"""The tables of features in PostgreSQL, which Feast and Larder read."""

from urllib.parse import urlsplit, urlunsplit

import psycopg

from worlds import FEATURES

SCHEMA = "features"
TYPES = {"int64": "bigint", "float64": "double precision", "string": "text", "bool": "boolean"}


def columns_of(view):
    """{name: SQL type}, in the order of a row's values."""
    kinds = {name: TYPES[kind] for name, kind in view.keys.items()}
    time = "timestamptz" if view.has_zone else "timestamp"
    return kinds | {"event_timestamp": time, "created": time} | {
        name: TYPES[kind] for name, kind in FEATURES.items()}


def create(owner_url, source_url, views):
    source_login = urlsplit(source_url).username
    # The zone matters where a table has times without one.
    with psycopg.connect(owner_url, options="-c timezone=UTC") as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {source_login}")
        for view in views:
            columns = columns_of(view)
            described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {SCHEMA}.{view.name} ({described})")
            places = ", ".join(["%s"] * len(columns))
            with connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {SCHEMA}.{view.name} VALUES ({places})", view.rows)
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {source_login}")


def set_time_zone(owner_url, zone):
    """The zone of sessions that do not say another one, from the next connection on."""
    database = urlsplit(owner_url).path[1:]
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} SET timezone = '{zone}'")
