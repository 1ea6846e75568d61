"""A training job that asks for historical features of the promised versions, again and again."""

import csv
import random

from actors import Actor
from world import USERS, account_of, text_of, time_of, user_of


def spine_file(path, pairs):
    """A spine of (user, row number whose time is asked for)."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "account", "event_timestamp"])
        for user, number in pairs:
            writer.writerow([user, account_of(user), text_of(time_of(number))])


def training_set(larder, directory, pairs, version, features):
    """The frame of a version's features, as dictionaries of text."""
    spine, out = directory / f"spine-{version}.csv", directory / f"frame-{version}.csv"
    spine_file(spine, pairs)
    references = ",".join(f"activity@{version}:{name}" for name in features)
    larder("training-set", "create", "--spine", str(spine), "--out", str(out), "--features", references)
    with open(out, newline="") as file:
        return list(csv.DictReader(file))


def parsed(name, text, generation):
    if text == "":
        return None
    if name == "n" or (name == "score" and generation == 1):
        return int(text)
    return float(text) if name == "speed" else text


class Trainer(Actor):
    word = "training_sets"

    def __init__(self, tally, world, larder, directory, promises, seed):
        super().__init__(tally)
        self.world, self.larder, self.directory, self.promises = world, larder, directory, promises
        self.random = random.Random(seed)

    def act(self):
        last = self.world.next_number - 1
        if last < 1:
            return
        with self.promises as (versions, _, was_filling):
            if not versions:
                return
            version = self.random.choice(sorted(versions))
            generation, features = versions[version]
            pairs = [(self.random.randrange(USERS), self.random.randint(1, last)) for _ in range(30)]
            rows = training_set(self.larder, self.directory, pairs, version, features)
            may_default = was_filling or self.promises.is_filling
        for (user, limit), row in zip(pairs, rows, strict=True):
            if row["n"] == "":
                continue
            number = int(row["n"])
            if number > limit or user_of(number) != user:
                self.tally.complain("wrong_values", f"training @{version}: user {user} at {limit} got row {number}")
                continue
            for name in features:
                value, expected = parsed(name, row[name], generation), self.world.value(name, number, generation)
                is_filled_in = may_default and name in ("speed", "country") and value in (None, "xx")
                if value != expected and not is_filled_in:
                    self.tally.complain("wrong_values", f"training @{version} row {number} {name}: {value}")
        self.tally.add("training_sets")
