"""Checks ArrowIPC against other implementations. Needs the packages of requirements.txt.

pyarrow_roundtrip.py fixtures        writes the files in Fixtures/, which FixtureTests.swift reads
pyarrow_roundtrip.py relay DIR       reads each DIR/*.arrows and *.arrow, written by PyarrowRelayTests.swift, validates
                                     it fully and writes it back as DIR/*.pyarrow, *.polars and *.duckdb
pyarrow_roundtrip.py cases DIR SEED  writes what pyarrow, pandas, polars and DuckDB make of random data, as they are asked
                                     to and as they do by themselves, to DIR/*.arrows and *.arrow; beside each a
                                     *.expected with the same values in the types that ArrowIPC reads them as

The first is run by hand; the others by the tests, with the Python that dev/test
names in LARDER_ARROW_PYTHON.
"""
import datetime
import decimal
import pathlib
import random
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


def cases(directory, seed):
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    import pyarrow.compute as pc

    directory = pathlib.Path(directory)
    rng = random.Random(seed)
    texts = ["", "a", "naïve", "日本", "exactly 12 b", "longer than twelve bytes 🦉", 'a,b\n"c"']
    micros = 253_402_300_799_999_999

    def plain(kind):
        """The type that ArrowIPC reads `kind` as."""
        if pa.types.is_dictionary(kind):
            return plain(kind.value_type)
        if pa.types.is_null(kind):
            return pa.string()
        if pa.types.is_integer(kind):
            return pa.int64() if kind.bit_width == 64 or kind == pa.uint32() else pa.int32()
        if pa.types.is_float16(kind):
            return pa.float32()
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            return pa.string()
        if pa.types.is_boolean(kind) or pa.types.is_floating(kind):
            return kind
        if pa.types.is_timestamp(kind):
            return pa.timestamp("us", "UTC")
        if pa.types.is_date(kind):
            return pa.date32()
        if pa.types.is_fixed_size_list(kind) and plain(kind.value_type) == pa.float32():
            return pa.list_(pa.float32(), kind.list_size)
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            return pa.list_(plain(kind.value_type))
        return pa.binary()

    def value(scalar, kind):
        """A value as Python holds it, without the help of the conversions that are under test."""
        if not scalar.is_valid:
            return None
        if pa.types.is_dictionary(kind):
            return value(scalar.dictionary[scalar.index.as_py()], kind.value_type)
        if pa.types.is_timestamp(kind):
            count = scalar.value
            return {"s": count * 1_000_000, "ms": count * 1_000, "us": count, "ns": count // 1_000}[kind.unit]
        if hasattr(kind, "value_type"):
            return [value(element, kind.value_type) for element in scalar.values]
        return scalar.as_py()

    def expected(column):
        values = [value(scalar, column.type) for scalar in column]
        kind = plain(column.type)
        if pa.types.is_timestamp(kind) or hasattr(kind, "value_type") and pa.types.is_timestamp(kind.value_type):
            bare = pa.int64() if pa.types.is_timestamp(kind) else pa.list_(pa.int64())
            return pa.array(values, bare).cast(kind)
        return pa.array(values, kind)

    def write(name, table, write_to=None, suffixes=(".arrows", ".arrow")):
        """Writes a table in pieces, as stream and as file, or lets `write_to(path, is_stream)` write it."""
        wanted = pa.table([expected(column) for column in table.columns], names=table.column_names)
        for suffix in suffixes:
            path = directory / (name + suffix)
            if write_to:
                write_to(path, suffix == ".arrows")
            else:
                opener = pa.ipc.new_stream if suffix == ".arrows" else pa.ipc.new_file
                options = pa.ipc.IpcWriteOptions(
                    emit_dictionary_deltas=rng.random() < 0.5,
                    metadata_version=rng.choice([pa.ipc.MetadataVersion.V5, pa.ipc.MetadataVersion.V4]))
                with pa.OSFile(str(path), "wb") as sink, opener(sink, table.schema, options=options) as writer:
                    writer.write_table(table, max_chunksize=rng.choice([1, 7, 8, 100, None]))
            with pa.OSFile(f"{path}.expected", "wb") as sink, pa.ipc.new_stream(sink, wanted.schema) as writer:
                writer.write_table(wanted)

    def sample(kind, size, nulls):
        if pa.types.is_dictionary(kind):
            # Values and indices may both be null, and the dictionary may hold what no row uses.
            values = sample(kind.value_type, rng.randint(1, 100), nulls)
            indices = [None if rng.random() < nulls else rng.randrange(len(values)) for _ in range(size)]
            return pa.DictionaryArray.from_arrays(pa.array(indices, kind.index_type), values)
        if pa.types.is_null(kind):
            return pa.nulls(size)
        if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
            lengths = [kind.list_size if pa.types.is_fixed_size_list(kind) else rng.randint(0, 3) for _ in range(size)]
            # What null rows hide is there all the same.
            child = sample(kind.value_type, sum(lengths), 0)
            mask = pa.array([rng.random() < nulls for _ in range(size)], pa.bool_())
            if pa.types.is_fixed_size_list(kind):
                return pa.FixedSizeListArray.from_arrays(child, type=kind, mask=mask)
            offsets = [0]
            for length in lengths:
                offsets.append(offsets[-1] + length)
            large = pa.types.is_large_list(kind)
            build = pa.LargeListArray if large else pa.ListArray
            return build.from_arrays(
                pa.array(offsets, pa.int64() if large else pa.int32()), child, type=kind, mask=mask)

        def one():
            if rng.random() < nulls:
                return None
            if pa.types.is_boolean(kind):
                return rng.random() < 0.5
            if pa.types.is_signed_integer(kind):
                return rng.randrange(-(2 ** (kind.bit_width - 1)), 2 ** (kind.bit_width - 1))
            if pa.types.is_unsigned_integer(kind):
                return rng.randrange(2 ** min(kind.bit_width, 63))
            if pa.types.is_floating(kind):
                return rng.choice([float("nan"), float("inf"), -0.0, 0.5, rng.uniform(-100, 100)])
            if pa.types.is_date32(kind):
                return rng.randint(-719_162, 2_932_896)
            if pa.types.is_date64(kind):
                return rng.randint(-719_162, 2_932_896) * 86_400_000
            if pa.types.is_timestamp(kind):
                limit = {"s": micros // 10**6, "ms": micros // 1000, "us": micros, "ns": 2**63 - 1}[kind.unit]
                return rng.randint(-min(limit, 62_135_596_800 * limit // 253_402_300_800), limit)
            if pa.types.is_fixed_size_binary(kind):
                return rng.randbytes(kind.byte_width)
            if plain(kind) == pa.binary():
                return rng.randbytes(rng.choice([0, 1, 11, 12, 13, 40]))
            return rng.choice(texts)

        if pa.types.is_date(kind):
            bare = pa.int32() if kind == pa.date32() else pa.int64()
            return pa.array([one() for _ in range(size)], bare).view(kind)
        return pa.array([one() for _ in range(size)], kind)

    integers = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
    scalars = integers + [
        pa.bool_(), pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.string_view(),
        pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(5), pa.binary(0), pa.date32(), pa.date64(),
    ] + [pa.timestamp(unit, zone) for unit in ["s", "ms", "us", "ns"] for zone in [None, "UTC", "Europe/Berlin"]]
    lists = [pa.list_(pa.list_(kind).value_type) for kind in scalars] + [
        pa.large_list(pa.string()), pa.large_list(pa.float64()), pa.list_(pa.int16(), 3), pa.list_(pa.float32(), 4),
        pa.list_(pa.float16(), 2), pa.list_(pa.string(), 2), pa.list_(pa.dictionary(pa.int8(), pa.string()))]
    coded = [pa.dictionary(index, pa.string()) for index in integers] + [
        pa.dictionary(pa.int32(), kind)
        for kind in [pa.large_string(), pa.string_view(), pa.int64(), pa.float32(), pa.timestamp("ns"), pa.binary(5)]]
    kinds = [pa.null()] + scalars + lists + coded

    for number in range(12):
        size = rng.choice([0, 1, 8, 9, 65, 300])
        nulls = rng.choice([0, 0.2, 1])
        # One piece, or several whose dictionaries differ; a file may not replace them.
        parts = [
            pa.table([sample(kind, size, nulls) for kind in kinds], names=[f"{i} {k}" for i, k in enumerate(kinds)])
            for _ in range(rng.choice([1, 1, 3]))]
        table = pa.concat_tables(parts)
        if number % 2:
            start = rng.randint(0, table.num_rows)
            table = table.slice(start, rng.randint(0, table.num_rows - start))
        write(f"pyarrow{number}", table, suffixes=(".arrows", ".arrow")[:2 if len(parts) == 1 else 1])
    write("pyarrow_no_columns", pa.table({"x": [1, 2, 3]}).select([]))

    size = 50
    index = pd.date_range("2013-01-01", periods=size, freq="7h", tz="America/New_York")
    frame = pd.DataFrame({
        "when": index, "naive": index.tz_localize(None).astype("datetime64[us]"),
        "category": pd.Categorical([rng.choice(["a", "b", None]) for _ in range(size)]),
        "nullable": pd.array([rng.choice([1, None]) for _ in range(size)], dtype="Int64"),
        "text": [rng.choice(texts + [None]) for _ in range(size)], "number": [rng.random() for _ in range(size)],
        "flag": [rng.random() < 0.5 for _ in range(size)], "small": pd.array(range(size), dtype="uint8"),
        "day": [datetime.date(2013, 1, 1)] * size, "vector": [[1.0, 2.0]] * size,
    }, index=pd.Index(range(size), name="row"))
    write("pandas", pa.Table.from_pandas(frame))
    write("pandas_feather", pa.Table.from_pandas(frame.reset_index()), lambda path, is_stream: (
        write_stream(path, pa.Table.from_pandas(frame.reset_index())) if is_stream
        else frame.reset_index().to_feather(path, compression="uncompressed")))

    polars = pl.DataFrame({
        "text": [rng.choice(texts + [None]) for _ in range(size)], "bytes": [rng.choice([b"", b"x" * 13, None])] * size,
        "flag": [rng.choice([True, False, None]) for _ in range(size)], "day": [datetime.date(2013, 1, 1), None] * 25,
        "when": [datetime.datetime(2013, 1, 1, 5, 6, 7, 8), None] * 25, "list": [["a", "b"], None, [], ["c"], ["d"]] * 10,
        "numbers": [[1, 2], None] * 25, "float": [1.5, None] * 25, "nothing": [None] * size,
    }).with_columns(
        pl.col("text").cast(pl.Categorical).alias("category"), pl.lit("b").cast(pl.Enum(["a", "b"])).alias("enum"),
        *(pl.lit(7).cast(kind).alias(str(kind))
          for kind in [pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32]),
        *(pl.col("when").dt.cast_time_unit(unit).dt.replace_time_zone(zone).alias(f"{unit} {zone}")
          for unit in ["ms", "us", "ns"] for zone in [None, "UTC", "Europe/Berlin"]),
        pl.Series("vector", [[1.0, 2.0]] * size, dtype=pl.Array(pl.Float32, 2)),
        pl.Series("array", [[1, 2]] * size, dtype=pl.Array(pl.Int64, 2)))
    for level in ["oldest", "newest"]:
        def write_polars(path, is_stream):
            options = {"compat_level": getattr(pl.CompatLevel, level)()}
            if is_stream:
                polars.write_ipc_stream(path, **options)
            else:
                polars.write_ipc(path, record_batch_size=rng.choice([7, None]), **options)
        write(f"polars_{level}", polars.to_arrow(compat_level=getattr(pl.CompatLevel, level)()), write_polars)
    write("polars_empty", polars.clear().to_arrow(), lambda path, is_stream: (
        polars.clear().write_ipc_stream(path) if is_stream else polars.clear().write_ipc(path)))

    query = """
        SELECT i, (i % 256)::UTINYINT u8, i::SMALLINT i16, i::UINTEGER u32, i::UBIGINT u64, i / 3.0 + 0e0 AS f64, i::FLOAT f32,
            if(i % 3 = 0, NULL, 'row ' || i) s, encode('row ' || i) b, i % 2 = 0 AS flag, DATE '2013-01-01' + i::INTEGER AS day,
            CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'bb' END::ENUM('a', 'bb', 'unused') e, [i, i + 1] l, ['x', 'y'] texts,
            [i, i]::FLOAT[2] v, TIMESTAMP '2013-01-01' + INTERVAL (i) MINUTE ts, '2013-01-01'::TIMESTAMPTZ tz,
            '2013-01-01 01:02:03'::TIMESTAMP_S ts_s, '2013-01-01 01:02:03.004'::TIMESTAMP_MS ts_ms,
            '2013-01-01 01:02:03.000000004'::TIMESTAMP_NS ts_ns, NULL AS nothing, uuid()::VARCHAR id
        FROM range(5000) t(i)"""
    for setting in ["RESET arrow_large_buffer_size", "SET arrow_large_buffer_size = true", "SET arrow_output_version = '1.4'"]:
        connection = duckdb.connect()
        connection.execute(setting)
        write(f"duckdb_{setting.split()[0]}_{setting.split()[1]}", connection.sql(query).to_arrow_table())


def write_stream(path, table):
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


if sys.argv[1:2] == ["relay"]:
    relay(sys.argv[2])
    sys.exit()
if sys.argv[1:2] == ["cases"]:
    cases(sys.argv[2], int(sys.argv[3]))
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
