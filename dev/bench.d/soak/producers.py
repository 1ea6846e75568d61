"""Those who make rows: in order, late, corrected, deleted. Each entity has one producer, so that its rows have an order."""

import time

from world import ACCOUNTS, BEGINNING, HEARTBEATS, POSITIONS, SECOND, SHOPS, Row, text_of


class Moves:
    """Rows of `positions`: new ones, late ones, a second one of the same event time, and tombstones."""

    view = POSITIONS

    def __init__(self, accounts, random):
        self.accounts, self.random = accounts, random
        self.counts = dict.fromkeys(accounts, 0)
        self.latest = dict.fromkeys(accounts, BEGINNING)

    def rows(self, version):
        accounts = self.random.sample(self.accounts, self.random.randint(1, 8))
        return [self._row(account, version) for account in accounts for _ in range(self.random.choice((1, 1, 1, 2, 3)))]

    def _row(self, account, version):
        kind = self.random.choices(("new", "late", "same", "deleted"), (75, 10, 8, 7))[0]
        event = self.latest[account]
        if kind == "new":
            event += self.random.randint(1, 5 * SECOND)
        elif kind == "late":
            event -= self.random.randint(1, 60 * SECOND)
        elif kind == "deleted":
            event += SECOND
        self.latest[account] = max(event, self.latest[account])
        self.counts[account] += 1
        count = self.counts[account]
        return Row((account,), count * ACCOUNTS + account, event, 0, count, version, is_tombstone=kind == "deleted")

    def document(self, row):
        document = {"account_id": row.key[0], "at": text_of(row.event)}
        document |= {name: value(row) for name, value in self.view.features.items()}
        if row.version >= 2:
            name, value = self.view.added
            document[name] = value(row)
        if row.is_tombstone:
            document["__deleted"] = True
        return document


class Beats:
    """Rows of `heartbeats`, which are of now and soon too old."""

    view = HEARTBEATS

    def __init__(self, accounts, random):
        self.accounts, self.random = accounts, random
        self.counts = dict.fromkeys(accounts, 0)
        self.latest = dict.fromkeys(accounts, 0)

    def rows(self, _):
        """Of version 1, which is the only one of the view."""
        return [self._row(account) for account in self.random.sample(self.accounts, self.random.randint(1, 8))]

    def _row(self, account):
        event = max(self.latest[account] + 1, time.time_ns() // 1000)
        self.latest[account] = event
        self.counts[account] += 1
        count = self.counts[account]
        return Row((account,), count * ACCOUNTS + account, event, 0, count, 1)

    def document(self, row):
        return {"account_id": row.key[0], "at": text_of(row.event)} | {
            name: value(row) for name, value in self.view.features.items()}


class Visits:
    """Rows of the table source. A later record of a visit replaces the former one, wherever its event time goes; an earlier
    record that comes late replaces nothing."""

    def __init__(self, random):
        self.random = random
        self.latest = dict.fromkeys(SHOPS, BEGINNING)
        self.visits = {shop: [] for shop in SHOPS}
        self.event_of = {}
        self.count = 0

    def rows(self, version):
        return [self._row(version) for _ in range(self.random.randint(20, 60))]

    def _row(self, version):
        self.count += 1
        place = self.random.randrange(len(SHOPS))
        shop = SHOPS[place]
        kind = self.random.choices(("new", "late", "corrected", "outdated", "deleted"), (55, 10, 20, 5, 10))[0]
        if kind in ("corrected", "outdated") and not self.visits[shop]:
            kind = "new"
        recorded = BEGINNING + self.count * 1000
        event = self.latest[shop]
        if kind in ("corrected", "outdated"):
            visit = self.random.choice(self.visits[shop])
            event = self.event_of[visit] + self.random.choice((0, 0, 2, -30)) * SECOND
        else:
            visit = self.count
            self.visits[shop].append(visit)
            event += self.random.randint(-60 * SECOND, -1) if kind == "late" else self.random.randint(1, 5 * SECOND)
        if kind == "outdated":
            recorded = BEGINNING - self.random.randint(1, 3600) * SECOND
        else:
            self.event_of[visit] = event
            self.latest[shop] = max(event, self.latest[shop])
        return Row(
            shop, self.count * len(SHOPS) + place, event, recorded, self.count, version, kind == "deleted", visit)

    def columns(self, version):
        columns = ["region", "shop", "visit_id", "visited_at", "recorded_at", "number", "note"]
        return columns + ["rating"] * (version >= 2) + ["__deleted"]

    def record(self, row, view):
        """The row's fields, in the order of the columns."""
        note = view.features["note"](row)
        fields = [*row.key, row.visit, text_of(row.event), text_of(row.recorded), row.number, note]
        if row.version >= 2:
            fields.append(view.added[1](row))
        return fields + ["true" if row.is_tombstone else "false"]
