"""Pushes of random rows, as both servers take them."""

import json

import pyarrow as pa

import data
from client import request_bytes
from feast_peer import PUSH
from generators import write_requests
from larder import rows_path
from views import KEY, TIME
from world import USERS, VIEW

# load.c writes the time of the request here.
MARK = "@" * 27
TIME_BYTES = b"\x01" * 27


def rows(rng, count):
    """Rows of users, none of them twice, that do not say yet when they are of."""
    columns = {KEY: rng.choice(USERS, count, replace=False, shuffle=False)}
    for name, kind in VIEW.features:
        columns[name] = data.values(rng, name, kind, count)
    return pa.table(columns)


def larder_body(table, moment):
    pushed = [row | {TIME: moment} for row in table.to_pylist()]
    return json.dumps({"schema_version": 1, "to": "both", "rows": pushed}).encode()


def feast_body(table, moment):
    columns = table.to_pydict() | {TIME: [moment] * table.num_rows}
    return json.dumps({"push_source_name": VIEW.name, "to": "online", "df": columns}).encode()


SIDES = {"larder": (rows_path(VIEW), larder_body), "feast": (PUSH, feast_body)}


def write(directory, side, batch, count):
    """A file of pushes; those of both sides have the same rows."""
    rng = data.generator("push", batch)
    path, body = SIDES[side]
    return write_requests(directory / f"{side}_{batch}", (
        request_bytes(path, body(rows(rng, batch), MARK)).replace(MARK.encode(), TIME_BYTES) for _ in range(count)))
