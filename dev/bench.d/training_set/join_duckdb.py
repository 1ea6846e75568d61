"""join_duckdb.py WAY VIEW DATA SPINE OUT: DuckDB's answer from Parquet, as an Arrow file.

    plain     an ASOF join of the spine with the file
    filtered  the same with the rows of the spine's keys only, so that it sorts no others
    streamed  the same, written batch by batch as they come

The rows come in DuckDB's order, not in the spine's: nobody asks it to sort them once more.
"""

import json
import sys
from types import SimpleNamespace

import duckdb
import pyarrow as pa
from pyarrow import ipc


def question(view, file, is_filtered):
    source = f"'{file}'"
    if is_filtered:
        source = f"(SELECT * FROM {source} WHERE {view.key} IN (SELECT {view.key} FROM spine))"
    features = view.features
    if view.ttl_hours is not None:
        fresh = f"f.{view.time} >= s.event_timestamp - INTERVAL {view.ttl_hours} HOUR"
        columns = [f"CASE WHEN {fresh} THEN f.{feature} END AS {feature}" for feature in features]
    else:
        columns = [f"f.{feature}" for feature in features]
    return (f"SELECT s.*, {', '.join(columns)} FROM spine s ASOF LEFT JOIN {source} f "
            f"ON s.{view.key} = f.{view.key} AND s.event_timestamp >= f.{view.time}")


def main():
    way, view, directory, spine_path, out = sys.argv[1:]
    view = SimpleNamespace(**json.loads(view))
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET TimeZone = 'UTC'")
    spine = ipc.open_file(pa.memory_map(spine_path)).read_all()
    connection.register("spine", spine)
    answer = connection.sql(question(view, f"{directory}/{view.table}.parquet", way != "plain"))
    if way == "streamed":
        reader = answer.to_arrow_reader(1 << 17)
        with ipc.new_file(out, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
    else:
        table = answer.to_arrow_table()
        with ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)


main()
