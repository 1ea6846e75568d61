"""What goes wrong in the soak, and when: the private servers restart, Redis is emptied, and version 2 is applied."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

from actors import PROJECT
from program import Connection, Failed
from record import Window
from world import POSITIONS, REGIONS, STAYS, write_definitions

STACK = Path(__file__).resolve().parents[2] / "stack"
# A fault is over so long after the server is back.
SECONDS_AFTER = 5
# There is one of each fault in so much time, and at least one in a run.
SECONDS_OF_ROUND = 120
# Where in a round.
FAULTS = ((0.15, "redis_restart"), (0.45, "redis_emptied"), (0.75, "postgres_restart"))
APPLY = (0.3, "apply")
APPLY_ATTEMPTS = 10
# A table that is in use for longer than DDL waits makes an apply, or a materialization beside it, give up; both are repeated.
BESIDE_APPLY = frozenset((kind, "registry_unavailable") for kind in ("apply", "materialization"))


def schedule(seconds):
    """Pairs of seconds from the beginning and a fault."""
    rounds = max(1, round(seconds / SECONDS_OF_ROUND))
    events = [((number + place) * seconds / rounds, name) for number in range(rounds) for place, name in FAULTS]
    return sorted([*events, ((rounds // 2 + APPLY[0]) * seconds / rounds, APPLY[1])])


class Faults:
    def __init__(self, shared, definitions):
        self.shared, self.record, self.definitions = shared, shared.record, definitions

    def happen(self, name):
        if name == "apply":
            self.apply()
            return
        with self.window(name):
            if name == "redis_emptied":
                empty_redis()
            else:
                self.restart(name.removesuffix("_restart"))

    @contextlib.contextmanager
    def window(self, name):
        begin = time.monotonic()
        yield
        self.record.windows.append(Window(name, begin, time.monotonic() + SECONDS_AFTER))

    def restart(self, server):
        # To a file, because a server may keep what it has been given.
        with open(self.shared.directory / "stack.log", "ab") as log:
            subprocess.run([STACK, "restart", server], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)

    def apply(self):
        """Adds a feature to two views, and returns once the server reads and takes it."""
        write_definitions(self.definitions, has_added=True)
        begin = time.monotonic()
        self.run_apply()
        applied = time.monotonic()
        self.shared.materializations.applied = applied
        self.wait_for_server(applied)
        self.record.seconds["apply_read_after"] = time.monotonic() - applied
        self.record.windows.append(Window("apply", begin, time.monotonic(), BESIDE_APPLY))
        self.shared.has_second_version.set()

    def run_apply(self):
        for attempt in range(APPLY_ATTEMPTS):
            begin = time.monotonic()
            try:
                self.shared.larder.run("apply", str(self.definitions), "--yes")
                return
            except Failed as failure:
                self.record.failed("apply", failure, begin)
        raise Failed("apply_refused", f"{APPLY_ATTEMPTS} times")

    def wait_for_server(self, applied):
        connection = Connection(self.shared.port)
        body = {
            "features": [f"{view.name}:{view.added[0]}" for view in (POSITIONS, STAYS)],
            "entities": {"account_id": [1], "region": [REGIONS[0]], "shop": [1]},
        }
        while True:
            begin = time.monotonic()
            try:
                connection.request("POST", f"{PROJECT}/online-features", body)
                return
            except Failed as failure:
                if failure.code != "feature_not_found":
                    self.record.failed("read", failure, begin)
            if time.monotonic() > applied + SECONDS_AFTER:
                raise Failed("late_server", f"version 2 is not read {SECONDS_AFTER} s after it was applied")
            time.sleep(0.02)


def empty_redis():
    url = urllib.parse.urlsplit(os.environ["LARDER_REDIS_URL"])
    with socket.create_connection((url.hostname, url.port), timeout=30) as redis:
        redis.sendall(b"*1\r\n$8\r\nFLUSHALL\r\n")
        answer = redis.recv(100)
    if answer != b"+OK\r\n":
        raise Failed("redis_not_emptied", repr(answer))
