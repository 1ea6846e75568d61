"""bench.py LARDER LOAD FORWARD DIRECTORY USERS ROUNDS SECONDS [ROW...]: measures Larder's server beside Redis and Feast's.

../online.sh makes the data and loads it.
"""

import contextlib
import sys
from pathlib import Path

import answers
import check
import data
import feast_peer
import larder
import questions
import redis_peer
import rows
from bars import BARS
from client import Client, question
from generators import Generator, wrk
from processes import unwind_on_sigterm
from report import Report, say
from rounds import choose_rows
from world import ONE, VIEWS, feast_directory

FULL_USERS = 100_000
WARM_SECONDS = 2


class Bench:
    def __init__(self, binary, load, forward, directory, users, rounds, seconds):
        self.directory = Path(directory)
        self.work = self.directory / "work"
        self.work.mkdir(exist_ok=True)
        self.users, self.rounds, self.seconds = users, rounds, seconds
        self.larder = larder.Larder(binary, self.work / "larder.log")
        self.load, self.forward = Generator(load), forward
        self.report = Report("online", BARS, is_judged=users >= FULL_USERS)
        self.redis = redis_peer.connect()
        self.truths = {view.name: data.read(self.directory, view) for view in VIEWS}
        self.stored = redis_peer.StoredView(self.redis, ONE, self.truths[ONE.name])
        self.copies = redis_peer.Copies(self.stored, users)
        self.servers = contextlib.ExitStack()
        self._feast_port = None

    def start(self):
        self.port = self.servers.enter_context(self.larder.serving())
        check.check_larder(self.port, self.users, ONE.name, [ONE], self.truths)
        check.check_nothing_is_kept(self.port, self.users, ONE, self.truths, self.stored)

    @property
    def feast_port(self):
        """Of a server that starts when it is first needed."""
        if self._feast_port is None:
            self._feast_port = self.servers.enter_context(feast_peer.serving(feast_directory(self.directory, ONE)))
            check.check_feast(self._feast_port, self.users, ONE, self.truths)
        return self._feast_port

    # --- a side of a row: called with the number of its round, it returns requests per second

    def larder_side(self, entities, accept="application/json"):
        """The server's values come from Redis: for every entity asked for one was found there."""
        name = "arrow" if accept == larder.ARROW else "json"
        requests = questions.write_http(self.work, name, larder.ONLINE, ONE.name, self.users, entities, accept)
        wrk(self.port, requests, 64, WARM_SECONDS, seed=0)

        def measure(turn):
            before = redis_peer.keyspace_hits(self.redis)
            load = wrk(self.port, requests, 64, self.seconds, seed=turn + 1)
            hits = redis_peer.keyspace_hits(self.redis) - before
            if hits < load.requests * entities:
                raise answers.WrongAnswer(
                    f"{load.requests * entities:.0f} entities were asked for, Redis found {hits} values")
            self._check_length(load, requests, entities, accept)
            return load.rate

        return measure

    def redis_side(self, entities):
        self.copies.benchmark(entities, WARM_SECONDS)
        return lambda turn: self.copies.benchmark(entities, self.seconds)

    def feast_side(self, entities, connections):
        requests = questions.write_http(self.work, "feast", feast_peer.READ, ONE.name, self.users, entities)
        wrk(self.feast_port, requests, connections, WARM_SECONDS, seed=0)
        return lambda turn: wrk(self.feast_port, requests, connections, self.seconds, seed=turn + 1).rate

    def _check_length(self, load, requests, entities, accept):
        """What came under load is about as long as an answer that was checked."""
        users, = questions.draws("length", self.users, entities, 1)
        _, body = Client(self.port).post(larder.ONLINE, question(ONE.name, users), accept)
        if not 0.9 < load.bytes / load.requests / len(body) < 2:
            raise answers.WrongAnswer(
                f"under load an answer has {load.bytes / load.requests:.0f} bytes, alone {len(body)}")


def main():
    unwind_on_sigterm()
    binary, load, forward, directory, users, rounds, seconds, *wanted = sys.argv[1:]
    chosen = choose_rows(rows.ROWS, wanted)
    bench = Bench(binary, load, forward, directory, int(users), int(rounds), int(seconds))
    bench.report.figure("users", bench.users, "users", "d")
    bench.report.figure("rounds", bench.rounds, "rounds", "d")
    bench.report.figure("redis_key", len(bench.stored.key(0)), "bytes", "d")
    bench.report.figure("redis_value", bench.redis.strlen(bench.stored.key(0)), "bytes", "d")
    row = "start"
    try:
        with bench.servers:
            bench.start()
            for row, measure in chosen.items():
                say(f"-- {row}")
                measure(bench)
    except answers.WrongAnswer as error:
        raise SystemExit(f"error: {row}: wrong answer: {error}; the server's log is in {bench.work}")
    sys.exit(bench.report.status())


if __name__ == "__main__":
    main()
