"""Checks ArrowIPC against other implementations. Needs: pip install pyarrow pandas polars duckdb

pyarrow_roundtrip.py fixtures        writes the files in Fixtures/, which FixtureTests.swift reads
pyarrow_roundtrip.py relay DIR       reads each DIR/*.arrows and *.arrow, written by PyarrowRelayTests.swift, validates
                                     it fully and writes it back as DIR/*.pyarrow, *.polars and *.duckdb

Both are run by hand: the second by setting LARDER_PYARROW to a Python interpreter for the Swift test.
"""
import datetime
import decimal
import pathlib
import sys


def relay(directory):
    import duckdb
    import polars as pl
    import pyarrow as pa

    for path in sorted(pathlib.Path(directory).glob("*.arrow*")):
        opener = pa.ipc.open_stream if path.suffix == ".arrows" else pa.ipc.open_file
        with pa.OSFile(str(path), "rb") as source:
            table = opener(source).read_all()
        table.validate(full=True)
        table.to_pandas()
        with pa.OSFile(f"{path}.pyarrow", "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        frame = pl.read_ipc_stream(path) if path.suffix == ".arrows" else pl.read_ipc(path)
        frame.write_ipc_stream(f"{path}.polars")
        result = duckdb.arrow(table).to_arrow_table()
        with pa.OSFile(f"{path}.duckdb", "wb") as sink, pa.ipc.new_stream(sink, result.schema) as writer:
            writer.write_table(result)
        print(path.name, table.num_rows, "rows,", table.num_columns, "columns")


if sys.argv[1:2] == ["relay"]:
    relay(sys.argv[2])
    sys.exit()
if sys.argv[1:2] != ["fixtures"]:
    sys.exit(__doc__)

import numpy as np
import polars as pl
import pyarrow as pa

out = pathlib.Path(__file__).parent / "Fixtures"
out.mkdir(exist_ok=True)


def stream(name, table, options=None, chunk=None):
    with pa.OSFile(str(out / name), "wb") as sink:
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=chunk)


def file(name, table):
    with pa.OSFile(str(out / name), "wb") as sink:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)


plain = pa.table({
    "b": pa.array([True, None, False]),
    "i32": pa.array([1, None, -(2**31)], pa.int32()),
    "i64": pa.array([2**63 - 1, None, -(2**63)], pa.int64()),
    "f32": pa.array([1.5, None, float("nan")], pa.float32()),
    "f64": pa.array([0.1, None, float("-inf")], pa.float64()),
    "s": pa.array(["naïve", None, ""]),
    "bin": pa.array([b"\x00\xff", None, b""]),
    "ts": pa.array([1, None, -1], pa.timestamp("us", "UTC")),
    "d": pa.array([datetime.date(2013, 1, 1), None, datetime.date(1, 1, 1)]),
    "arr": pa.array([["a", "bc"], None, []], pa.list_(pa.string())),
    "vec": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2)),
})
stream("plain.arrows", plain)
file("plain.arrow", plain)
stream("sliced.arrows", pa.concat_tables([plain, plain]).combine_chunks().slice(1, 4), chunk=3)

stream("widths.arrows", pa.table({
    "i8": pa.array([-128, None, 127], pa.int8()),
    "i16": pa.array([-(2**15), None, 2**15 - 1], pa.int16()),
    "u8": pa.array([0, None, 255], pa.uint8()),
    "u16": pa.array([0, None, 65535], pa.uint16()),
    "u32": pa.array([0, None, 2**32 - 1], pa.uint32()),
    "u64": pa.array([0, None, 2**63 - 1], pa.uint64()),
    "f16": pa.array(np.array([0.5, -2.0, 6.1e-5], np.float16)),
    "large_s": pa.array(["x", None, "yz"], pa.large_string()),
    "large_bin": pa.array([b"x", None, b"yz"], pa.large_binary()),
    "large_list": pa.array([[1], None, [2, 3]], pa.large_list(pa.int64())),
    "fixed_bin": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "fixed_list": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2)),
    "nulls": pa.nulls(3),
    "s_view": pa.array(["short", None, "longer than twelve bytes"], pa.string_view()),
    "date64": pa.array([datetime.date(2013, 1, 1), None, datetime.date(1969, 12, 31)], pa.date64()),
}))

stream("times.arrows", pa.table({
    "s": pa.array([1, None, -1], pa.timestamp("s")),
    "ms": pa.array([1, None, -1], pa.timestamp("ms", "America/New_York")),
    "us": pa.array([1, None, -1], pa.timestamp("us")),
    "ns": pa.array([1, None, -1], pa.timestamp("ns", "UTC")),
}))

categories = pa.array(["JFK", None, "EWR", "JFK"]).dictionary_encode()
first = pa.record_batch([categories], names=["origin"])
second = pa.record_batch([pa.array(["LGA", "JFK"]).dictionary_encode()], names=["origin"])
for name, batches, deltas in [
    ("dictionary.arrows", [first], False),
    ("dictionary_replaced.arrows", [first, second], False),
    ("dictionary_delta.arrows", [
        first,
        pa.record_batch(
            [pa.DictionaryArray.from_arrays(pa.array([2, 0], pa.int32()), pa.array(["JFK", "EWR", "LGA"]))],
            names=["origin"]),
    ], True),
]:
    with pa.OSFile(str(out / name), "wb") as sink:
        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)
        with pa.ipc.new_stream(sink, first.schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)

frame = pl.DataFrame({"s": ["short", None, "longer than twelve bytes"], "c": ["a", "b", None]}).with_columns(
    pl.col("c").cast(pl.Categorical))
frame.write_ipc_stream(out / "polars.arrows")
frame.write_ipc(out / "polars.arrow", record_batch_size=2)

small = pa.table({"x": pa.array([1, 2, 3], pa.int64())})
stream("compressed.arrows", small, pa.ipc.IpcWriteOptions(compression="zstd"))
stream("decimal.arrows", pa.table({"price": pa.array([decimal.Decimal("1.5")])}))
stream("struct.arrows", pa.table({"point": pa.array([{"x": 1}])}))
stream("nested.arrows", pa.table({"matrix": pa.array([[[1]]])}))
stream("null_element.arrows", pa.table({"xs": pa.array([[1], [2, None]])}))
stream("uint64.arrows", pa.table({"big": pa.array([1, 2**63], pa.uint64())}))
stream("far_timestamp.arrows", pa.table({"t": pa.array([0, 2**62], pa.timestamp("s"))}))
stream("empty.arrows", plain.schema.empty_table())
stream("no_columns.arrows", pa.table({"x": [1, 2]}).select([]))
