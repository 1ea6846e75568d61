"""Spines. Each timed run gets one that no run before it has seen, so that nothing but the tables can be warm."""

import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

import data


def generator(name, turn):
    return np.random.default_rng([data.SEED, zlib.crc32(name.encode()), turn])


def of_users(path, rows, users, name, turn):
    """Random users at random times from the second day on; one in a hundred is unknown."""
    rng = generator(name, turn)
    data.write_arrow(pa.table({
        "row_id": np.arange(1, rows + 1),
        "user_id": rng.integers(1, users + max(1, users // 100) + 1, rows),
        "event_timestamp": data.times(data.START + rng.integers(data.DAY, data.DAYS * data.DAY, rows)),
    }), path)


def of_flights(path, flights, name, turn, every=1):
    """The real flights in the file's order, each up to 59 seconds later than it was. `every` takes one in so many of
    the whole year, beginning with another one each turn."""
    table = ipc.open_file(str(flights)).read_all()
    table = table.take(np.arange(turn % every, table.num_rows, every))
    later = pa.array(generator(name, turn).integers(0, 60, table.num_rows) * 1_000_000).cast(pa.duration("us"))
    column = table.schema.get_field_index("event_timestamp")
    moved = pc.add(table["event_timestamp"], later)
    data.write_arrow(table.set_column(column, "event_timestamp", moved), path)
