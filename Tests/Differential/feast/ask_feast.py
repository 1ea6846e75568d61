"""Feast's answers: its PostgreSQL offline store on the same tables, with a registry in a file."""

from datetime import timedelta
from urllib.parse import unquote, urlsplit

from feast import Entity, FeatureStore, FeatureView, Field, RepoConfig, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Bool, Float64, Int64, String

from ask_larder import rows_by_number, spine_table
from tables import SCHEMA
from worlds import FEATURES

TYPES = {"int64": Int64, "float64": Float64, "string": String, "bool": Bool}
KEY_TYPES = {"int64": ValueType.INT64, "string": ValueType.STRING}


class Feast:
    name = "Feast"

    def __init__(self, url, directory):
        url = urlsplit(url)
        self.store = FeatureStore(config=RepoConfig(
            project="differential", provider="local", registry=str(directory / "registry.db"),
            offline_store={
                "type": "postgres", "host": url.hostname, "port": url.port, "database": url.path[1:],
                "db_schema": "public", "user": url.username, "password": unquote(url.password), "sslmode": "disable"},
            online_store={"type": "sqlite", "path": str(directory / "online.db")},
            entity_key_serialization_version=3))

    def set_up(self, worlds):
        kinds = {name: kind for world in worlds for name, kind in world.keys.items()}
        entities = {
            name: Entity(name=name, join_keys=[name], value_type=KEY_TYPES[kind]) for name, kind in kinds.items()}
        views = [feature_view(view, entities) for world in worlds for view in world.views]
        self.store.apply([*entities.values(), *views])

    def answer(self, world):
        features = [f"{view.name}:{feature}" for view in world.views for feature in FEATURES]
        spine = spine_table(world).to_pandas()
        job = self.store.get_historical_features(entity_df=spine, features=features, full_feature_names=True)
        return rows_by_number(job.to_arrow(), world)


def feature_view(view, entities):
    source = PostgreSQLSource(
        name=view.name, table=f"{SCHEMA}.{view.name}", timestamp_field="event_timestamp",
        created_timestamp_column="created" if view.has_created else "")
    return FeatureView(
        name=view.name, entities=[entities[name] for name in view.keys], source=source,
        # In Feast a ttl of zero is none.
        ttl=view.ttl or timedelta(0),
        schema=[
            *(Field(name=name, dtype=TYPES[kind]) for name, kind in view.keys.items()),
            *(Field(name=name, dtype=TYPES[kind]) for name, kind in FEATURES.items()),
        ])
