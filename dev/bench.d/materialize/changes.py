"""What is ingested after the first rows, and what is right then: by the rules alone, without Larder.

Of two rows of a user the newer one counts: that of the later event time, and of equal times the one that was ingested
later. A tombstone that counts says that the user is gone. A null that counts is the answer.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

import data
from views import KEY, TIME
from world import VIEW

DELETED = "__deleted"
SECOND = 1_000_000
# Of the features of a new row.
NULLS = 0.05
# What happens to which share of the users.
SHARES = {
    "newer": 0.33, "late": 0.33, "correction": 0.10, "tombstone": 0.06, "late_tombstone": 0.05, "newer_then_late": 0.05,
    "nothing": 0.08,
}


class History:
    """Every row, in the order in which they are ingested. Each user has at least one."""

    def __init__(self, rows):
        self.rows = rows.append_column(DELETED, pa.array(np.zeros(rows.num_rows, bool)))

    def add(self, rows):
        self.rows = pa.concat_tables([self.rows, rows]).combine_chunks()

    def newest(self):
        """The row that counts of each user, in their order."""
        users = self.rows[KEY].to_numpy()
        # The sort is stable: of equal times the row that was ingested last stays last.
        order = np.lexsort((microseconds(self.rows), users))
        is_last = np.append(users[order[1:]] != users[order[:-1]], True)
        return self.rows.take(pa.array(order[is_last])).combine_chunks()


def microseconds(rows):
    return rows[TIME].cast(pa.int64()).to_numpy()


def null_where(mask, column):
    return pc.if_else(mask, pa.scalar(None, column.type), column)


def answers_of(newest):
    """What is to be read of each user when these rows count: neither a value nor a time of one who is gone."""
    columns = {KEY: newest[KEY], DELETED: newest[DELETED]}
    for name in (TIME, *VIEW.names):
        columns[name] = null_where(newest[DELETED], newest[name])
    return pa.table(columns)


def draw(rng, newest):
    """Rows for many of the users, in random order, given what counts until then.

    A newer row is at most a second newer than all there are. A late row is up to a day older than what counts, a
    correction is of the same time. Of some users the file has a late row behind the newer one.
    """
    times = microseconds(newest)
    limit = times.max() + SECOND
    kinds = rng.choice(len(SHARES), len(times), p=list(SHARES.values()))

    def rows(kind, is_newer, is_deleted=False):
        users = np.flatnonzero(kinds == list(SHARES).index(kind))
        if is_newer:
            moments = times[users] + 1 + (rng.random(len(users)) * (limit - times[users])).astype(np.int64)
        else:
            moments = times[users] - rng.integers(1, data.DAY, len(users))
        return users, moments, np.full(len(users), is_deleted)

    users = np.flatnonzero(kinds == list(SHARES).index("correction"))
    first = _joined(
        rows("newer", True), rows("late", False), (users, times[users], np.zeros(len(users), bool)),
        rows("tombstone", True, is_deleted=True), rows("late_tombstone", False, is_deleted=True),
        rows("newer_then_late", True))
    order = rng.permutation(len(first[0]))
    return _table(rng, *_joined([column[order] for column in first], rows("newer_then_late", False)))


def _joined(*parts):
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def _table(rng, users, moments, is_deleted):
    features = pa.table({name: data.values(rng, name, kind, len(users)) for name, kind in VIEW.features})
    columns = {KEY: pa.array(users), TIME: pa.array(moments).cast(pa.timestamp("us", tz="UTC"))}
    for name in VIEW.names:
        columns[name] = null_where(pa.array(is_deleted | (rng.random(len(users)) < NULLS)), features[name])
    return pa.table(columns | {DELETED: pa.array(is_deleted)})


def write(path, rows):
    with ipc.new_file(str(path), rows.schema) as writer:
        writer.write_table(rows, max_chunksize=1 << 16)
