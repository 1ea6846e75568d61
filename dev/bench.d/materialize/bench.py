"""bench.py LARDER DIRECTORY ROWS ROUNDS FEAST_ROWS SEED [ROW...]: publishes to an empty Redis, beside redis-cli and
Feast, and kills what publishes.

../materialize.sh makes the data and loads it into PostgreSQL.
"""

import subprocess
import sys
from pathlib import Path

import answers
import data
import kill
import larder
import redis_peer
import redis_pipe
from bars import BARS
from processes import unwind_on_sigterm
from report import Report, say
from rounds import choose_rows, in_turn
from world import FEAST_DATABASE, VIEW

FULL_ROWS = 1_000_000
SAMPLE = 200


class Bench:
    def __init__(self, binary, directory, rows, rounds, feast_rows, seed):
        self.directory = Path(directory)
        self.work = self.directory / "work"
        self.work.mkdir(exist_ok=True)
        self.rows, self.rounds, self.feast_rows, self.seed = rows, rounds, feast_rows, seed
        self.larder = larder.Larder(binary, self.work / "larder.log")
        self.report = Report("materialize", BARS, is_judged=rows >= FULL_ROWS)
        self.redis = redis_peer.connect()
        self.truth = data.read(self.directory, VIEW)
        self.commands = self.work / "commands"

    def materialize(self, is_sampled=False):
        redis_pipe.empty(self.redis)
        taken = self.larder.run("materialize", "--only", "online", is_sampled=is_sampled)
        self.check()
        return taken

    def pipe(self):
        redis_pipe.empty(self.redis)
        seconds = redis_pipe.run(self.commands)
        if self.redis.dbsize() != self.rows:
            raise SystemExit(f"error: redis-cli --pipe left {self.redis.dbsize()} keys")
        return seconds

    def check(self):
        """As many values as rows, and a sample of answers."""
        if self.redis.dbsize() < self.rows:
            raise answers.WrongAnswer(f"{self.rows} entities were published, Redis has {self.redis.dbsize()} keys")
        users = data.generator("check").choice(self.rows, min(SAMPLE, self.rows), replace=False)
        rows = answers.rows_of({VIEW.name: self.truth}, users)
        answers.check_json(self.larder.online_features(VIEW.name, users), users, [VIEW], rows)

    def publish(self):
        # Outside the clock: sampling takes time, and what is stored has to be known for redis-cli.
        peak = self.materialize(is_sampled=True)
        redis_pipe.write(self.commands, redis_peer.StoredView(self.redis, VIEW, self.truth), self.rows)
        rates = in_turn(self.rounds, {
            "larder": lambda turn: self.rows / self.materialize(),
            "redis_pipe": lambda turn: self.rows / self.pipe()})
        for side, rate in rates.items():
            self.report.rate(side, rate, "entities")
        self.report.judged("share_of_redis_pipe", rates["larder"] / rates["redis_pipe"])
        self.report.judged("memory", peak / 2**20)
        if self.feast_rows:
            self.run_feast(self.feast_rows, rates["larder"])

    def run_feast(self, rows, own_rate):
        """A slice: all of it takes Feast minutes."""
        redis_pipe.empty(self.redis)
        script = Path(__file__).parent / "run_feast.py"
        done = subprocess.run(
            [sys.executable, str(script), str(self.directory), str(rows)], stdout=subprocess.PIPE, text=True)
        seconds = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("seconds ")]
        stored = redis_peer.connect(FEAST_DATABASE).dbsize()
        if done.returncode != 0 or stored != rows:
            raise SystemExit(f"error: Feast published {stored} of {rows} entities")
        rate = rows / float(seconds[-1])
        self.report.figure("feast_rows", rows, "rows", "d")
        self.report.rate("feast", rate, "entities")
        self.report.figure("feast_times_faster", own_rate / rate, "ratio", ".1f")


ROWS = {"publish": Bench.publish, "kill": kill.measure}


def main():
    unwind_on_sigterm()
    binary, directory, rows, rounds, feast_rows, seed, *wanted = sys.argv[1:]
    chosen = choose_rows(ROWS, wanted)
    bench = Bench(binary, directory, int(rows), int(rounds), int(feast_rows), seed)
    bench.report.figure("rows", bench.rows, "rows", "d")
    bench.report.figure("rounds", bench.rounds, "rounds", "d")
    row = "start"
    try:
        for row, measure in chosen.items():
            say(f"-- {row}")
            measure(bench)
    except answers.WrongAnswer as error:
        raise SystemExit(f"error: {row}: wrong answer: {error}; logs are in {bench.work}")
    sys.exit(bench.report.status())


if __name__ == "__main__":
    main()
