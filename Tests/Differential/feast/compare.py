"""compare.py LARDER DIRECTORY: asks Larder and Feast for the same training sets, and a naive oracle who is right.

Larder has to be right everywhere; Feast everywhere but in the worlds of faults.py that say so. When Feast is right in
one of these as well, this fails too, for then what is said of it there is not true any more.

LARDER_DIFFERENTIAL_WORLDS (60) is the number of random worlds, LARDER_DIFFERENTIAL_SEED (1) the first one's seed.
"""

import os
import struct
import sys
from pathlib import Path

import oracle
import tables
from ask_feast import Feast
from ask_larder import Larder
from faults import FAULTS
from worlds import world_of


def plain(value):
    """Floats by their bits, so that a zero's sign counts; every NaN is the same."""
    if isinstance(value, float):
        return "NaN" if value != value else struct.pack(">d", value)
    return value


def canonical(answer):
    return [sorted(repr([plain(value) for value in row]) for row in rows) for rows in answer]


def differences(found, right):
    """The numbers of the spine's rows with another answer than the right one."""
    pairs = zip(canonical(found), canonical(right), strict=True)
    return [number for number, (one, other) in enumerate(pairs) if one != other]


def text_of(rows):
    return " and ".join(f"({', '.join(map(str, row))})" for row in rows) or "no row"


def show(world, answers):
    """What everybody says to each spine row that they do not agree on; few of them."""
    numbers = {number for answer in answers.values() for number in differences(answer, answers["oracle"])}
    for number in sorted(numbers)[:5]:
        print(f"    spine row {number}: {', '.join(map(str, world.spine[number]))}")
        for name, answer in answers.items():
            print(f"      {name:7} {text_of(answer[number])}")


class Judge:
    def __init__(self, larder, feast):
        self.sides = [larder, feast]
        self.failures = 0

    def ask(self, world):
        return {"oracle": oracle.answer(world)} | {side.name: side.answer(world) for side in self.sides}

    def fail(self, world, what, answers):
        self.failures += 1
        print(f"FAILED {world.name}: {what}")
        show(world, answers)

    def expect_equal(self, world):
        answers = self.ask(world)
        wrong = [name for name, answer in answers.items() if differences(answer, answers["oracle"])]
        if wrong:
            self.fail(world, f"{' and '.join(wrong)} differ from the oracle", answers)

    def expect_fault(self, world, why):
        answers = self.ask(world)
        if differences(answers["Larder"], answers["oracle"]):
            self.fail(world, "Larder is wrong", answers)
        elif not differences(answers["Feast"], answers["oracle"]):
            self.fail(world, "Feast is right now: change what faults.py says", answers)
        else:
            print(f"\n{world.name}: Larder is right, Feast is not. {why}")
            show(world, answers)


def main():
    binary, directory = sys.argv[1], Path(sys.argv[2])
    owner, source = os.environ["LARDER_POSTGRES_URL"], os.environ["LARDER_POSTGRES_SOURCE_URL"]
    first, count = int(os.environ.get("LARDER_DIFFERENTIAL_SEED", 1)), int(os.environ.get("LARDER_DIFFERENTIAL_WORLDS", 60))
    random_worlds = [world_of(seed) for seed in range(first, first + count)]
    worlds = random_worlds + [fault.world for fault in FAULTS]
    tables.create(owner, source, [view for world in worlds for view in world.views])
    larder, feast = Larder(binary, directory), Feast(owner, directory)
    # What Larder computes does not depend on it.
    tables.set_time_zone(owner, "America/New_York")
    larder.set_up(worlds)
    feast.set_up(worlds)

    judge = Judge(larder, feast)
    tables.set_time_zone(owner, "UTC")
    for world in random_worlds:
        judge.expect_equal(world)
    print(f"{sum(len(world.spine) for world in random_worlds)} spine rows of {count} random worlds compared")
    for fault in FAULTS:
        tables.set_time_zone(owner, fault.zone)
        if fault.why:
            judge.expect_fault(fault.world, fault.why)
        else:
            judge.expect_equal(fault.world)
            print(f"\n{fault.world.name}: both are right")
    sys.exit(f"error: {judge.failures} worlds failed" if judge.failures else 0)


if __name__ == "__main__":
    main()
