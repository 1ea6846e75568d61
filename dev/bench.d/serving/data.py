"""The rows of users, as Arrow files: what is loaded, and what is true.

Users count from 0, which is how redis-benchmark draws its keys. Each has one row.
"""

import zlib

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from views import KEY, TIME

SEED = 20261101
DAY = 86_400_000_000
WORDS = {
    "country": "US GB DE FR ES IT PL NL SE NO FI DK PT BR AR MX CA AU NZ JP KR IN ID TH VN ZA NG EG TR AE".split(),
    "device": ["ios", "android", "web", "tablet", "other"],
}


def generator(*words):
    return np.random.default_rng([SEED, *(zlib.crc32(str(word).encode()) for word in words)])


def values(rng, name, kind, count):
    if kind == "float64":
        # Every digit that a double has.
        return rng.random(count) * 1000
    if kind == "int64":
        return rng.integers(0, 1000, count)
    if kind == "bool":
        return rng.random(count) < 0.13
    codes = pa.array(rng.integers(0, len(WORDS[name]), count, dtype=np.int8))
    return pa.DictionaryArray.from_arrays(codes, WORDS[name]).cast(pa.string())


def table(view, users, now):
    """One row a user. `now` is in microseconds since 1970; the rows are of the day before it."""
    rng = generator(view.name)
    times = pa.array(now - rng.integers(1, DAY, users), pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    columns = {KEY: pa.array(np.arange(users)), TIME: times}
    for name, kind in view.features:
        columns[name] = values(rng, name, kind, users)
    return pa.table(columns)


def path(directory, view):
    return directory / f"{view.name}.arrow"


def write(directory, view, users, now):
    rows = table(view, users, now)
    with ipc.new_file(str(path(directory, view)), rows.schema) as writer:
        writer.write_table(rows, max_chunksize=1 << 16)


def read(directory, view):
    return ipc.open_file(pa.memory_map(str(path(directory, view)))).read_all().combine_chunks()
