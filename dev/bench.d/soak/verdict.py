"""Whether what was read of one entity is one of the answers that were right at that moment."""

from typing import NamedTuple

from world import time_of


class Cell(NamedTuple):
    value: object
    status: str
    # As text; none where no row answers.
    event: object


ABSENT = Cell(None, "NOT_FOUND", None)
INVALID = Cell(None, "INVALID_KEY", None)


class Asked(NamedTuple):
    """One entity of one view in a request."""

    view: object
    key: tuple
    # Of the view's history, from before the request was sent.
    floor: object
    # By this machine's clock, in microseconds since 1970: the server has judged ages in between.
    begin: int
    end: int
    # Whether rows of the former version may not have been computed again yet.
    may_default: bool


def fault_of(asked, cells, history):
    """What is wrong with the cells, by feature, of one entity; nothing where they are right."""
    if None in asked.key:
        return None if all(cell == INVALID for cell in cells.values()) else f"a null key: {cells}"
    candidates = history.candidates(asked.key, asked.floor)
    mismatch = "nobody wrote it, or it is older than what was visible"
    for mark, row in candidates:
        if not _is_meant(asked, cells, row):
            continue
        mismatch = _mismatch(asked, cells, row)
        if mismatch is None:
            history.saw(asked.key, mark)
            return None
    return f"{mismatch}: {cells}; allowed are {[row for _, row in candidates[:5]]} ({len(candidates)} in all)"


def _is_meant(asked, cells, row):
    """Whether the answer claims to be of the row; or, without one, that there is none."""
    identity = cells[asked.view.identity]
    if identity.status == "NOT_FOUND":
        return row is None or row.is_tombstone
    if row is None or row.is_tombstone:
        return False
    if identity.status == "OUTSIDE_MAX_AGE":
        return identity.event is not None and time_of(identity.event) == row.event
    return identity.value == row.number


def _mismatch(asked, cells, row):
    """Why the answer is not what the row, or its absence, would give; nothing when it is."""
    view = asked.view
    status = cells[view.identity].status
    if status == "NOT_FOUND":
        return None if all(cell == ABSENT for cell in cells.values()) else "features disagree"
    if any(cell.event is None or time_of(cell.event) != row.event for cell in cells.values()):
        return "another event time"
    if status == "OUTSIDE_MAX_AGE":
        if any(cell[:2] != (None, status) for cell in cells.values()):
            return "features disagree"
        return None if view.ttl and row.event < asked.end - view.ttl else "not too old yet"
    if view.ttl and row.event < asked.begin - view.ttl:
        return "too old"
    for feature, cell in cells.items():
        allowed = view.allowed(feature, row, asked.may_default)
        if not any(_is_equal(cell, pair) for pair in allowed):
            return f"{feature} of row {row.number} is none of {allowed}"
    return None


def _is_equal(cell, pair):
    value, status = pair
    return cell.status == status and cell.value == value and isinstance(cell.value, bool) == isinstance(value, bool)
