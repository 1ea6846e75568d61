#!/usr/bin/env python3
"""Compares the online answers with the offline ones, at ascending times through the year.

    compare_online_offline.py CSV_DIRECTORY --larder PATH [--times 24] [--rows 200] [--seed N]

Expects a project `flights` that is applied, with the five raw files ingested and nothing materialized yet, and the
LARDER_* variables of `dev/stack env`. For each time T it runs `larder materialize --end T` and starts
`larder serve --clock-fixed T`. The same random keys (of real flights, unknown ones, nulls) are then asked for over HTTP
and, as a spine with event_timestamp T, through `larder training-set create`; both must give the value, the status and
the event time that reference.py finds.

At the last T features are added to two views whose rows are stored already, and everything is compared twice more: when
the features have their defaults, and after another `larder materialize`, when they have values. The project keeps them.

Prints how often each status occurred; exits with 1 on any difference, or when a status was too rare to say anything.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import pandas
import pyarrow.ipc

import added_features
import reference

SERVICE = "departure_delay"
KEYS = ["origin", "dest", "carrier", "tailnum"]
ENTITIES_PER_REQUEST = 50
STATUSES = [reference.PRESENT, reference.NULL_VALUE, reference.NOT_FOUND, reference.OUTSIDE_MAX_AGE,
            reference.DEFAULTED, reference.INVALID_KEY]
LEAST_OF_EACH_STATUS = 50
LEAST_SHARE_PRESENT = 0.3


def text_of(microseconds):
    return pandas.Timestamp(int(microseconds), unit="us", tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


def chosen_times(generator, views, count):
    """Ascending. Every other one is the event time of some row, or that plus the ttl: where an error of one shows."""
    start, end = (pandas.Timestamp(day, tz="UTC").value // 1000 for day in ("2013-01-05", "2014-01-01"))
    aging = [view for view in views if view.ttl is not None]
    times = set()
    while len(times) < count:
        moment = generator.randrange(start, end, 1_000_000)
        if len(times) % 2 == 0:
            view = generator.choice(aging)
            moment = int(generator.choice(view.times)) + generator.choice([0, view.ttl])
        if start <= moment < end:
            times.add(moment)
    return sorted(times)


def random_rows(generator, flights, count):
    """Keys of real flights, at any time of the year, some of them replaced by others, unknown ones, or nothing."""
    known = {key: sorted(flights[key].dropna().unique()) for key in KEYS}
    rows = []
    for index in (generator.randrange(len(flights)) for _ in range(count)):
        row = {key: value if isinstance(value, str) else None for key, value in flights.loc[index, KEYS].items()}
        if generator.random() < 0.2:
            row["dest"] = generator.choice(known["origin"])
        for key in KEYS:
            dice = generator.random()
            if dice < 0.06:
                row[key] = None
            elif dice < 0.12:
                row[key] = generator.choice(["ZZZ", "", "jfk", "N14228 ", "\u00e9", "a,b", 'a"b', "O'Hare"])
            elif dice < 0.30:
                row[key] = generator.choice(known[key])
        rows.append(row)
    return rows


class Larder:
    """The executable, used as a person would."""

    def __init__(self, path, directory):
        self.path = str(pathlib.Path(path).resolve())
        self.directory = pathlib.Path(directory)

    def run(self, *arguments):
        command = [self.path, *arguments, "--project", "flights"]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"error: {' '.join(command)} exited with {result.returncode}\n{result.stderr}")

    @contextlib.contextmanager
    def serving(self, moment):
        """The base URL of a server whose clock stands at `moment`."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [self.path, "serve", "--host", "127.0.0.1", "--port", str(port), "--clock-fixed", text_of(moment)]
        with open(self.directory / "server.log", "ab") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            self.wait_until_ready(server, address)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)

    def wait_until_ready(self, server, address):
        deadline = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{address}/health/ready", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        sys.exit(f"error: the server did not become ready\n{(self.directory / 'server.log').read_text()[-4000:]}")

    def offline(self, rows, moment, features=None):
        """{column: values} of a training set of `features`, or the service's, in which every row asks for `moment`."""
        spine = self.directory / "spine.ndjson"
        timestamp = text_of(moment)
        spine.write_text("".join(json.dumps({**row, "event_timestamp": timestamp}) + "\n" for row in rows))
        out = self.directory / "training_set.arrow"
        asked = ["--features", ",".join(features)] if features else ["--service", SERVICE]
        self.run("training-set", "create", "--spine", str(spine), *asked, "--out", str(out), "--full-feature-names")
        with pyarrow.ipc.open_file(out) as reader:
            table = reader.read_all()
        return {name: table.column(name).to_pylist() for name in table.column_names}


