"""What the feature views are, as Larder's definitions say it: the peers are asked the same."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "feature-defs"
HOURS = {"h": 1, "d": 24}


@dataclass(frozen=True)
class View:
    name: str
    table: str
    key: str
    time: str
    ttl_hours: int | None
    features: tuple

    def selectors(self):
        return ",".join(f"{self.name}:{feature}" for feature in self.features)

    def as_argument(self):
        """For the peers, whose time counts: reading the definitions is not their work."""
        return json.dumps(asdict(self))


def hours(ttl):
    if ttl is None:
        return None
    number, unit = re.fullmatch(r"(\d+)([hd])", ttl).groups()
    return int(number) * HOURS[unit]


def read_views():
    documents = [d for path in FOLDER.glob("*.yaml") for d in yaml.safe_load_all(path.read_text())]
    of_kind = lambda kind: {d["name"]: d for d in documents if d["kind"] == kind}
    sources, entities = of_kind("source"), of_kind("entity")
    return {
        name: View(
            name=name,
            table=view["source"],
            key=entities[view["entities"][0]]["join_keys"][0]["name"],
            time=sources[view["source"]]["timestamp"],
            ttl_hours=hours(view.get("ttl")),
            features=tuple(feature["name"] for feature in view["features"]))
        for name, view in of_kind("feature_view").items()
    }


VIEWS = read_views()
