"""What happened: counts, what failed and when, the windows in which it may, and what was wrong."""

import collections
import threading
import time
from typing import NamedTuple

# Of each kind of wrong thing so many are told.
TOLD = 5


class Failure(NamedTuple):
    kind: str
    code: str
    text: str
    begin: float
    end: float


class Window(NamedTuple):
    name: str
    begin: float
    end: float
    # What may fail in it, as pairs of kind and code; none means everything.
    only: frozenset = frozenset()

    def allows(self, failure):
        """Whether a request failed in the window, or was under way in it."""
        is_beside = failure.begin <= self.end and failure.end >= self.begin
        return is_beside and (not self.only or (failure.kind, failure.code) in self.only)


class Record:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.seconds = {}
        self.failures = []
        self.windows = []
        self.wrongs = collections.Counter()
        self.told = []
        # Set when going on would tell nothing more.
        self.is_over = threading.Event()

    def add(self, name, count=1):
        self.add_all({name: count})

    def add_all(self, counts):
        with self.lock:
            self.counts.update(counts)

    def failed(self, kind, failure, begin):
        """Something failed that was begun at a time of `time.monotonic()`."""
        if kind == "materialization" and failure.code == "materialization_conflict":
            # Two at once are allowed: the one that the other overtakes says so, and the next one goes on.
            self.add("materializations_overtaken")
            return
        with self.lock:
            self.failures.append(Failure(kind, failure.code, str(failure)[:500], begin, time.monotonic()))

    def wrong(self, name, text):
        """Something that is wrong at any time."""
        with self.lock:
            self.wrongs[name] += 1
            if self.wrongs[name] <= TOLD:
                self.told.append(f"{name}: {text[:2000]}")

    def judged(self):
        """The failures of each window, in their order, and those outside of all."""
        inside, outside = [[] for _ in self.windows], []
        for failure in self.failures:
            place = next((place for place, window in enumerate(self.windows) if window.allows(failure)), None)
            (outside if place is None else inside[place]).append(failure)
        return list(zip(self.windows, inside)), outside


def counted(failures):
    """`read online_store_rebuilding 12, push pending_online_store_rebuilding 3`."""
    counts = collections.Counter((failure.kind, failure.code) for failure in failures)
    return ", ".join(f"{kind} {code} {count}" for (kind, code), count in sorted(counts.items())) or "nothing failed"
