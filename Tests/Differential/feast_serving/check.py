"""check.py LARDER DIRECTORY: works with a served Larder as people do who have Feast, and compares with the truth.

Through Feast's own client, whose online store is this server: reading, writing, pushing, materializing. Through plain
HTTP, as Feast's documentation shows it: all of the server's paths. Statuses, values and event times have to be right
after each step: statuses are Feast's, but a value that is too old says so, which Feast's own server does not.

LARDER_DIFFERENTIAL_SEED (1) is the seed of the rows.
"""

import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import requests
from feast.data_source import PushMode

from client import Client, frame
from server import Larder, Server
from shop import AGES, ASKED_CUSTOMERS, DAY, definitions, rows_of, shop


def utc_now():
    return datetime.now(timezone.utc)


def in_feast(value):
    """Feast's clients have times that are features in whole seconds."""
    return int(value.timestamp()) if isinstance(value, datetime) else value


def text_of(when):
    return when.isoformat().replace("+00:00", "")


class Check:
    def __init__(self, larder, server, views, directory, seed):
        self.larder, self.server, self.views, self.seed = larder, server, views, seed
        self.client = Client(server.address, views, directory)
        self.compared = 0
        self.failures = 0

    def expect(self, is_right, what):
        self.compared += 1
        if not is_right:
            self.failures += 1
            print(f"FAILED {what}")

    # --- Reading

    def asked_keys(self, view):
        if "customer_id" in view.keys:
            return [(customer,) for customer in ASKED_CUSTOMERS]
        return [(shop_name, item) for shop_name in ("a", "b", "c") for item in range(1, 10)]

    def expect_view(self, name, step, among=lambda row: True):
        """Every feature of every key through the client and through plain HTTP."""
        view, now = self.views[name], utc_now()
        keys = self.asked_keys(view)
        truth = {feature: [view.truth(key, feature, now, among) for key in keys] for feature in view.features}
        features = [f"{name}:{feature}" for feature in view.features]
        found, _ = self.client.get(features, [dict(zip(view.keys, key)) for key in keys])
        for feature, right in truth.items():
            expected = [(in_feast(value), status) for value, status, _ in right]
            wrong = differences(found[feature], expected, keys)
            self.expect(found[feature] == expected, f"{step}: {name}:{feature}: {wrong}")
        self.expect_plain(view, keys, truth, step)

    def expect_plain(self, view, keys, truth, step):
        answer = self.server.post("/get-online-features", {
            "features": [f"{view.name}:{feature}" for feature in view.features],
            "entities": {key: list(values) for key, values in zip(view.keys, zip(*keys))}, "full_feature_names": True})
        self.expect(answer.status_code == 200, f"{step}: {answer.status_code} {answer.text}")
        document = answer.json()
        results = dict(zip(document["metadata"]["feature_names"], document["results"], strict=True))
        for place, key in enumerate(view.keys):
            self.expect(
                results[key]["values"] == [values[place] for values in keys]
                and set(results[key]["statuses"]) == {"PRESENT"}, f"{step}: key {key}")
        for feature, right in truth.items():
            result = results[f"{view.name}__{feature}"]
            found = list(zip(result["values"], result["statuses"], strict=True))
            expected = [(in_feast(value), status) for value, status, _ in right]
            self.expect(found == expected, f"{step}: HTTP {feature}: {differences(found, expected, keys)}")
            times = [parse(text) for text in result["event_timestamps"]]
            # What is not there may have left its time.
            wrong = [key for key, time_found, (_, _, when) in zip(keys, times, right) if when and when != time_found]
            self.expect(not wrong, f"{step}: event times of {feature} for {wrong[:5]}")

    # --- The steps

    def run(self):
        self.health()
        for name in ("purchases", "stock"):
            self.ingest(name, AGES)
        self.materialize()
        self.read_in_other_ways()
        self.write()
        self.push()
        self.push_over_http()
        self.refusals()

    def ingest(self, name, ages, count=150):
        view = self.views[name]
        self.seed += 1
        rows = rows_of(self.seed, view, utc_now(), count, tuple(ages))
        self.larder.ingest(view, rows)
        view.rows += rows

    def health(self):
        for _ in range(200):
            if requests.get(self.server.address + "/health", timeout=10).status_code == 200:
                return
            time.sleep(0.05)
        self.expect(False, "health: the server has not read the registry")

    def wait_until_served(self, feature, keys):
        """The server learns of a first publication within a second; Feast's client would wait ten for its next try."""
        for _ in range(200):
            answer = self.server.post("/get-online-features", {"features": [feature], "entities": keys})
            if answer.status_code != 503:
                return
            time.sleep(0.05)

    def materialize(self):
        now = utc_now()
        start, end = now - 10 * DAY, now - 2 * DAY
        self.client.store.materialize(start, end, feature_views=["purchases"])
        self.wait_until_served("purchases:amount", {"customer_id": [1]})
        self.expect_view(
            "purchases", "materialize of a range", lambda row: start <= row["event_timestamp"] <= end)
        self.client.store.materialize_incremental(utc_now())
        self.wait_until_served("stock:on_hand", {"shop": ["a"], "item": [1]})
        for name in ("purchases", "stock"):
            self.expect_view(name, "materialize_incremental")
        # Rows that arrive late, behind what has been materialized, and newer ones.
        self.ingest("purchases", AGES)
        answer = self.server.post("/materialize-incremental", {"end_ts": text_of(utc_now())})
        self.expect(answer.status_code == 200, f"materialize-incremental: {answer.status_code} {answer.text}")
        self.expect_view("purchases", "late rows")
        self.ingest("stock", AGES)
        answer = self.server.post("/materialize", {
            "start_ts": text_of(utc_now() - 30 * DAY), "end_ts": text_of(utc_now()), "feature_views": ["stock"]})
        self.expect(answer.status_code == 200, f"materialize: {answer.status_code} {answer.text}")
        self.expect_view("stock", "materialize over HTTP")
        answer = self.server.post("/materialize", {"disable_event_timestamp": True})
        self.expect(answer.status_code == 200, f"materialize of everything: {answer.status_code} {answer.text}")
        for name in ("purchases", "stock"):
            self.expect_view(name, "materialize of everything")

    def read_in_other_ways(self):
        view, now = self.views["purchases"], utc_now()
        found, response = self.client.get(
            self.client.service, {"customer_id": [1, 65]}, include_feature_view_version_metadata=True)
        for feature in view.features:
            expected = [(in_feast(value), status) for value, status, _ in
                        (view.truth((customer,), feature, now) for customer in (1, 65))]
            self.expect(found[feature] == expected, f"service: {feature}: {found[feature]} {expected}")
        self.expect([status for _, status in found["score"]] == ["NOT_FOUND"] * 2, f"service: {found['score']}")
        versions = {(entry.name, entry.version) for entry in response.proto.metadata.feature_view_metadata}
        self.expect(versions == {("purchases", 1), ("scores", 1)}, f"versions: {versions}")
        full, _ = self.client.get(["purchases:amount"], [{"customer_id": 1}], full_feature_names=True)
        self.expect("purchases__amount" in full, f"full names: {list(full)}")
        for customer in ASKED_CUSTOMERS:
            when, values = self.client.online_read("purchases", customer, list(view.features))
            for feature in view.features:
                value, status, right = view.truth((customer,), feature, now)
                attribute = values[feature].WhichOneof("val")
                read = getattr(values[feature], attribute) if attribute else None
                read = list(read.val) if feature == "tags" and attribute else read
                self.expect(read == in_feast(value), f"online_read: {customer} {feature}: {read} {value} {status}")
                if right:
                    self.expect(when == right, f"online_read: {customer}: {when} {right}")

    def write(self):
        """Through the remote online store, which calls the times of rows as it likes."""
        for name in ("scores", "levels", "clicks"):
            view = self.views[name]
            self.seed += 1
            rows = with_a_feature(rows_of(self.seed, view, utc_now(), 60), view)
            self.client.store.write_to_online_store(name, frame(rows))
            view.rows += rows
            self.expect_view(name, "write_to_online_store")
            # Older ones do not replace what is there.
            rows = with_a_feature(rows_of(self.seed + 1_000, view, utc_now(), 60, (30 * DAY,)), view)
            self.client.store.write_to_online_store(name, frame(rows))
            view.rows += rows
            self.expect_view(name, "older rows")

    def stream_rows(self, count):
        """Rows of the source that feeds two views."""
        scores, levels = self.views["scores"], self.views["levels"]
        self.seed += 1
        rows = rows_of(self.seed, scores, utc_now(), count)
        other = rows_of(self.seed + 2_000, levels, utc_now(), 10 * count)
        rows = [row | {"level": source["level"]} for row, source in zip(rows, other)]
        return [row | {"score": 0.5, "level": 7} if number == 0 else row for number, row in enumerate(rows)]

    def push(self):
        rows = self.stream_rows(60)
        self.client.store.push("score_stream", frame(rows), to=PushMode.ONLINE)
        for name in ("scores", "levels"):
            self.views[name].rows += rows
            self.expect_view(name, "push")

    def push_over_http(self):
        for destination in ("online", "online_and_offline", "offline"):
            rows = self.stream_rows(40)
            columns = {name: [columned(row[name]) for row in rows] for name in rows[0]}
            answer = self.server.post(
                "/push", {"push_source_name": "score_stream", "df": columns, "to": destination})
            self.expect(answer.status_code == 200, f"push: {answer.status_code} {answer.text}")
            if destination == "offline":
                for name in ("scores", "levels"):
                    self.expect_view(name, "push to offline, before it is published")
                self.client.store.materialize_incremental(utc_now(), feature_views=["scores", "levels"])
            for name in ("scores", "levels"):
                self.views[name].rows += rows
                self.expect_view(name, f"push to {destination}")
        answer = self.server.post("/write-to-online-store", {
            "feature_view_name": "clicks",
            "df": {"customer_id": [1], "at": [text_of(utc_now())], "clicks": [3], "seen": [None]}})
        self.expect(answer.status_code == 200, f"write-to-online-store: {answer.status_code} {answer.text}")
        found, _ = self.client.get(["clicks:clicks"], [{"customer_id": 1}])
        self.expect(found["clicks"] == [(3, "PRESENT")], f"write-to-online-store: {found}")

    def refusals(self):
        """What Feast's client makes of a refusal: it reads the status, and shows the rest."""
        row = {"customer_id": 1, "event_timestamp": utc_now(), "created": utc_now(), "score": 1.0, "label": "a"}
        for what, code, body in [
            ("a feature that is not there", "feature_not_found",
             lambda: self.client.get(["scores:scor"], [{"customer_id": 1}])),
            ("a key of the wrong type", "join_key_type",
             lambda: self.client.get(["scores:score"], [{"customer_id": "a"}])),
            ("a row of the future", "rows_rejected", lambda: self.client.store.write_to_online_store(
                "scores", frame([row | {"event_timestamp": utc_now() + DAY}]))),
            ("rows for a view that is computed", "feature_view_not_writable",
             lambda: self.client.store.write_to_online_store("purchases", frame([
                 {"customer_id": 1, "event_timestamp": utc_now()} | dict.fromkeys(self.views["purchases"].features)
                 | {"amount": 1.0, "tags": ["a"], "last_login": utc_now()}]))),
            ("a view that is not there", "feature_view_not_found", lambda: self.client.store.materialize_incremental(
                utc_now(), feature_views=["nothing"])),
        ]:
            try:
                body()
                self.expect(False, f"{what} was not refused")
            except RuntimeError as error:
                self.expect(code in str(error), f"{what}: {error}")


def with_a_feature(rows, view):
    """Feast's client does not send rows of which no feature has a value, nor knows the type of a column of nulls."""
    given = {"float64": 0.5, "string": "x", "int64": 7, "timestamp": datetime(2026, 1, 1, tzinfo=timezone.utc)}
    rows[0] = rows[0] | {name: given[kind] for name, kind in view.features.items()}
    return rows


def columned(value):
    return text_of(value) if isinstance(value, datetime) else value


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def differences(found, expected, keys):
    wrong = [(key, one, other) for key, one, other in zip(keys, found, expected) if one != other]
    return "; ".join(f"{key}: {one}, right is {other}" for key, one, other in wrong[:5])


def main():
    binary, directory = sys.argv[1], Path(sys.argv[2])
    larder, views = Larder(binary, directory), shop()
    larder.define(definitions(views))
    with Server(binary, directory) as server:
        check = Check(larder, server, views, directory, int(os.environ.get("LARDER_DIFFERENTIAL_SEED", 1)))
        check.run()
    print(f"{check.compared} comparisons of what Feast's client and plain HTTP found with the truth")
    sys.exit(f"error: {check.failures} of them failed" if check.failures else 0)


if __name__ == "__main__":
    main()
