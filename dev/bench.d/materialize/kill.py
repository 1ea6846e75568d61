"""`larder materialize` is killed again and again while it follows a newer state, and every user is read after each kill.

In a database of its own, so that what is ingested here is not there when the other rows are measured. A run's moment to
die is a random share of how long a run over changes of the same kind has taken before: nobody looks at what it does.
"""

import contextlib
import os
import random

import numpy as np
import psycopg
from psycopg import sql

import answers
import changes
import data
import everything
import redis_pipe
from report import say
from world import VIEW

# ../materialize.sh makes it.
DATABASE = "kill"
URLS = ("LARDER_POSTGRES_URL", "LARDER_POSTGRES_SOURCE_URL")
# Of each half of a run: computing, then publishing.
KILLS = 4
# Between which shares of a half runs die, later from kill to kill; not at its end, since publishing what is there already
# takes less time.
FIRST, LAST = 0.1, 0.8
EXAMPLES = 3


def measure(bench):
    with own_settings():
        Kills(bench).run()


@contextlib.contextmanager
def own_settings():
    before = dict(os.environ)
    os.environ.update({name: f"{before[name].rsplit('/', 1)[0]}/{DATABASE}" for name in URLS})
    # Values are judged here, not how fast they come beside a log that is being written.
    os.environ["LARDER_REDIS_TIMEOUT"] = "10s"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Kills:
    def __init__(self, bench):
        self.bench, self.larder, self.report = bench, bench.larder, bench.report
        self.random = random.Random(f"kill {bench.seed}")
        self.history = changes.History(bench.truth)
        self.wrong = self.read = 0

    def run(self):
        say(f"   again: LARDER_BENCH_SEED={self.bench.seed}")
        self.publish_first_rows()
        self.rehearse()
        self.ingest_changes("killed")
        changed = self.begin()
        killed = self.kill_all(changed)
        self.larder.run("materialize")
        self.look(is_over=True)
        answers.require("the number of rows in PostgreSQL", offline_rows(), self.history.rows.num_rows)
        self.report.figure("kill_keys_changed", changed, "keys", "d")
        self.report.figure("kill_keys_read", self.read, "keys", "d")
        for half, count in killed.items():
            self.report.judged(f"kill_while_{half}", count)
        self.report.judged("kill_wrong_values", self.wrong)
        if self.wrong:
            raise answers.WrongAnswer(f"{self.wrong} of {self.read} answers")

    # --- before the first kill

    def publish_first_rows(self):
        redis_pipe.empty(self.bench.redis)
        self.larder.run("migrate")
        self.larder.run("apply", str(self.bench.directory / "definitions"), "--yes")
        self.larder.run("ingest", VIEW.name, str(data.path(self.bench.directory, VIEW)))
        self.larder.run("materialize")
        # Within minutes autovacuum would do this, in the middle of what is timed.
        analyze()
        # With those that are not of users. No more come and none go, whatever is killed: a tombstone is a value.
        self.keys = self.bench.redis.dbsize()
        if self.keys < self.bench.rows:
            raise answers.WrongAnswer(f"{self.bench.rows} entities were published, Redis has {self.keys} keys")

    def rehearse(self):
        """Changes of the same kind, which nobody disturbs: how long each half takes, and computing when nothing is new."""
        self.ingest_changes("rehearsed")
        self.computing = self.larder.run("materialize", "--only", "offline")
        self.publishing = self.larder.run("materialize", "--only", "online")
        self.idle = self.larder.run("materialize", "--only", "offline")
        analyze()

    def ingest_changes(self, name):
        newest = self.history.newest()
        rows = changes.draw(data.generator("changes", self.bench.seed, name), newest)
        path = self.bench.work / "changes.arrow"
        changes.write(path, rows)
        self.larder.run("ingest", VIEW.name, str(path))
        path.unlink()
        self.history.add(rows)
        self.old, self.new = changes.answers_of(newest), changes.answers_of(self.history.newest())

    def begin(self):
        """Every user has the old answer. Returns how many will have another one."""
        is_old, is_new = self.places()
        # Whose new answer has been read.
        self.has_new = is_new
        self.judge(is_old)
        return int(np.count_nonzero(~is_new))

    # --- kills

    def kill_all(self, changed):
        """Returns how many kills were in the middle of each half."""
        killed = {"computing": 0, "publishing": 0}
        computed, new = computed_runs(), 0
        is_computed = False
        for number in range(2 * KILLS):
            share = FIRST + (LAST - FIRST) * (number % KILLS + self.random.random()) / KILLS
            # What has been computed stays computed: the half that is over cannot be disturbed any more.
            half = "computing" if number < KILLS and not is_computed else "publishing"
            before = self.idle if is_computed else self.computing
            seconds = share * self.computing if half == "computing" else before + share * self.publishing
            was_running = self.larder.kill("materialize", after=seconds)
            new_before = new
            new, wrong = self.look()
            # Only now: a commit that was under way has ended.
            is_computed = computed_runs() > computed
            if was_running:
                killed["computing"] += not is_computed
                # That this run has published shows only in keys that are new since the one before.
                killed["publishing"] += new_before < new < changed
            say(f"   kill {number + 1}: {seconds:.2f} s after the start, {share:.0%} of {half}"
                f"{'' if was_running else ', where the run was over'}; {'' if is_computed else 'not '}computed, "
                f"{new} of {changed} keys are new, {wrong} are wrong")
            if not was_running:
                break
        return killed

    # --- answers

    def places(self):
        # A log that is rewritten meanwhile takes the time of who reads.
        redis_pipe.wait_for_log(self.bench.redis)
        answers.require("the number of keys in Redis", self.bench.redis.dbsize(), self.keys)
        self.read += self.bench.rows
        return everything.places_of(self.larder, self.old, self.new)

    def look(self, is_over=False):
        """Each user has the old answer or the new one, and who has had the new one has it still; in the end all have it.

        Returns how many have the new answer where it differs, and how many have a wrong one.
        """
        is_old, is_new = self.places()
        wrong = self.judge(is_new if is_over else is_new | (is_old & ~self.has_new))
        self.has_new |= is_new
        return int(np.count_nonzero(is_new & ~is_old)), wrong

    def judge(self, is_right):
        """Counts the wrong ones and describes some. The command line is asked afterwards, so it may say something else."""
        wrong = np.flatnonzero(~is_right)
        self.wrong += len(wrong)
        for user in wrong[:EXAMPLES].tolist():
            old, new = (rows.slice(user, 1).to_pylist() for rows in (self.old, self.new))
            now = self.larder.online_features(VIEW.name, [user])["results"]
            say(f"   wrong: user {user}: old {old}, new {new}, now {now}")
        return len(wrong)


# --- PostgreSQL


def connect():
    return psycopg.connect(os.environ[URLS[0]], autocommit=True)


def analyze():
    with connect() as connection:
        connection.execute("VACUUM (ANALYZE)")


def computed_runs():
    """How often computing has been committed."""
    with connect() as connection:
        return connection.execute("SELECT run FROM larder.watermark WHERE stage = 'offline'").fetchone()[0]


def offline_rows():
    """All that were computed, those included that would not count."""
    with connect() as connection:
        view, = connection.execute("SELECT feature_view_id FROM larder.generation").fetchone()
        table = sql.Identifier("larder_data", f"view_{view}_g1")
        return connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()[0]
