"""Everybody in turn, round after round."""

from collections import defaultdict
from statistics import median

from report import say


def in_turn(count, sides, form=".0f"):
    """Runs the sides one after the other, `count` times.

    `sides` has by name what takes a round's number and returns a figure. Returns the median of each.
    """
    measured = defaultdict(list)
    for turn in range(count):
        for name, measure in sides.items():
            measured[name].append(measure(turn))
    for name, figures in measured.items():
        say(f"   {name}: {', '.join(f'{figure:{form}}' for figure in figures)}")
    return {name: median(figures) for name, figures in measured.items()}


def choose_rows(rows, wanted):
    """The rows of a benchmark that were asked for; all of them without a name."""
    unknown = set(wanted) - set(rows)
    if unknown:
        raise SystemExit(f"error: no such row: {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    return {name: measure for name, measure in rows.items() if not wanted or name in wanted}
