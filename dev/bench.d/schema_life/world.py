"""What is true in the life: every raw row follows from its number, so that any answer can be judged by the number in it."""

import datetime
import threading

USERS = 40
# Long past, so that every row is due at once.
BEGINNING = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)


def user_of(number):
    return number % USERS


def account_of(user):
    return f"account-{user}"


def time_of(number):
    return BEGINNING + datetime.timedelta(seconds=number)


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """The rows written so far, with the source version each was written under."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next_number = 1
        self.version_of = {}
        self.acknowledged = set()

    def new_rows(self, version, count):
        """Row numbers of a write that is about to be sent."""
        with self.lock:
            numbers = range(self.next_number, self.next_number + count)
            self.next_number += count
            for number in numbers:
                self.version_of[number] = version
            return list(numbers)

    def acknowledge(self, numbers):
        with self.lock:
            self.acknowledged.update(numbers)

    def forget(self, numbers):
        """Rows of a write that was refused."""
        with self.lock:
            for number in numbers:
                del self.version_of[number]

    def newest_of(self, user, until=None):
        """The newest acknowledged row of a user, with an event time of at most that of row `until`."""
        numbers = [n for n in self.acknowledged if user_of(n) == user and (until is None or n <= until)]
        return max(numbers, default=None)

    def source_row(self, number, version):
        row = {
            "user_id": user_of(number), "account": account_of(user_of(number)),
            "happened_at": text_of(time_of(number)), "n": number, "score": number * 7, "label": f"L{number}",
        }
        if version >= 2:
            row["speed"] = number * 0.5
        if version >= 3:
            row["country"] = f"c{number % 9}"
        return row

    # What a feature of row `number` is, by the name and the generation it is read from.

    def value(self, feature, number, generation):
        version = self.version_of[number]
        if feature == "n":
            return number
        if feature in ("label", "tag"):
            return f"L{number}"
        if feature == "score":
            return {1: number * 7, 2: str(number * 7), 3: str(number * 7), 4: str(number * 70)}[generation]
        if feature == "speed":
            return number * 0.5 if version >= 2 else None
        if feature == "country":
            return f"c{number % 9}" if version >= 3 else "xx"
        raise KeyError(feature)


DEFAULTS = {"speed": None, "country": "xx"}


class Definitions:
    """The tree of definitions, as the life changes it."""

    def __init__(self, directory):
        self.directory = directory
        self.columns = [
            "{name: user_id, type: int64, nullable: false}", "{name: account, type: string, nullable: false}",
            "{name: happened_at, type: timestamp}", "{name: n, type: int64, nullable: false}",
            "{name: score, type: int32}", "{name: label, type: string}",
        ]
        self.entity = "user"
        self.generation = None
        self.compatibility = "full_transitive"
        self.features = {
            "n": "{name: n, type: int64, nullable: false}", "score": "{name: score, type: int32}",
            "label": "{name: label, type: string, expect: {max_length: 20}}",
        }
        self.pinned = "activity@1:n, activity@1:label"

    def write(self):
        generation = f"generation: {self.generation}\n" if self.generation else ""
        text = f"""kind: project
name: life
---
kind: entity
name: user
join_keys: [{{name: user_id, type: int64}}]
---
kind: entity
name: account
join_keys: [{{name: account, type: string}}]
---
kind: source
name: events
type: table
timestamp: happened_at
columns:
{self._list(self.columns)}
---
kind: feature_view
name: activity
entities: [{self.entity}]
source: events
compatibility: {self.compatibility}
{generation}features:
{self._list(self.features.values())}
---
kind: feature_service
name: model
features: [{self.pinned}]
"""
        (self.directory / "life.yaml").write_text(text)

    @staticmethod
    def _list(items):
        return "\n".join(f"  - {item}" for item in items)
