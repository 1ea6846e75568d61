"""Larder's answers, by its commands."""

import json
import subprocess

import pyarrow as pa
from pyarrow import ipc

from tables import SCHEMA
from worlds import FEATURES

TIME = pa.timestamp("us", tz="UTC")
TYPES = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string(), "bool": pa.bool_()}


def definitions_of(view):
    columns = [{"name": name, "type": kind, "nullable": False} for name, kind in view.keys.items()]
    columns += [{"name": "event_timestamp", "type": "timestamp"}]
    columns += [{"name": "created", "type": "timestamp"}] if view.has_created else []
    columns += [{"name": name, "type": kind} for name, kind in FEATURES.items()]
    source = {"kind": "source", "name": view.name, "columns": columns, "timestamp": "event_timestamp"}
    source |= where(view)
    source |= {"created_timestamp": "created"} if view.has_created else {}
    feature_view = {
        "kind": "feature_view", "name": view.name, "entities": ["_".join(view.keys)], "source": view.name,
        "features": [{"name": name, "type": kind} for name, kind in FEATURES.items()]}
    feature_view |= {} if view.ttl is None else {"ttl": f"{int(view.ttl.total_seconds())}s"}
    return [source, feature_view]


def where(view):
    """Where Larder finds the rows. Times without a zone it refuses, until a query says which one is meant."""
    if view.is_ingested:
        return {"type": "table"}
    if view.has_zone:
        return {"type": "postgres", "table": f"{SCHEMA}.{view.name}"}
    columns = ", ".join([*view.keys, "event_timestamp AT TIME ZONE 'UTC' AS event_timestamp", *FEATURES])
    return {"type": "query", "query": f"SELECT {columns} FROM {SCHEMA}.{view.name}"}


def entity_of(keys):
    return {
        "kind": "entity", "name": "_".join(keys), "join_keys": [{"name": name, "type": kind} for name, kind in keys.items()]}


class Larder:
    name = "Larder"

    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory

    def run(self, *arguments):
        subprocess.run([self.binary, *arguments], check=True, stdout=subprocess.DEVNULL)

    def set_up(self, worlds):
        folder = self.directory / "feature-defs"
        folder.mkdir()
        entities = {tuple(world.keys): world.keys for world in worlds}.values()
        views = [view for world in worlds for view in world.views]
        documents = [{"kind": "project", "name": "differential"}, *map(entity_of, entities)]
        documents += [document for view in views for document in definitions_of(view)]
        # JSON is YAML.
        (folder / "worlds.yaml").write_text("\n---\n".join(json.dumps(document) for document in documents))
        self.run("migrate")
        self.run("apply", str(folder), "--yes")
        for view in views:
            if view.is_ingested:
                self.ingest(view)
        self.run("materialize", "--only", "offline")

    def ingest(self, view):
        kinds = {name: TYPES[kind] for name, kind in view.keys.items()}
        kinds |= {"event_timestamp": TIME, "created": TIME} | {name: TYPES[kind] for name, kind in FEATURES.items()}
        columns = list(zip(*view.rows))
        table = pa.table({name: pa.array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)})
        path = self.directory / f"{view.name}.arrow"
        write(table if view.has_created else table.drop_columns(["created"]), path)
        self.run("ingest", view.name, str(path))

    def answer(self, world):
        spine, out = self.directory / f"{world.name}-spine.arrow", self.directory / f"{world.name}.arrow"
        write(spine_table(world), spine)
        features = ",".join(f"{view.name}:{feature}" for view in world.views for feature in FEATURES)
        self.run(
            "training-set", "create", "--spine", str(spine), "--features", features, "--full-feature-names",
            "--out", str(out))
        table = ipc.open_file(str(out)).read_all()
        if not table.select(spine_table(world).column_names).equals(spine_table(world)):
            raise SystemExit(f"error: {world.name}: Larder's answer has other spine rows than it was given, or in another order")
        return rows_by_number(table, world)


def spine_table(world):
    """With a label, as spines have one; its columns must come back untouched."""
    columns = list(zip(*world.spine))
    return pa.table({
        "row_number": pa.array(range(len(world.spine)), pa.int64()),
        **{name: pa.array(column, TYPES[kind]) for (name, kind), column in zip(world.keys.items(), columns)},
        "event_timestamp": pa.array(columns[-1], TIME),
        "target": pa.array([number % 2 == 0 for number in range(len(world.spine))]),
    })


def rows_by_number(table, world):
    """For each spine row the features found for it, in a list of as many rows as the answer has for it."""
    found = [[] for _ in world.spine]
    names = [f"{view.name}__{feature}" for view in world.views for feature in FEATURES]
    columns = [table[name].to_pylist() for name in names]
    for number, *features in zip(table["row_number"].to_pylist(), *columns):
        found[number].append(tuple(features))
    return found


def write(table, path):
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
