"""The life of one feature view through twelve changes, while writers and readers of three versions go on.

Usage: life.py LARDER DIRECTORY SECONDS. Settings come from the environment, as for larder itself. Prints lines of
`name value unit`; the exit status is 1 when anything was wrong.
"""

import pathlib
import re
import subprocess
import sys
import threading
import time

from actors import Client, Materializer, Promises, Reader, Tally, Writer
from trainer import Trainer, parsed, training_set
from world import USERS, Definitions, World, account_of


def say(text):
    print(text, file=sys.stderr, flush=True)


class Life:
    def __init__(self, larder, directory, seconds):
        self.executable, self.directory, self.seconds = larder, pathlib.Path(directory), seconds
        self.tally, self.world, self.promises = Tally(), World(), Promises()
        self.definitions = Definitions(self.directory / "definitions")
        self.definitions.directory.mkdir(parents=True, exist_ok=True)
        self.servers, self.ports, self.actors, self.writers = [], [], [], []
        self.switch_seconds = []

    # --- the program

    def larder(self, *arguments, check=True):
        outcome = subprocess.run(
            [self.executable, *arguments], capture_output=True, text=True, check=False, timeout=300)
        if check and outcome.returncode != 0:
            raise RuntimeError(f"larder {' '.join(arguments)}: {outcome.stderr}")
        return outcome

    def apply(self, *flags):
        """A table in use for longer than DDL waits is told and tried again, as a person would."""
        self.definitions.write()
        for _ in range(10):
            outcome = self.larder("apply", str(self.definitions.directory), "--yes", *flags, check=False)
            if outcome.returncode == 0:
                self.tally.add("applies")
                return
            if "[registry_unavailable]" not in outcome.stderr:
                break
            self.tally.add("applies_repeated")
        raise RuntimeError(outcome.stderr)

    def expect_refusal(self, code, *arguments):
        outcome = self.larder(*arguments, check=False)
        if outcome.returncode == 0 or f"[{code}]" not in outcome.stderr:
            self.tally.complain("refusals_missing", f"larder {' '.join(arguments)}: {outcome.stderr}")
        else:
            self.tally.add("refusals")

    def expect_refused_plan(self, *flags):
        self.definitions.write()
        self.expect_refusal("change_refused", "plan", str(self.definitions.directory), *flags)

    def start_server(self):
        server = subprocess.Popen(
            [self.executable, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
        for line in server.stderr:
            if match := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise RuntimeError("the server did not start")
        self.servers.append(server)
        self.ports.append(int(match.group(1)))
        Drain(server.stderr).start()

    # --- steps

    def live(self, name):
        """A step: some time in which everybody goes on."""
        say(f"   {name}")
        self.materializer.wait_for_next()
        time.sleep(self.seconds)
        self.tally.add("changes")

    def fill(self):
        """Waits until what was added has been computed and published for every row."""
        self.materializer.wait_for_next()
        self.materializer.wait_for_next()
        self.promises.change(lambda p: setattr(p, "is_filling", False))

    def promise(self, versions, current=None, is_filling=True):
        def edit(promises):
            promises.versions = versions
            promises.current = current if current is not None else promises.current
            promises.is_filling = is_filling

        self.promises.change(edit)

    def switch_and_measure(self, *command, generation):
        """Switches, and takes the time until every server answers from the new generation."""
        allowed = sorted(set(self.promises.current) | {generation})
        self.promises.change(lambda p: setattr(p, "current", allowed))
        begun = time.monotonic()
        self.larder(*command)
        done = time.monotonic()
        say(f"   {' '.join(command)}: {done - begun:.2f} s")
        clients, pending = [Client(port) for port in self.ports], set(range(len(self.ports)))
        while pending and time.monotonic() < done + 10:
            for place in list(pending):
                if self.is_answering_from(clients[place], generation):
                    pending.discard(place)
        self.switch_seconds.append(time.monotonic() - done)
        if pending or self.switch_seconds[-1] > 1:
            self.tally.complain("slow_switches", f"{command}: {self.switch_seconds[-1]:.2f} s")
        self.promises.change(lambda p: setattr(p, "current", [generation]))

    def is_answering_from(self, client, generation):
        status, answer = client.post(
            "/v1/projects/life/online-features",
            {"features": ["activity:n", "activity:score"], "entities": {"user_id": [1], "account": [account_of(1)]}})
        if status != 200:
            return False
        number, score = (result["values"][0] for result in answer["results"][-2:])
        return score == self.world.value("score", number, generation)

    def run(self):
        world, tally, promises = self.world, self.tally, self.promises
        self.larder("migrate")
        self.apply()
        for _ in range(2):
            self.start_server()
        self.writers = [Writer(tally, world, self.ports[n % 2], 1, seed=n) for n in range(3)]
        self.materializer = Materializer(tally, self.larder)
        readers = [Reader(tally, world, self.ports, promises, seed=10 + n) for n in range(3)]
        trainer = Trainer(tally, world, self.larder, self.directory, promises, seed=20)
        self.actors = [*self.writers, self.materializer]
        for actor in self.actors:
            actor.start()
        self.materializer.wait_for_next()
        self.promise({1: (1, ["n", "score", "label"])}, is_filling=False)
        for actor in [*readers, trainer]:
            actor.start()
        self.actors += [*readers, trainer]
        self.changes()
        for actor in reversed(self.actors):
            actor.stop()
        self.check_everything()

    def changes(self):
        defs = self.definitions
        say("1. add")
        defs.columns.append("{name: speed, type: float64}")
        defs.features["speed"] = "{name: speed, type: float64}"
        self.promises.change(lambda p: setattr(p, "is_filling", True))
        self.apply()
        self.writers[1].version = 2
        self.promise({1: (1, ["n", "score", "label"]), 2: (1, ["n", "score", "label", "speed"])})
        self.live("writers of source versions 1 and 2")
        self.fill()

        say("2. add with a default")
        defs.columns.append("{name: country, type: string}")
        self.promises.change(lambda p: setattr(p, "is_filling", True))
        defs.features["country"] = '{name: country, type: string, expr: "coalesce(country, \'xx\')", nullable: false}'
        self.expect_refused_plan()
        defs.features["country"] = (
            '{name: country, type: string, expr: "coalesce(country, \'xx\')", nullable: false, default: xx}')
        self.apply()
        self.writers[2].version = 3
        three = {
            1: (1, ["n", "score", "label"]), 2: (1, ["n", "score", "label", "speed"]),
            3: (1, ["n", "score", "label", "speed", "country"]),
        }
        self.promise(three)
        self.live("writers of source versions 1, 2 and 3; readers of view versions 1, 2 and 3")
        self.fill()

        say("3. widen")
        defs.features["score"] = "{name: score, type: int64}"
        self.expect_refused_plan()
        defs.compatibility = "backward"
        # Those who read the narrow score cannot read what is written next: they stop asking for it first.
        self.promise({version: (1, [f for f in fs if f != "score"]) for version, (_, fs) in three.items()})
        self.apply()
        self.promise({
            2: (1, ["n", "label", "speed"]), 3: (1, ["n", "label", "speed", "country"]),
            4: (1, ["n", "score", "label", "speed", "country"]),
        })
        self.live("an int64 score beside the int32 one")
        self.fill()

        say("4. rename")
        del defs.features["label"]
        defs.features["tag"] = "{name: tag, renamed_from: label, expr: label, type: string, expect: {max_length: 20}}"
        self.apply()
        self.promise({
            3: (1, ["n", "label", "country"]), 4: (1, ["n", "score", "label", "speed"]),
            5: (1, ["n", "score", "tag", "label", "speed"]),
        }, current=[1])
        self.live("both names")
        self.fill()

        say("5. remove")
        del defs.features["speed"]
        self.expect_refusal("removal_not_allowed", "plan", str(self.write()))
        self.promises.change(lambda p: setattr(p, "is_filling", True))
        self.apply("--allow-removals")
        # Rows written from now on lack it: readers of version 5 get null, as DEFAULTED says.
        self.promise({4: (1, ["n", "score", "label", "speed"]), 5: (1, ["n", "score", "tag"]), 6: (1, ["n", "score", "tag"])})
        self.live("readers of the removed feature")

        self.new_generation("6. retype", 2, score='{name: score, type: string, expr: "score::text"}')
        self.promise({5: (1, ["n", "score", "tag"]), 6: (1, ["n", "score", "tag"]), 7: (2, ["n", "score", "tag"])})
        self.new_generation("7. another key", 3, entity="account")
        self.promise({6: (1, ["n", "score", "tag"]), 7: (2, ["n", "score", "tag"]), 8: (3, ["n", "score", "tag"])})
        self.new_generation("8. recompute", 4, score='{name: score, type: string, expr: "(score * 10)::text"}')
        self.promise({6: (1, ["n", "score", "tag"]), 8: (3, ["n", "score", "tag"]), 9: (4, ["n", "score", "tag"])})
        self.live("four generations, all current")

        say("9. switch")
        self.switch_and_measure("switch", "activity", "--to-generation", "4", generation=4)
        self.live("the newest generation is read")
        say("10. roll back")
        self.switch_and_measure("rollback", "activity", generation=1)
        self.live("the first generation is read again")
        self.switch_and_measure("switch", "activity", "--to-generation", "4", generation=4)

        say("11. retire")
        self.expect_refusal("version_in_use", "retire", "activity@1")
        defs.pinned = "activity@6:n, activity@6:tag"
        self.apply()
        for version in (1, 2, 3):
            self.larder("retire", f"activity@{version}")
        self.larder("deprecate", "events@1", "--source")
        time.sleep(self.seconds)
        self.larder("retire", "events@1", "--source")
        self.live("writers of source version 1 are refused, and go on with version 2")

        say("12. drop")
        self.expect_refusal("generation_in_use", "drop", "activity", "--generation", "4")
        self.expect_refusal("generation_in_use", "drop", "activity", "--generation", "1")
        self.promise({6: (1, ["n", "score", "tag"]), 8: (3, ["n", "score", "tag"]), 9: (4, ["n", "score", "tag"])})
        self.drop(2)
        self.live("without generation 2")
        defs.pinned = "activity@9:n, activity@9:tag"
        self.apply()
        self.promise({8: (3, ["n", "score", "tag"]), 9: (4, ["n", "score", "tag"])})
        self.drop(1)
        self.live("without the first generation")

    def drop(self, generation):
        """A materialization under way may hold the table for longer than DDL waits."""
        for _ in range(10):
            outcome = self.larder("drop", "activity", "--generation", str(generation), check=False)
            if outcome.returncode == 0:
                return
            if "[registry_unavailable]" not in outcome.stderr:
                break
            self.tally.add("drops_repeated")
        raise RuntimeError(outcome.stderr)

    def write(self):
        self.definitions.write()
        return self.definitions.directory

    def new_generation(self, name, number, score=None, entity=None):
        say(name)
        defs = self.definitions
        defs.features["score"] = score or defs.features["score"]
        defs.entity = entity or defs.entity
        self.expect_refused_plan()
        defs.generation = number
        self.apply()
        self.live(f"generation {number} is filled beside the others")
        self.fill()

    # --- the end

    def check_everything(self):
        """Nothing was lost: every user's newest row is served, and every time in the past is answered right."""
        say("checking every user and a thousand times in the past")
        self.larder("materialize")
        client = Client(self.ports[0])
        for version, generation in ((8, 3), (9, 4)):
            features = ["n", "score", "tag"]
            _, answer = client.post(
                "/v1/projects/life/online-features",
                {"features": [f"activity@{version}:{f}" for f in features],
                 "entities": {"account": [account_of(u) for u in range(USERS)]}})
            values = [result["values"] for result in answer["results"][-3:]]
            for user in range(USERS):
                number = self.world.newest_of(user)
                expected = [self.world.value(f, number, generation) for f in features]
                found = [column[user] for column in values]
                if found != expected:
                    self.tally.complain("wrong_values", f"at the end, @{version} user {user}: {found}, not {expected}")
            last = self.world.next_number - 1
            pairs = [(n % USERS, 1 + n * 7919 % last) for n in range(1000)]
            rows = training_set(self.larder, self.directory, pairs, version, features)
            for (user, limit), row in zip(pairs, rows, strict=True):
                number = self.world.newest_of(user, until=limit)
                expected = [number and self.world.value(f, number, generation) for f in features]
                found = [parsed(f, row[f], generation) for f in features]
                if found != expected:
                    self.tally.complain("wrong_values", f"at the end, @{version} user {user} at {limit}: {found}, not {expected}")
        self.tally.add("values_checked_at_the_end", 2 * 3 * (USERS + 1000))

    def close(self):
        for actor in self.actors:
            actor.is_stopped.set()
        for server in self.servers:
            server.terminate()
            if server.wait() != 0:
                self.tally.complain("servers_failed", f"status {server.returncode}")

    def report(self):
        for name in ("wrong_values", "mixed_responses", "older_over_newer", "reads_failed", "training_sets_failed",
                     "writes_failed", "materializations_failed", "refusals_missing", "slow_switches", "servers_failed"):
            self.tally.counts.setdefault(name, 0)
        for name, count in sorted(self.tally.counts.items()):
            print(f"schema_life_{name} {count} count")
        print(f"schema_life_slowest_switch {max(self.switch_seconds, default=0):.3f} s")
        for complaint in self.tally.complaints:
            say(complaint[:2000])
        return 1 if self.tally.complaints else 0


class Drain(threading.Thread):
    """Reads what a server says, so that it never waits for somebody to."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream

    def run(self):
        for _ in self.stream:
            pass


def main():
    life = Life(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    try:
        life.run()
    except Exception as error:
        life.tally.complain("steps_failed", repr(error))
    finally:
        life.close()
    sys.exit(life.report())


if __name__ == "__main__":
    main()
