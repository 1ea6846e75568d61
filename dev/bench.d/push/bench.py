"""bench.py LARDER LOAD DIRECTORY ROUNDS SECONDS [ROW...]: pushes to Larder's server and to Feast's.

../push.sh makes an empty database for Larder, and Feast's repository.
"""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

import answers
import check
import feast_peer
import larder
import pushes
from bars import BARS
from generators import Generator
from processes import unwind_on_sigterm
from report import Report, say
from rounds import choose_rows, in_turn

FULL_SECONDS = 10


@dataclass(frozen=True)
class Row:
    # Rows of a push, different pushes of a file, and how many connections each side is tried with.
    batch: int
    pushes: int
    larder: tuple
    feast: tuple


ROWS = {
    "single": Row(1, 20_000, larder=(64,), feast=(16, 64)),
    "batch": Row(1_000, 50, larder=(4, 16, 64), feast=(4, 16, 64)),
}


class Bench:
    def __init__(self, binary, load, directory, rounds, seconds):
        self.directory = Path(directory)
        self.work = self.directory / "work"
        self.work.mkdir(exist_ok=True)
        self.rounds, self.seconds = rounds, seconds
        self.larder = larder.Larder(binary, self.work / "larder.log")
        self.load = Generator(load)
        self.report = Report("push", BARS, is_judged=seconds >= FULL_SECONDS)
        self.offline = check.OfflineRows()
        self.pushed = 0

    def start(self, servers):
        self.ports = {
            "larder": servers.enter_context(self.larder.serving()),
            "feast": servers.enter_context(feast_peer.serving(self.directory / "feast"))}
        self.pushed += check.check_visible(self.ports["larder"])
        check.check_feast(self.ports["feast"])

    def push(self, side, requests, batch, connections, count, seed):
        """Rows per second. Of Larder, all rows are looked for where they should be."""
        load = self.load.so_many(self.ports[side], requests, connections, count, seed)
        if side == "larder":
            self.pushed += count * batch
            check.check_everything(self.ports[side], self.offline, self.pushed)
        return load.rate * batch

    def side(self, side, row, connections):
        requests = pushes.write(self.work, side, row.batch, row.pushes)
        warm = self.push(side, requests, row.batch, connections, 4 * connections, seed=0)

        def measure(turn):
            count = max(connections, round(warm * self.seconds / row.batch))
            return self.push(side, requests, row.batch, connections, count, seed=turn + 1)

        return measure

    def measure(self, name, row):
        """Each side with the number of connections that it is faster with."""
        sides = {}
        for side, all_connections in (("larder", row.larder), ("feast", row.feast)):
            for connections in all_connections:
                sides[side, connections] = self.side(side, row, connections)
        rates = in_turn(self.rounds, sides, ".1f")
        best = dict.fromkeys(self.ports, 0)
        for (side, connections), rate in rates.items():
            self.report.rate(f"{name}_{side}_{connections}_connections", rate, "rows")
            best[side] = max(best[side], rate)
        self.report.judged(f"{name}_times_feast", best["larder"] / best["feast"])


def main():
    unwind_on_sigterm()
    binary, load, directory, rounds, seconds, *wanted = sys.argv[1:]
    chosen = choose_rows(ROWS, wanted)
    bench = Bench(binary, load, directory, int(rounds), int(seconds))
    bench.report.figure("rounds", bench.rounds, "rounds", "d")
    name = "start"
    try:
        with contextlib.ExitStack() as servers:
            bench.start(servers)
            for name, row in chosen.items():
                say(f"-- {name}")
                bench.measure(name, row)
    except answers.WrongAnswer as error:
        raise SystemExit(f"error: {name}: wrong answer: {error}; logs are in {bench.work}")
    sys.exit(bench.report.status())


if __name__ == "__main__":
    main()
