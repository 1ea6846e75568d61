"""Those who live on while the view changes: writers of three versions, readers of three versions, a materializer."""

import collections
import http.client
import json
import random
import threading
import time

from world import DEFAULTS, USERS, account_of, user_of


class Tally:
    """Counts by name, and the first few words about each thing that went wrong."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.complaints = []

    def add(self, name, count=1):
        with self.lock:
            self.counts[name] += count

    def complain(self, name, text):
        with self.lock:
            self.counts[name] += 1
            if len(self.complaints) < 20:
                self.complaints.append(f"{name}: {text}")


class Client:
    """One connection to one server."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def post(self, path, body):
        for attempt in range(2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self.connection.request(
                    "POST", path, json.dumps(body), {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                return answer.status, json.loads(answer.read())
            except (http.client.HTTPException, ConnectionError):
                # An idle connection may have been closed; a new one is tried once.
                self.connection = None
                if attempt:
                    raise


class Actor(threading.Thread):
    def __init__(self, tally):
        super().__init__(daemon=True)
        self.tally = tally
        self.is_stopped = threading.Event()

    def run(self):
        while not self.is_stopped.is_set():
            try:
                self.act()
            except Exception as error:  # whatever it is, it is a failure of what was asked
                self.tally.complain(f"{self.word}_failed", repr(error))
                time.sleep(0.1)

    def stop(self):
        self.is_stopped.set()
        self.join()


class Writer(Actor):
    """Writes raw rows under one version of the source over HTTP; a refused version is left for the next one."""

    word = "writes"

    def __init__(self, tally, world, port, version, seed):
        super().__init__(tally)
        self.world, self.version = world, version
        self.client = Client(port)
        self.random = random.Random(seed)

    def act(self):
        version = self.version
        numbers = self.world.new_rows(version, self.random.randint(1, 20))
        body = {"schema_version": version, "rows": [self.world.source_row(n, version) for n in numbers]}
        status, answer = self.client.post("/v1/projects/life/sources/events/rows", body)
        if status == 200:
            self.world.acknowledge(numbers)
            self.tally.add(f"writes_of_version_{version}")
            self.tally.add("rows_written", len(numbers))
        elif status == 409 and answer["code"] == "schema_version_mismatch":
            self.world.forget(numbers)
            self.tally.add("writes_refused")
            self.version = version + 1
        else:
            raise RuntimeError(f"{status} {answer}")
        time.sleep(0.02)


class Promises:
    """What readers may ask for now. A change that ends a promise waits for the readers who are still at it."""

    def __init__(self):
        self.condition = threading.Condition()
        self.versions = {}
        self.current = []
        self.is_filling = True
        self.reading = 0
        self.is_changing = False

    def __enter__(self):
        with self.condition:
            self.condition.wait_for(lambda: not self.is_changing)
            self.reading += 1
            return dict(self.versions), list(self.current), self.is_filling

    def __exit__(self, *_):
        with self.condition:
            self.reading -= 1
            self.condition.notify_all()

    def change(self, edit):
        with self.condition:
            self.is_changing = True
            self.condition.wait_for(lambda: self.reading == 0)
            edit(self)
            self.is_changing = False
            self.condition.notify_all()


class Reader(Actor):
    """Asks for features of a version, or of none, and judges the answer by the row number in it."""

    word = "reads"

    def __init__(self, tally, world, ports, promises, seed):
        super().__init__(tally)
        self.world, self.promises = world, promises
        self.clients = [Client(port) for port in ports]
        self.random = random.Random(seed)
        self.newest = {}

    def act(self):
        with self.promises as (versions, current, was_filling):
            choices = sorted(versions) + ["current"]
            choice = self.random.choice(choices)
            if choice == "current":
                generations, features, reference = current, ["n", "score", "tag"], "activity"
                if not current:
                    return
            else:
                generation, features = versions[choice]
                generations, reference = [generation], f"activity@{choice}"
            users = [self.random.randrange(USERS) for _ in range(5)]
            server = self.random.randrange(len(self.clients))
            status, answer = self.clients[server].post(
                "/v1/projects/life/online-features",
                {"features": [f"{reference}:{name}" for name in features],
                 "entities": {"user_id": users, "account": [account_of(u) for u in users]}})
            if status != 200:
                raise RuntimeError(f"{choice} {features}: {status} {answer}")
            may_default = was_filling or self.promises.is_filling
            self.judge(choice, generations, features, users, answer, may_default)
        self.tally.add("reads")
        self.tally.add(f"reads_of_{'version_' if choice != 'current' else ''}{choice}")

    def judge(self, choice, generations, features, users, answer, may_default):
        names = answer["metadata"]["feature_names"]
        results = {name: answer["results"][names.index(name)] for name in features}
        possible = set(generations)
        for place, user in enumerate(users):
            number = results["n"]["values"][place]
            if number is None:
                if results["n"]["statuses"][place] != "NOT_FOUND":
                    self.tally.complain("wrong_values", f"{choice} user {user}: no n, {results['n']}")
                continue
            if user_of(number) != user or number not in self.world.version_of:
                self.tally.complain("wrong_values", f"{choice} user {user}: row {number} is not theirs")
                continue
            fitting = set()
            for generation in generations:
                if all(self.fits(name, results[name], place, number, generation, may_default) for name in features):
                    fitting.add(generation)
            if not fitting:
                seen = {name: (r["values"][place], r["statuses"][place]) for name, r in results.items()}
                self.tally.complain("wrong_values", f"{choice} row {number}: {seen}")
                return
            possible &= fitting
            if choice != "current":
                key = (choice, user)
                if number < self.newest.get(key, 0):
                    self.tally.complain("older_over_newer", f"{choice} user {user}: {number} after {self.newest[key]}")
                self.newest[key] = max(number, self.newest.get(key, 0))
        if not possible:
            self.tally.complain("mixed_responses", f"{choice}: {answer}")

    def fits(self, name, result, place, number, generation, may_default):
        value, status = result["values"][place], result["statuses"][place]
        if status == "DEFAULTED":
            return name in DEFAULTS and may_default and value == DEFAULTS[name]
        expected = self.world.value(name, number, generation)
        wanted = "NULL_VALUE" if expected is None else "PRESENT"
        return status == wanted and value == expected and type(value) is type(expected)


class Materializer(Actor):
    """Keeps every generation current."""

    word = "materializations"

    def __init__(self, tally, larder):
        super().__init__(tally)
        self.larder = larder
        self.completed = 0

    def act(self):
        outcome = self.larder("materialize", "--output", "json", check=False)
        if outcome.returncode == 0:
            self.tally.add("materializations")
            self.completed += 1
            return
        code = json.loads(outcome.stderr or "{}").get("code", outcome.stderr)
        if code in ("materialization_conflict", "registry_unavailable"):
            # It met a change of the view's tables; the next run repairs it.
            self.tally.add(f"materializations_repeated_{code}")
        else:
            self.tally.complain("materializations_failed", outcome.stderr)

    def wait_for_next(self):
        """Returns when a run that began after the call has completed."""
        goal = self.completed + 2
        while self.completed < goal and self.is_alive():
            time.sleep(0.05)
