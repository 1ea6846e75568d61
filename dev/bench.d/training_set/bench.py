"""bench.py LARDER STACK POSTGRES_DATA DIRECTORY ROWS ROUNDS [ROW...]: measures Larder beside its peers.

Every timed run is a whole process that reads an Arrow file of spine rows and writes an Arrow file. All answers are
compared, outside the timed part. ../training-set.sh makes the data and loads it.
"""

import sys
from pathlib import Path

import answers
import cold
import rows
import spines
from engines import CHECKER, Larder
from measure import run
from report import Report, say

FULL_ROWS = 10_000_000


class Bench:
    def __init__(self, binary, stack, postgres_data, directory, table_rows, rounds):
        self.larder = Larder(binary)
        self.stack, self.postgres_data = stack, postgres_data
        self.directory = Path(directory)
        self.work = self.directory / "work"
        self.work.mkdir(exist_ok=True)
        for left in self.work.iterdir():
            left.unlink()
        self.table_rows, self.rounds = table_rows, rounds
        self.report = Report(is_judged=table_rows >= FULL_ROWS)
        self.log = self.work / "log"
        self.turns = 0

    # --- spines: each has a number, and no number comes twice

    def next_spine(self, name, write):
        self.turns += 1
        path = self.work / f"spine_{self.turns}.arrow"
        write(path, name, self.turns)
        return path

    def spine_of_users(self, name, full_rows):
        """As many rows as fit the tables' size: at a fiftieth of the rows a fiftieth of the spine."""
        count = max(1, full_rows * self.table_rows // FULL_ROWS)
        write = lambda path, name, turn: spines.of_users(path, count, self.table_rows // 10, name, turn)
        return self.next_spine(name, write)

    def spine_of_flights(self, name, every=1):
        flights = self.directory / "flights.arrow"
        return self.next_spine(name, lambda path, name, turn: spines.of_flights(path, flights, name, turn, every))

    # --- runs

    def ask(self, engine, views, spine, is_sampled=False):
        """One run. Its answer is left beside the spine."""
        out = self.answer_path(engine, views, spine)
        command = engine.command(views, self.directory, str(spine), str(out))
        return run(command, self.log, cold.postmaster(self.postgres_data) if is_sampled else None)

    def answer_path(self, engine, views, spine):
        return self.work / f"{spine.stem}_{engine.name}_{'_'.join(view.name for view in views)}.arrow"

    def check(self, views, spine, peers=()):
        """Larder's answer beside that of each peer; where none was asked, DuckDB is."""
        own = answers.open_answer(self.answer_path(self.larder, views, spine))
        answers.check_spine(own, answers.open_answer(spine))
        for view in views:
            for peer in peers or [CHECKER]:
                if not peers:
                    self.ask(peer, [view], spine)
                other = answers.open_answer(self.answer_path(peer, [view], spine))
                answers.check_features(own, self.larder.names(views, view), other, view.features, peer.name)

    def forget(self, *paths):
        for spine in paths:
            for path in self.work.glob(f"{spine.stem}[._]*"):
                path.unlink()

    def restart_cold(self):
        cold.restart_cold(self.stack, self.postgres_data)


def main():
    binary, stack, postgres_data, directory, table_rows, rounds, *wanted = sys.argv[1:]
    unknown = set(wanted) - set(rows.ROWS)
    if unknown:
        raise SystemExit(f"error: no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows.ROWS)}")
    bench = Bench(binary, stack, postgres_data, directory, int(table_rows), int(rounds))
    bench.report.figure("table_rows", bench.table_rows, "rows", "d")
    bench.report.figure("rounds", bench.rounds, "rounds", "d")
    for name, measure in rows.ROWS.items():
        if not wanted or name in wanted:
            say(f"-- {name}")
            try:
                measure(bench)
            except answers.WrongAnswer as error:
                raise SystemExit(f"error: {name}: wrong answer: {error}; LARDER_BENCH_KEEP=1 keeps the files in {bench.work}")
    sys.exit(bench.report.status())


if __name__ == "__main__":
    main()
