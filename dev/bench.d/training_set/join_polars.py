"""join_polars.py WAY VIEW DATA SPINE OUT: Polars' answer from Parquet, as an Arrow file, for a view with a ttl.

    eager   reads both sides, joins, writes
    lazy    the same as one lazy query
    stream  the lazy query on the streaming engine, written by a sink

The rows come in the order of time, in which Polars joins.
"""

import json
import sys
from types import SimpleNamespace

import polars as pl


def join(spine, features, view):
    # Both sides have just been sorted, and Polars cannot check that within keys.
    return spine.sort("event_timestamp").join_asof(
        features.sort(view.time), left_on="event_timestamp", right_on=view.time, by=view.key, strategy="backward",
        tolerance=f"{view.ttl_hours}h", check_sortedness=False).drop(view.time)


def main():
    way, view, directory, spine, out = sys.argv[1:]
    view = SimpleNamespace(**json.loads(view))
    file = f"{directory}/{view.table}.parquet"
    if way == "eager":
        join(pl.read_ipc(spine), pl.read_parquet(file), view).write_ipc(out, compression="uncompressed")
    elif way == "lazy":
        answer = join(pl.scan_ipc(spine), pl.scan_parquet(file), view).collect()
        answer.write_ipc(out, compression="uncompressed")
    else:
        join(pl.scan_ipc(spine), pl.scan_parquet(file), view).sink_ipc(out, compression="uncompressed", engine="streaming")


main()
