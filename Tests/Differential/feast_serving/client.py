"""Feast's own client, with a remote online store that is Larder's server."""

from datetime import timedelta

import pandas as pd
from feast import (
    Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig, ValueType)
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Array, Bool, Float64, Int32, Int64, String, UnixTimestamp

TYPES = {
    "int32": Int32, "int64": Int64, "float64": Float64, "string": String, "bool": Bool, "timestamp": UnixTimestamp,
    "array<string>": Array(String)}
KEY_TYPES = {"int64": ValueType.INT64, "string": ValueType.STRING}


class Client:
    def __init__(self, address, views, directory):
        self.store = FeatureStore(config=RepoConfig(
            project="shop", provider="local", registry=str(directory / "registry.db"),
            online_store={"type": "remote", "path": address}, entity_key_serialization_version=3))
        kinds = {name: kind for view in views.values() for name, kind in view.keys.items()}
        entities = {
            name: Entity(name=name, join_keys=[name], value_type=KEY_TYPES[kind]) for name, kind in kinds.items()}
        # Nothing is ever read of the files: what is in Larder comes from Larder.
        batches = {
            view.source: FileSource(
                name=f"{view.source}_batch", path=str(directory / f"{view.source}.parquet"), timestamp_field=view.time,
                created_timestamp_column=view.created or "")
            for view in views.values()}
        sources = {
            view.source: PushSource(name=view.source, batch_source=batches[view.source])
            if view.is_push else batches[view.source]
            for view in views.values()}
        self.views = {name: feature_view(view, entities, sources[view.source]) for name, view in views.items()}
        self.service = FeatureService(
            name="checkout", features=[self.views["purchases"], self.views["scores"][["score"]]])
        self.store.apply([*entities.values(), *sources.values(), *self.views.values(), self.service])

    def get(self, features, entity_rows, **options):
        """For each name a list over the entities of value and status, and the response as it came."""
        response = self.store.get_online_features(features=features, entity_rows=entity_rows, **options)
        values = response.to_dict()
        statuses = {
            name: [FieldStatus.Name(status) for status in result.statuses]
            for name, result in zip(response.proto.metadata.feature_names.val, response.proto.results, strict=True)}
        return {name: list(zip(values[name], statuses[name], strict=True)) for name in statuses}, response

    def online_read(self, view, customer, features):
        """What the layer below answers, which knows the types of features: the event time and values by name."""
        key = EntityKey(join_keys=["customer_id"], entity_values=[Value(int64_val=customer)])
        provider = self.store._get_provider()
        return provider.online_store.online_read(self.store.config, self.views[view], [key], features)[0]


def feature_view(view, entities, source):
    fields = view.keys | view.features
    return FeatureView(
        name=view.name, entities=[entities[name] for name in view.keys], source=source,
        # In Feast a ttl of zero is none.
        ttl=view.ttl or timedelta(0), schema=[Field(name=name, dtype=TYPES[kind]) for name, kind in fields.items()])


def frame(rows):
    """Columns as people have them: nullable integers that stay integers."""
    table = pd.DataFrame(rows)
    for name in table.columns:
        values = [row[name] for row in rows]
        if any(type(value) is int for value in values):
            table[name] = pd.array(values, dtype="Int64")
    return table
