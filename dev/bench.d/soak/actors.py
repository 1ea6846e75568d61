"""Those who write and materialize for as long as the soak lasts."""

import contextlib
import csv
import random
import threading
import time
import traceback
from dataclasses import dataclass

from producers import Beats, Moves, Visits
from program import Connection, Failed
from world import STAYS

PROJECT = "/v1/projects/soak"
# Who has been asked to stop tries so long to bring to its end what has begun.
PATIENCE = 20


class Materializations:
    """Which runs are under way, and what one that succeeds makes visible."""

    def __init__(self, histories):
        self.histories = histories
        self.lock = threading.Lock()
        self.running = []
        # When version 2 was applied.
        self.applied = None
        # Whether everything has been computed for version 2.
        self.is_filled = False

    @contextlib.contextmanager
    def run(self):
        begin = time.monotonic()
        committed = [history.committed() for history in self.histories]
        with self.lock:
            self.running.append(begin)
        try:
            yield
        except BaseException:
            with self.lock:
                self.running.remove(begin)
            raise
        for history, rows in zip(self.histories, committed):
            history.publish_all(rows)
        with self.lock:
            self.running.remove(begin)
            if self.applied is not None and begin > self.applied:
                # A run of before that is still at it knows of version 1 only.
                self.is_filled = self.is_filled or all(other > self.applied for other in self.running)


@dataclass(frozen=True)
class Shared:
    """What all actors have."""

    record: object
    larder: object
    port: int
    directory: object
    # By the name of the view.
    histories: dict
    materializations: Materializations
    # Set once the server reads and takes version 2.
    has_second_version: threading.Event
    seed: str


class Actor(threading.Thread):
    # The word for what fails.
    kind = ""
    # Seconds between two acts, on average.
    pause = 0.1

    def __init__(self, shared, name):
        super().__init__(daemon=True, name=name)
        self.shared, self.record = shared, shared.record
        self.random = random.Random(f"{shared.seed} {name}")
        self.connection = Connection(shared.port)
        self.is_stopping = threading.Event()
        self.patience_ends = None

    def run(self):
        while not self.is_stopping.is_set():
            begin = time.monotonic()
            try:
                self.act()
            except Failed as failure:
                self.record.failed(self.kind, failure, begin)
            except Exception:
                self.record.wrong("broken_actors", f"{self.name}: {traceback.format_exc()}")
                self.record.is_over.set()
                return
            self.is_stopping.wait(self.pause * self.random.uniform(0.5, 1.5))

    def stop(self):
        self.patience_ends = time.monotonic() + PATIENCE
        self.is_stopping.set()

    def until_done(self, do):
        """Asks until it is answered, as one does who has to know what became of it. Returns also when the last try began."""
        while True:
            begin = time.monotonic()
            try:
                return do(), begin
            except Failed as failure:
                if failure.is_refusal:
                    self.record.wrong("refusals", f"{self.name}: {failure}")
                    raise
                if self.patience_ends is not None and begin > self.patience_ends:
                    raise
                self.record.failed(self.kind, failure, begin)
            time.sleep(0.2)

    @property
    def version(self):
        return 2 if self.shared.has_second_version.is_set() else 1


class Pusher(Actor):
    """Pushes rows of some accounts, which nobody else pushes rows of. Each push has a key of its own, so that one whose
    answer is lost is sent again."""

    kind = "push"
    pause = 0.05

    def __init__(self, shared, name, accounts):
        super().__init__(shared, name)
        self.moves, self.beats = Moves(accounts, self.random), Beats(accounts, self.random)
        self.count = 0

    def act(self):
        producer = self.beats if self.random.random() < 0.3 else self.moves
        version = self.version if producer is self.moves else 1
        rows = producer.rows(version)
        destination = "offline" if self.random.random() < 0.1 else "both"
        history = self.shared.histories[producer.view.name]
        counting = history.begin(rows)
        self.count += 1
        body = {
            "schema_version": version, "to": destination, "idempotency_key": f"{self.name}-{self.count}",
            "rows": [producer.document(row) for row in rows],
        }
        path = f"{PROJECT}/feature-views/{producer.view.name}/rows"
        (status, report), begin = self.until_done(lambda: self.connection.request("POST", path, body))
        history.commit(counting)
        if report["online"] == "published":
            history.publish(counting)
        elif report["online"] == "pending":
            pending = report["online_pending"]
            self.record.failed("push", Failed(f"pending_{pending['code']}", pending["detail"]), begin)
        self.check(report, status, destination, len(rows))
        self.record.add_all({"pushes": 1, "rows_pushed": len(rows), f"pushes_{report['online']}": 1})

    def check(self, report, status, destination, count):
        expected = {"offline": {"none"}, "both": {"published", "pending"}}[destination]
        if report["online"] not in expected or (status == 202) != (report["online"] == "pending"):
            self.record.wrong("wrong_reports", f"a push to {destination} is answered {status} {report}")
        if report["was_there_before"]:
            self.record.add("pushes_that_were_there_before")
        elif report["rows_written"] != count:
            self.record.wrong("wrong_reports", f"a push of {count} rows is answered {report}")


class Ingester(Actor):
    """Loads one file after the other into the table source, by command. The same file counts once, so that one whose end is
    not known is loaded again."""

    kind = "ingest"
    pause = 0.7

    def __init__(self, shared, name):
        super().__init__(shared, name)
        self.visits = Visits(self.random)
        self.count = 0

    def act(self):
        version = self.version
        rows = self.visits.rows(version)
        self.count += 1
        path = self.shared.directory / f"visits-{self.count}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.visits.columns(version))
            writer.writerows(self.visits.record(row, STAYS) for row in rows)
        history = self.shared.histories[STAYS.name]
        history.begin(rows)
        report, _ = self.until_done(
            lambda: self.shared.larder.run("ingest", "visits", str(path), "--schema-version", str(version)))
        history.commit()
        if not report["was_there_before"] and report["rows_written"] != len(rows):
            self.record.wrong("wrong_reports", f"an ingest of {len(rows)} rows reports {report}")
        self.record.add_all({"files_ingested": 1, "rows_ingested": len(rows)})
        path.unlink()


class CommandMaterializer(Actor):
    """Runs `larder materialize` again and again."""

    kind = "materialization"
    pause = 1

    def act(self):
        with self.shared.materializations.run():
            self.shared.larder.run("materialize")
        self.record.add("materializations_by_command")


class JobMaterializer(Actor):
    """Asks the server for materializations, one after the other, and follows them."""

    kind = "materialization"
    pause = 1.5

    def act(self):
        with self.shared.materializations.run():
            _, job = self.connection.request("POST", f"{PROJECT}/materializations", {})
            self.follow(f"{PROJECT}/jobs/{job['id']}")
        self.record.add("materializations_by_job")

    def follow(self, path):
        while True:
            (_, job), begin = self.until_done(lambda: self.connection.request("GET", path))
            if job["state"] == "succeeded":
                return
            if job["state"] in ("failed", "cancelled"):
                error = job.get("error", {"code": job["state"], "detail": "without an error"})
                raise Failed(error["code"], error["detail"])
            if self.patience_ends is not None and begin > self.patience_ends:
                raise Failed("unfinished_job", f"job {job['id']} is {job['state']}")
            time.sleep(0.2)
