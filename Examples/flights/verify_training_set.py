#!/usr/bin/env python3
"""Compares every value of a training set with the answer that reference.py finds from the original CSV files.

    verify_training_set.py CSV_DIRECTORY TRAINING_SET.arrow|.arrows|.csv [--added-features]

The training set is the one that `larder training-set create --service departure_delay` makes of spine.csv, with or
without --full-feature-names; with --added-features, in a project that has the features of added_features.py as well.
Exits with 1 when a value, a row or a column is not as it should be.
"""

import argparse
import collections
import pathlib
import sys

import pyarrow
import pyarrow.csv
import pyarrow.ipc

import added_features
import reference

TYPES = {
    "flight_id": pyarrow.int64(), "event_timestamp": pyarrow.timestamp("us", "UTC"), "origin": pyarrow.string(),
    "dest": pyarrow.string(), "carrier": pyarrow.string(), "tailnum": pyarrow.string(),
    "temp": pyarrow.float64(), "dewp": pyarrow.float64(), "humid": pyarrow.float64(), "wind_dir": pyarrow.int32(),
    "wind_speed": pyarrow.float64(), "wind_gust": pyarrow.float64(), "precip": pyarrow.float64(),
    "pressure": pyarrow.float64(), "visib": pyarrow.float64(), "is_freezing": pyarrow.bool_(),
    "year_built": pyarrow.int32(), "plane_type": pyarrow.string(), "manufacturer": pyarrow.string(),
    "model": pyarrow.string(), "engines": pyarrow.int32(), "seats": pyarrow.int32(), "speed": pyarrow.int32(),
    "engine": pyarrow.string(), "airline_name": pyarrow.string(),
    "mean_delay_1d": pyarrow.float64(), "flights_1d": pyarrow.int64(),
    "mean_delay_7d": pyarrow.float64(), "flights_7d": pyarrow.int64(),
    "mean_delay_14d": pyarrow.float64(), "worst_delay_14d": pyarrow.int32(), "flights_14d": pyarrow.int64(),
    "arrivals_1h": pyarrow.int64(), "share_late_1h": pyarrow.float64(), "mean_delay_1h": pyarrow.float64(),
    "is_hot": pyarrow.bool_(), "sight": pyarrow.string(), "is_gusty": pyarrow.bool_(),
    "is_wide_body": pyarrow.bool_(), "seats_per_engine": pyarrow.int32(), "is_fast": pyarrow.bool_(),
}
LABELS = ["dep_delay", "arr_delay"]


def feature_type(column):
    return TYPES.get(column.rsplit("__", 1)[-1])


def read_training_set(path):
    """The table, and whether its types are its own: a CSV file has none, so there they are what they should be."""
    if path.suffix == ".arrow":
        with pyarrow.ipc.open_file(path) as reader:
            return reader.read_all(), True
    if path.suffix == ".arrows":
        with pyarrow.ipc.open_stream(path) as reader:
            return reader.read_all(), True
    with open(path, encoding="utf-8") as file:
        names = file.readline().rstrip("\r\n").split(",")
    types = {name: feature_type(name) or pyarrow.int64() for name in names}
    options = pyarrow.csv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    return pyarrow.csv.read_csv(path, convert_options=options), False


def values_of(table, name):
    """Python values, times as microseconds."""
    column = table.column(name)
    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", column.type.tz)).cast(pyarrow.int64())
    return column.to_pylist()


def mismatches(expected, found):
    return [
        row for row, (left, right) in enumerate(zip(expected, found, strict=True))
        if not reference.equal(reference.plain(left), right)
    ]


def column_of(table, view, feature):
    """The feature's column; a view under another name always says it."""
    full = f"{view.name}__{feature}"
    if full in table.column_names:
        return full
    return feature if view.name == view.view and feature in table.column_names else None


class Report:
    def __init__(self):
        self.failures = 0

    def fail(self, message):
        self.failures += 1
        print(f"MISMATCH {message}")

    def compare(self, what, expected, found):
        rows = mismatches(expected, found)
        if rows:
            first = rows[0]
            self.fail(f"{what}: {len(rows)} rows; row {first} is {found[first]!r}, expected {expected[first]!r}")
        return len(rows)


def check_spine(report, table, flights):
    """The spine's rows, in its order, with its columns untouched."""
    if table.num_rows != len(flights):
        report.fail(f"{table.num_rows} rows, expected {len(flights)}")
        sys.exit(1)
    times = reference.microseconds(reference.departures(flights))
    report.compare("event_timestamp", times.to_list(), values_of(table, "event_timestamp"))
    for name in ["flight_id", "origin", "dest", "carrier", "tailnum", *LABELS]:
        column = reference.whole(flights[name]) if name in LABELS else flights[name]
        expected = column.astype(object).where(column.notna(), None).to_list()
        found = values_of(table, name)
        # Nothing says what type the labels of a CSV spine have: they are carried through.
        if name in LABELS:
            found = [value if value is None else int(value) for value in found]
        report.compare(name, expected, found)
    return flights.assign(time=times)


def check_view(report, table, typed, view, spine):
    answers, _ = view.answers(spine)
    counts, wrong = collections.Counter(), 0
    for feature, (values, statuses) in answers.items():
        counts.update(statuses)
        column = column_of(table, view, feature)
        if column is None:
            report.fail(f"{view.name}: no column for {feature}")
            continue
        if typed and table.schema.field(column).type != feature_type(column):
            report.fail(f"{column} is {table.schema.field(column).type}, expected {feature_type(column)}")
        wrong += report.compare(column, values, values_of(table, column))
    total = len(spine) * len(view.features)
    detail = "  ".join(f"{status} {count}" for status, count in sorted(counts.items()))
    print(f"{view.name:16} {total:9} values  {wrong} wrong  {detail}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv_directory", type=pathlib.Path)
    parser.add_argument("training_set", type=pathlib.Path)
    parser.add_argument("--added-features", action="store_true", help="the project has those of added_features.py")
    options = parser.parse_args()
    flights, views = reference.views(options.csv_directory)
    if options.added_features:
        views = added_features.extended(views, recomputed=True)
    table, typed = read_training_set(options.training_set)
    report = Report()
    spine = check_spine(report, table, flights)
    for view in views:
        check_view(report, table, typed, view, spine)
    print(f"{len(spine)} rows, {report.failures} mismatches")
    sys.exit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
