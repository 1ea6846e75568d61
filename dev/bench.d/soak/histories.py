"""The oracle: which rows of an entity may be the one that is read, given what is known to be visible.

Readers take an entity's floor before they ask, and what they read has to be among the candidates above it: rows that may be
visible count from before they are sent on, rows that must be from after the answer. Whatever anybody has read raises the
floor for those who ask after that.
"""

import threading


class PushedRows:
    """A view that rows are pushed into. Of the rows of one push that are of one entity, only the newest is ever visible."""

    # Readers under way may still see what was the newest this many rows ago.
    KEPT = 200

    class Entity:
        __slots__ = ("committed", "floor", "rows")

        def __init__(self):
            self.rows = {}
            self.floor = None
            self.committed = None

    def __init__(self):
        self.lock = threading.Lock()
        self.entities = {}

    def begin(self, rows):
        """The rows of a push that is about to be sent. Returns those that count."""
        newest = {}
        for row in rows:
            if row.key not in newest or row.order > newest[row.key].order:
                newest[row.key] = row
        with self.lock:
            for row in newest.values():
                entity = self.entities.setdefault(row.key, self.Entity())
                entity.rows[row.number] = row
                self._prune(entity)
        return list(newest.values())

    def _prune(self, entity):
        while len(entity.rows) > self.KEPT and entity.floor is not None:
            number, oldest = next(iter(entity.rows.items()))
            if oldest.order >= entity.floor.order:
                return
            del entity.rows[number]

    def commit(self, rows):
        """The rows stand: whoever publishes the view from now on publishes them."""
        with self.lock:
            for row in rows:
                entity = self.entities[row.key]
                entity.committed = _newer(row, entity.committed)

    def publish(self, rows):
        """The rows are visible."""
        with self.lock:
            for row in rows:
                self._raise(row)

    def _raise(self, row):
        entity = self.entities[row.key]
        entity.floor = _newer(row, entity.floor)

    def committed(self):
        """What a materialization that begins now makes visible: for `publish_all`."""
        with self.lock:
            return [entity.committed for entity in self.entities.values() if entity.committed is not None]

    def publish_all(self, committed):
        self.publish(committed)

    def floor(self, key):
        with self.lock:
            entity = self.entities.get(key)
            return entity.floor if entity else None

    def candidates(self, key, floor):
        """What may be read by one who asked when `floor` held: pairs of a mark for `saw` and a row or none, oldest first."""
        with self.lock:
            entity = self.entities.get(key)
            rows = list(entity.rows.values()) if entity else []
        if floor is None:
            return [(None, None)] + [(row, row) for row in sorted(rows, key=lambda row: row.order)]
        rows = [row for row in rows if row.order >= floor.order]
        return [(row, row) for row in sorted(rows, key=lambda row: row.order)]

    def saw(self, key, mark):
        """Somebody has read it."""
        if mark is not None:
            self.publish([mark])


class IngestedRows:
    """A view that is computed from a table, batch by batch: what is visible of an entity is how it was after some batch.

    A correction may bring back what was visible before, so that an entity's states are told apart by the number of the batch.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.live = {}
        self.visits = {}
        # Of each entity the batches that changed its winner, with the winner.
        self.changes = {}
        self.seen = {}
        self.batch = 0
        self.committed_batch = 0
        self.published_batch = 0

    def begin(self, rows):
        """The rows of a batch that is about to be ingested. There is one at a time."""
        with self.lock:
            self.batch += 1
            for row in rows:
                current = self.live.get(row.visit)
                if current is None or (row.recorded, row.sequence) > (current.recorded, current.sequence):
                    self.live[row.visit] = row
                self.visits.setdefault(row.key, set()).add(row.visit)
            for key in {row.key for row in rows}:
                winner = max((self.live[visit] for visit in self.visits[key]), key=lambda row: row.order)
                changes = self.changes.setdefault(key, [(0, None)])
                if changes[-1][1] != winner:
                    changes.append((self.batch, winner))

    def commit(self):
        with self.lock:
            self.committed_batch = self.batch

    def committed(self):
        with self.lock:
            return self.committed_batch

    def publish_all(self, batch):
        with self.lock:
            self.published_batch = max(batch, self.published_batch)

    def floor(self, key):
        with self.lock:
            return max(self.published_batch, self.seen.get(key, 0))

    def candidates(self, key, floor):
        """As of `PushedRows`; the marks are batches."""
        with self.lock:
            changes = list(self.changes.get(key, [(0, None)]))
        first = max(place for place, (batch, _) in enumerate(changes) if batch <= floor)
        return [(max(batch, floor), row) for batch, row in changes[first:]]

    def saw(self, key, mark):
        with self.lock:
            self.seen[key] = max(mark, self.seen.get(key, 0))


def _newer(row, other):
    return row if other is None or row.order > other.order else other
