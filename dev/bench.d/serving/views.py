"""Feature views of users, with ten features each, as Larder's definitions say it: the peers have the same."""

from dataclasses import dataclass

import yaml

KEY, TIME = "user_id", "event_timestamp"
# Longer than any stack is kept.
TTL_DAYS = 365
# Until when Larder answers OUTSIDE_MAX_AGE; an online value is kept for so much longer.
GRACE_DAYS = 7


@dataclass(frozen=True)
class View:
    name: str
    # Pairs of a name and a type, in Larder's words.
    features: tuple
    source_type: str = "table"

    @property
    def names(self):
        return [name for name, _ in self.features]


def floats(number):
    """A view of ten float64 features, whose names no other view has."""
    return View(f"stats_{number}", tuple((f"stat_{number}_{place}", "float64") for place in range(10)))


def mixed(name, source_type="table"):
    """A view of ten features of several types."""
    return View(name, source_type=source_type, features=(
        ("txn_cnt_7d", "int64"), ("txn_amt_7d", "float64"), ("txn_amt_30d", "float64"), ("avg_ticket", "float64"),
        ("days_since_login", "int64"), ("sessions_24h", "int64"), ("country", "string"), ("device", "string"),
        ("is_premium", "bool"), ("risk_score", "float64")))


def documents(views, services):
    """The definitions. `services` has the views of each feature service by its name."""
    yield {"kind": "project", "name": "bench"}
    yield {"kind": "entity", "name": "user", "join_keys": [{"name": KEY, "type": "int64"}]}
    for view in views:
        features = [{"name": name, "type": kind} for name, kind in view.features]
        keys = [{"name": name, "type": kind, "nullable": False} for name, kind in ((KEY, "int64"), (TIME, "timestamp"))]
        yield {
            "kind": "source", "name": view.name, "type": view.source_type, "columns": keys + features,
            "timestamp": TIME}
        yield {
            "kind": "feature_view", "name": view.name, "entities": ["user"], "source": view.name, "ttl": f"{TTL_DAYS}d",
            "features": features}
    for name, served in services.items():
        yield {"kind": "feature_service", "name": name, "features": [f"{view.name}:*" for view in served]}


def write_definitions(directory, views, services):
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "bench.yaml", "w") as file:
        yaml.safe_dump_all(documents(views, services), file, sort_keys=False)
