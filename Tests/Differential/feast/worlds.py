"""Worlds that both sides are asked about: tables of features, and a spine. A seed makes the same world again.

In these worlds Feast is right: no two keys read alike when written one after the other, and no two rows of a key have
the same event time and created time. What happens where they do is in faults.py.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
# Times are few, so that rows often happen at the very time that is asked for, or exactly a ttl before.
STEP = timedelta(minutes=30)
STEPS = 400

KEYS = [
    {"user_id": "int64"},
    {"code": "string"},
    {"shop": "string", "item": "int64"},
    {"region": "string", "shop": "string", "item": "int64"},
]
FEATURES = {"amount": "int64", "score": "float64", "label": "string", "is_new": "bool"}
SOME_FLOATS = [0.1, -2.5, 1e300, 5e-324, float("inf"), float("nan")]
SOME_STRINGS = ["", "a", "A", "null", "ä€😀", "two words", "it's", '"quoted"', "back\\slash", "line\nbreak"]


@dataclass
class View:
    name: str
    keys: dict
    ttl: timedelta | None
    has_created: bool
    # Tuples of keys, event time, created time or None, and features. In the order in which they were written.
    rows: list = field(default_factory=list)
    # How Larder gets the rows: it reads the table that Feast reads, or ingests them in their order.
    is_ingested: bool = False
    # What the table has: times with a zone, or times without one, which are meant in UTC.
    has_zone: bool = True


@dataclass
class World:
    name: str
    keys: dict
    views: list
    # Tuples of keys and time. A row's number is its place.
    spine: list


def key_of(rng, kind):
    """Values of equal length: the end of one cannot be the beginning of another."""
    number = rng.randrange(10, 16)
    return number if kind == "int64" else f"k{number}"


def value_of(rng, kind):
    if rng.random() < 0.15:
        return None
    if kind == "int64":
        return rng.choice([0, -1, 2**63 - 1, -(2**63), rng.randrange(-1000, 1000)])
    if kind == "float64":
        return rng.choice([*SOME_FLOATS, rng.uniform(-1, 1)])
    if kind == "string":
        return rng.choice(SOME_STRINGS)
    return rng.random() < 0.5


def time_of(rng):
    return START + rng.randrange(STEPS) * STEP


def row_of(rng, keys, has_created):
    event = time_of(rng)
    # Some rows are recorded long after what they tell of, and corrections have the event time of what they correct.
    created = event + rng.choice([0, 1, 5, 300]) * STEP if has_created else None
    return (*(key_of(rng, kind) for kind in keys.values()), event, created,
            *(value_of(rng, kind) for kind in FEATURES.values()))


def view_of(rng, name, keys):
    has_created = rng.random() < 0.5
    ttl = rng.choice([None, STEP, timedelta(hours=7), timedelta(days=3)])
    view = View(name, keys, ttl, has_created)
    seen = set()
    for _ in range(rng.choice([0, 1, 30, 300])):
        row = row_of(rng, keys, has_created)
        identity = row[:len(keys) + 2]
        if identity not in seen:
            seen.add(identity)
            view.rows.append(row)
    return view


def spine_row_of(rng, keys, is_first):
    """Keys that a table does not have, and null keys, are in it as well. Feast does not take a column of nulls only,
    so the first row has none."""
    row = [key_of(rng, kind) for kind in keys.values()]
    place = rng.randrange(len(row))
    if rng.random() < 0.05:
        row[place] = 99 if list(keys.values())[place] == "int64" else "nobody"
    elif rng.random() < 0.05 and list(keys.values())[place] == "string" and not is_first:
        row[place] = None
    return (*row, time_of(rng))


def world_of(seed):
    rng = random.Random(seed)
    keys = rng.choice(KEYS)
    views = [view_of(rng, f"w{seed}_v{number}", keys) for number in range(rng.choice([1, 1, 2, 3]))]
    spine = [spine_row_of(rng, keys, number == 0) for number in range(rng.choice([1, 20, 200]))]
    return World(f"w{seed}", keys, views, spine)
