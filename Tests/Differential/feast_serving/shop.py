"""A small shop: its feature views, random rows for them, and what an online answer has to be."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

DAY = timedelta(days=1)
# Beyond its ttl a value is told to be too old for so long, and then not to be there.
GRACE = timedelta(days=7)
CUSTOMERS = range(1, 61)
# Nobody has written anything of the last few.
ASKED_CUSTOMERS = range(1, 66)
# Old, at the edges of the ttl and the grace, and of now. None is so near to an edge that the check's own time matters.
AGES = [timedelta(minutes=1), timedelta(hours=1), timedelta(hours=23), timedelta(hours=25), 3 * DAY, 7.9 * DAY, 9 * DAY]


@dataclass
class View:
    name: str
    keys: dict
    features: dict
    source: str
    is_push: bool = False
    ttl: timedelta | None = None
    time: str = "event_timestamp"
    created: str | None = None
    # Dictionaries by column, in the order in which they were written.
    rows: list = field(default_factory=list)

    def key_of(self, row):
        return tuple(row[name] for name in self.keys)

    def newest(self, key, now, among=lambda row: True):
        """The row that counts: the greatest event time, then created time, then the one written last."""
        found = [
            (row[self.time], row.get(self.created) or datetime.min.replace(tzinfo=timezone.utc), number, row)
            for number, row in enumerate(self.rows)
            if self.key_of(row) == key and row[self.time] <= now and among(row)]
        return max(found)[3] if found else None

    def truth(self, key, feature, now, among=lambda row: True):
        """Value, status and event time of a feature; Feast's clients take 1970 for no time."""
        row = self.newest(key, now, among)
        if row is None:
            return None, "NOT_FOUND", None
        age = now - row[self.time]
        if self.ttl is not None and age > self.ttl + GRACE:
            return None, "NOT_FOUND", None
        if self.ttl is not None and age > self.ttl:
            return None, "OUTSIDE_MAX_AGE", row[self.time]
        if row[feature] is None:
            return None, "NULL_VALUE", row[self.time]
        return row[feature], "PRESENT", row[self.time]


def shop():
    customer = {"customer_id": "int64"}
    views = [
        View("purchases", customer, {
            "amount": "float64", "items": "int64", "country": "string", "is_new": "bool", "last_login": "timestamp",
            "tags": "array<string>"}, source="purchases", ttl=DAY),
        View("stock", {"shop": "string", "item": "int64"}, {"on_hand": "int32"}, source="stock"),
        View("scores", customer, {"score": "float64", "label": "string"}, source="score_stream", is_push=True, ttl=DAY,
             created="created"),
        View("levels", customer, {"level": "int64"}, source="score_stream", is_push=True, created="created"),
        # Its time has another name than the one that Feast's client sends.
        View("clicks", customer, {"clicks": "int64", "seen": "timestamp"}, source="click_stream", is_push=True,
             time="at"),
    ]
    return {view.name: view for view in views}


def definitions(views):
    documents = [
        {"kind": "project", "name": "shop"},
        {"kind": "entity", "name": "customer", "join_keys": [{"name": "customer_id", "type": "int64"}]},
        {"kind": "entity", "name": "shelf", "join_keys": [
            {"name": "shop", "type": "string"}, {"name": "item", "type": "int64"}]},
    ]
    sources = {}
    for view in views.values():
        columns = sources.setdefault(view.source, (view, {}))[1]
        columns |= view.keys | {view.time: "timestamp"} | ({view.created: "timestamp"} if view.created else {})
        columns |= view.features
    for name, (view, columns) in sources.items():
        source = {"kind": "source", "name": name, "type": "push" if view.is_push else "table", "timestamp": view.time}
        source["columns"] = [{"name": column, "type": kind} for column, kind in columns.items()]
        documents.append(source | ({"created_timestamp": view.created} if view.created else {}))
    for view in views.values():
        document = {
            "kind": "feature_view", "name": view.name, "source": view.source,
            "entities": ["shelf" if "shop" in view.keys else "customer"],
            "features": [{"name": name, "type": kind} for name, kind in view.features.items()]}
        documents.append(document | ({"ttl": f"{int(view.ttl.total_seconds())}s"} if view.ttl else {}))
    documents.append({
        "kind": "feature_service", "name": "checkout", "features": ["purchases:*", "scores:score"]})
    return documents


def value_of(rng, kind, is_push):
    """Feast's client cannot take an empty list out of an answer, nor send NaN, so neither is here. Integers that it
    writes go through a double where one of them is null, so these are small."""
    if rng.random() < 0.2:
        return None
    if kind in ("int32", "int64"):
        limit = 2**31 if kind == "int32" or is_push else 2**63
        return rng.choice([0, -1, limit - 1, -limit, rng.randrange(-1000, 1000)])
    if kind == "float64":
        return rng.choice([0.1, -2.5, 1e300, 5e-324, rng.uniform(-1, 1)])
    if kind == "string":
        return rng.choice(["", "a", "null", "ä€😀", '"quoted"', "line\nbreak"])
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "timestamp":
        # Feast has whole seconds.
        return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=rng.randrange(10_000_000))
    return [rng.choice(["a", "b", "ü"]) for _ in range(rng.choice([1, 3]))]


def row_of(rng, view, now, ages=tuple(AGES)):
    """A random row of any age; a fraction of a second makes times in answers have one, too."""
    row = {"customer_id": rng.choice(CUSTOMERS)} if "customer_id" in view.keys else {
        "shop": rng.choice(["a", "b"]), "item": rng.randrange(1, 9)}
    row[view.time] = now - rng.choice(ages) - timedelta(microseconds=rng.choice([0, 500_000, 123_456]))
    if view.created:
        row[view.created] = row[view.time] + timedelta(minutes=rng.choice([0, 5]))
    return row | {name: value_of(rng, kind, view.is_push) for name, kind in view.features.items()}


def rows_of(seed, view, now, count, ages=tuple(AGES)):
    """Random rows, no two of one key with equal times: which of those was written last only Larder's own paths say."""
    rng = random.Random(seed)
    rows = {}
    for _ in range(count):
        row = row_of(rng, view, now, ages)
        rows.setdefault((view.key_of(row), row[view.time], row.get(view.created)), row)
    return list(rows.values())
