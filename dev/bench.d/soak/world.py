"""What is true in the soak: all features of a row follow from its number, so that an answer is judged by the number in it."""

import datetime
import functools
from dataclasses import dataclass
from typing import NamedTuple

EPOCH = datetime.datetime(1970, 1, 1)
SECOND = 1_000_000
# Long past, so that every row is due at once. In microseconds since 1970, as all times here.
BEGINNING = (datetime.datetime(2024, 1, 1) - EPOCH) // datetime.timedelta(microseconds=1)

ACCOUNTS = 600
REGIONS = ("north", "søndre", "a,b")
SHOPS = [(region, shop) for region in REGIONS for shop in range(100)]


def text_of(time):
    return (EPOCH + datetime.timedelta(microseconds=time)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@functools.lru_cache(maxsize=65_536)
def time_of(text):
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = (datetime.datetime.fromisoformat(seconds) - EPOCH) // datetime.timedelta(microseconds=1)
    return whole + int(fraction.ljust(6, "0") or 0)


class Row(NamedTuple):
    # The values of the join keys.
    key: tuple
    number: int
    event: int
    # When the source recorded it; 0 in sources that do not say.
    recorded: int
    # In the order in which rows of an entity are sent.
    sequence: int
    # The schema version that it is written under.
    version: int
    is_tombstone: bool = False
    # What a later row of the same visit replaces.
    visit: int = 0

    @property
    def order(self):
        return self.event, self.recorded, self.sequence


@dataclass(frozen=True, eq=False)
class View:
    name: str
    keys: tuple
    # What each feature is of a row. The first one is the row's number.
    features: dict
    # Nullable, and in version 2 only: its name, and what it is of a row of that version.
    added: tuple = ()
    is_pushed: bool = True
    ttl: int = 0

    @property
    def identity(self):
        return next(iter(self.features))

    def names(self, has_added):
        return [*self.features, *self.added[:1]] if has_added else list(self.features)

    def allowed(self, feature, row, may_default):
        """The pairs of value and status that a feature of a visible row may have."""
        if feature in self.features:
            return [_stored(self.features[feature](row))]
        stored = _stored(self.added[1](row) if row.version >= 2 else None)
        if self.is_pushed:
            return [stored] if row.version >= 2 else [DEFAULTED]
        # A computed row is computed again for the new version.
        return [stored, DEFAULTED] if may_default else [stored]


DEFAULTED = (None, "DEFAULTED")


def _stored(value):
    return value, "NULL_VALUE" if value is None else "PRESENT"


POSITIONS = View(
    "positions", ("account_id",),
    {
        "n": lambda row: row.number,
        "owner": lambda row: row.key[0],
        "score": lambda row: row.number * 0.5,
        "label": lambda row: None if row.number % 5 == 0 else f"L{row.number}",
    },
    added=("level", lambda row: None if row.number % 3 == 0 else row.number * 3))

HEARTBEATS = View(
    "heartbeats", ("account_id",), {"beat": lambda row: row.number, "holder": lambda row: row.key[0]}, ttl=5 * SECOND)

STAYS = View(
    "stays", ("region", "shop"),
    {
        "number": lambda row: row.number,
        "twice": lambda row: row.number * 2,
        "place": lambda row: f"{row.key[0]}/{row.key[1]}",
        "note": lambda row: None if row.number % 5 == 0 else f"note {row.number}",
    },
    added=("rating", lambda row: None if row.number % 3 == 0 else row.number + 1), is_pushed=False)

VIEWS = (POSITIONS, HEARTBEATS, STAYS)
# The service `model` pins version 1 of these.
PINNED = (POSITIONS, STAYS)


def write_definitions(directory, has_added):
    """The tree of definitions; `has_added` is what the apply in the middle changes."""
    level = "  - {name: level, type: int64}\n" if has_added else ""
    rating = "  - {name: rating, type: int64}\n" if has_added else ""
    pinned = ", ".join(f"{view.name}@1:{feature}" for view in PINNED for feature in view.features)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "soak.yaml").write_text(f"""kind: project
name: soak
---
kind: entity
name: account
join_keys: [{{name: account_id, type: int64}}]
---
kind: entity
name: shop
join_keys: [{{name: region, type: string}}, {{name: shop, type: int64}}]
---
kind: source
name: moves
type: push
timestamp: at
columns:
  - {{name: account_id, type: int64}}
  - {{name: at, type: timestamp}}
  - {{name: n, type: int64}}
  - {{name: owner, type: int64}}
  - {{name: score, type: float64}}
  - {{name: label, type: string}}
  - {{name: level, type: int64}}
---
kind: source
name: beats
type: push
timestamp: at
columns:
  - {{name: account_id, type: int64}}
  - {{name: at, type: timestamp}}
  - {{name: beat, type: int64}}
  - {{name: holder, type: int64}}
---
kind: source
name: visits
type: table
timestamp: visited_at
created_timestamp: recorded_at
row_key: [visit_id]
columns:
  - {{name: region, type: string, nullable: false}}
  - {{name: shop, type: int64, nullable: false}}
  - {{name: visit_id, type: int64, nullable: false}}
  - {{name: visited_at, type: timestamp}}
  - {{name: recorded_at, type: timestamp}}
  - {{name: number, type: int64, nullable: false}}
  - {{name: note, type: string}}
{rating}---
kind: feature_view
name: positions
entities: [account]
source: moves
features:
  - {{name: n, type: int64, nullable: false}}
  - {{name: owner, type: int64}}
  - {{name: score, type: float64}}
  - {{name: label, type: string}}
{level}---
kind: feature_view
name: heartbeats
entities: [account]
source: beats
ttl: {HEARTBEATS.ttl // SECOND}s
features:
  - {{name: beat, type: int64, nullable: false}}
  - {{name: holder, type: int64}}
---
kind: feature_view
name: stays
entities: [shop]
source: visits
features:
  - {{name: number, type: int64, nullable: false}}
  - {{name: twice, type: int64, expr: "number * 2"}}
  - {{name: place, type: string, expr: "region || '/' || shop::text"}}
  - {{name: note, type: string}}
{rating}---
kind: feature_service
name: model
features: [{pinned}]
""", encoding="utf-8")
