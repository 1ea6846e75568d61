"""Worlds in which Feast 0.67.0 was suspected of wrong answers: those where it gives one, and those where it does not."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from worlds import View, World

NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


@dataclass
class Fault:
    world: World
    # What Feast does, and why it is wrong. Without it Feast is right.
    why: str | None
    # The time zone of PostgreSQL's sessions.
    zone: str = "UTC"


def features(number):
    return (number, number / 2, f"row {number}", number % 2 == 0)


def world(name, keys, rows, spine, ttl=None, has_created=False, **how):
    view = View(f"{name}_view", keys, ttl, has_created, rows, **how)
    return World(name, keys, [view], spine)


def keys_that_read_alike(name, keys, first, second):
    return world(
        name, keys,
        [(*first, NOON - HOUR, None, *features(1)), (*second, NOON - 2 * HOUR, None, *features(2))],
        [(*first, NOON), (*second, NOON)])


def times_without_zone(name):
    return world(
        name, USER, [(7, NOON - HOUR, None, *features(1)), (7, NOON + HOUR, None, *features(2))],
        [(7, NOON), (7, NOON + 10 * HOUR)], has_zone=False)


USER = {"user_id": "int64"}

FAULTS = [
    Fault(
        keys_that_read_alike("alike_numbers", {"warehouse": "int64", "shelf": "int64"}, (1, 12), (11, 2)),
        "A spine row is told from others by its keys and time written one after the other: (1, 12) and (11, 2) are both 112, "
        "and what belongs to one of them is given to both."),
    Fault(
        keys_that_read_alike("alike_strings", {"brand": "string", "model": "string"}, ("x|", "y"), ("x", "|y")),
        "The same with strings, which a separator between the keys would not help as long as keys can hold it."),
    Fault(
        world(
            "equal_times", USER, [(7, NOON - HOUR, None, *features(1)), (7, NOON - HOUR, None, *features(2))], [(7, NOON)],
            is_ingested=True),
        "One spine row becomes two: the newest time is joined with the rows once more, and two rows have it. Right is the one "
        "that was written last."),
    Fault(
        world(
            "equal_created_times", USER,
            [(7, NOON - HOUR, NOON, *features(1)), (7, NOON - HOUR, NOON, *features(2)), (7, NOON - HOUR, NOON - HOUR, *features(3))],
            [(7, NOON), (7, NOON + HOUR)], has_created=True, is_ingested=True),
        "The same when the created times are equal as well."),
    Fault(
        world(
            "no_created_time", USER, [(7, NOON - 2 * HOUR, NOON - HOUR, *features(1)), (7, NOON - HOUR, None, *features(2))],
            [(7, NOON)], has_created=True),
        "A row whose created time is not known counts for nothing, and an older one is the answer: its null is compared "
        "with itself, which is never true."),
    Fault(
        times_without_zone("zone_of_new_york"),
        "A table has times without a zone, meant in UTC. They are compared in the zone of the session, which Feast does not "
        "set: the same question has another answer where PostgreSQL's zone is another one, as the next world shows.",
        zone="America/New_York"),
    Fault(times_without_zone("zone_of_utc"), None),
    Fault(
        world(
            "same_row_twice", USER, [(7, NOON - HOUR, None, *features(1)), (8, NOON - HOUR, None, *features(2))],
            [(7, NOON), (8, NOON), (7, NOON), (7, NOON)]),
        None),
    Fault(
        # New York's clocks went back on that day: 01:30 was twice.
        world(
            "hour_that_is_twice", USER,
            [(7, datetime(2025, 11, 2, hour, 15, tzinfo=timezone.utc), None, *features(hour)) for hour in (4, 5, 6, 7)],
            [(7, datetime(2025, 11, 2, hour, 30, tzinfo=timezone.utc)) for hour in (4, 5, 6, 7)], ttl=timedelta(days=1)),
        None, zone="America/New_York"),
]