def online(address, rows, features=None):
    """{feature: (values, statuses, event times in microseconds)} over all rows, of `features` or the service's."""
    asked = {"features": features} if features else {"feature_service": SERVICE}
    answers = collections.defaultdict(lambda: ([], [], []))
    for start in range(0, len(rows), ENTITIES_PER_REQUEST):
        part = rows[start:start + ENTITIES_PER_REQUEST]
        body = {
            **asked, "full_feature_names": True,
            "entities": {key: [row[key] for row in part] for key in KEYS},
        }
        request = urllib.request.Request(
            f"{address}/v1/projects/flights/online-features", json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                reply = json.load(response)
        except urllib.error.HTTPError as error:
            sys.exit(f"error: {error.code} {error.read().decode()}")
        for name, result in zip(reply["metadata"]["feature_names"], reply["results"], strict=True):
            values, statuses, times = answers[name]
            values.extend(result["values"])
            statuses.extend(result["statuses"])
            times.extend(None if text is None else pandas.Timestamp(text).value // 1000
                         for text in result["event_timestamps"])
    return answers


def json_number(value, like):
    """JSON does not tell 40.0 from 40; the reference does."""
    return float(value) if isinstance(like, float) and type(value) is int else value


class Comparison:
    def __init__(self):
        self.statuses = collections.Counter()
        self.compared = self.differences = 0

    def check(self, place, expected, found):
        self.compared += 1
        if not reference.equal(expected, found):
            self.differences += 1
            if self.differences <= 20:
                print(f"MISMATCH {place}: {found!r}, expected {expected!r}")

    def compare(self, moment, rows, views, on, off):
        spine = pandas.DataFrame(rows, columns=KEYS, dtype=object).assign(time=moment)
        for view in views:
            answers, times = view.answers(spine)
            for feature, (values, statuses) in answers.items():
                name = f"{view.name}__{feature}"
                on_values, on_statuses, on_times = on[name]
                for index, row in enumerate(rows):
                    value, status = reference.plain(values[index]), statuses[index]
                    place = f"{text_of(moment)} {name} {row}"
                    self.statuses[status] += 1
                    self.check(f"online status {place}", status, on_statuses[index])
                    self.check(f"online value {place}", value, json_number(on_values[index], value))
                    self.check(f"offline value {place}", value, off[name][index])
                    # A static row holds for all times and has none of its own.
                    if times[index] is not None and times[index] != reference.ALWAYS:
                        self.check(f"online event time {place}", int(times[index]), on_times[index])

    def verdict(self):
        total = sum(self.statuses.values())
        print(f"{total} values, {self.compared} comparisons, {self.differences} differences")
        for status, count in sorted(self.statuses.items()):
            print(f"  {status:16} {count:8}  {count / total:6.1%}")
        rare = [status for status in STATUSES if self.statuses[status] < LEAST_OF_EACH_STATUS]
        if rare:
            print(f"too few to say anything: {', '.join(rare)}")
        enough = self.statuses[reference.PRESENT] >= LEAST_SHARE_PRESENT * total
        if not enough:
            print(f"less than {LEAST_SHARE_PRESENT:.0%} PRESENT")
        return not self.differences and not rare and enough


def compare_added_features(larder, comparison, views, moment, rows):
    """Adds the features, then computes them. Everything was materialized through `moment` before."""
    folder = larder.directory / "feature-defs"
    added_features.write_definitions(folder)
    names = sorted(added_features.DEFAULTS)
    defaulted, computed = (added_features.extended(views, recomputed) for recomputed in (False, True))
    steps = [
        ("added", defaulted, ["apply", str(folder), "--yes"]),
        ("computed", computed, ["materialize", *names, "--end", text_of(moment)]),
    ]
    for step, expected, command in steps:
        larder.run(*command)
        own = added_features.changed(expected)
        features = [f"{view.name}:{feature}" for view in own for feature in view.features]
        with larder.serving(moment) as address:
            by_service, by_list = online(address, rows), online(address, rows, features)
        comparison.compare(moment, rows, expected, by_service, larder.offline(rows, moment))
        comparison.compare(moment, rows, own, by_list, larder.offline(rows, moment, features))
        print(f"{text_of(moment)}, features {step}: {comparison.differences} differences so far", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv_directory", type=pathlib.Path)
    parser.add_argument("--larder", required=True, help="the executable")
    parser.add_argument("--times", type=int, default=24)
    parser.add_argument("--rows", type=int, default=200, help="at each time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    generator = random.Random(options.seed)
    flights, views = reference.views(options.csv_directory)
    comparison = Comparison()
    with tempfile.TemporaryDirectory() as directory:
        larder = Larder(options.larder, directory)
        for moment in chosen_times(generator, views, options.times):
            rows = random_rows(generator, flights, options.rows)
            larder.run("materialize", "--end", text_of(moment))
            with larder.serving(moment) as address:
                on = online(address, rows)
            comparison.compare(moment, rows, views, on, larder.offline(rows, moment))
            print(f"{text_of(moment)}: {comparison.differences} differences so far", flush=True)
        compare_added_features(larder, comparison, views, moment, rows)
    sys.exit(0 if comparison.verdict() else 1)


if __name__ == "__main__":
    main()
