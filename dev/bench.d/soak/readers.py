"""Those who read, and judge what they read."""

import collections
import time

from actors import PROJECT, Actor
from verdict import Asked, Cell, fault_of
from world import ACCOUNTS, PINNED, REGIONS, SHOPS, VIEWS


class Reader(Actor):
    kind = "read"
    pause = 0.025

    def __init__(self, shared, name):
        super().__init__(shared, name)
        self.slowest = 0

    def act(self):
        is_pinned = self.random.random() < 0.25
        views = PINNED if is_pinned else (self.random.choice(VIEWS),)
        entities = [tuple(self.any_key(view) for view in views) for _ in range(self.random.randint(1, 12))]
        if self.random.random() < 0.1:
            entities.append(entities[0])
        self.ask(views, entities, is_pinned)

    def any_key(self, view):
        """Of one that is written, of one that never is, or without a value."""
        kind = self.random.choices(("written", "unwritten", "null"), (94, 4, 2))[0]
        if len(view.keys) == 1:
            account = self.random.randrange(ACCOUNTS) + (ACCOUNTS if kind == "unwritten" else 0)
            return (None,) if kind == "null" else (account,)
        region, shop = self.random.choice(SHOPS)
        return {"written": (region, shop), "unwritten": (region, shop + len(SHOPS)), "null": (None, shop)}[kind]

    def ask(self, views, entities, is_pinned=False):
        """Asks for features of entities, which are a key for each view, and judges the answer. With `is_pinned` it is the
        service's features, without it those of the newest version."""
        has_added = not is_pinned and self.shared.has_second_version.is_set()
        features = [(view, feature) for view in views for feature in view.names(has_added)]
        columns = {
            name: [keys[place][part] for keys in entities]
            for place, view in enumerate(views) for part, name in enumerate(view.keys)}
        body = {"entities": columns} | (
            {"feature_service": "model"} if is_pinned
            else {"features": [f"{view.name}:{feature}" for view, feature in features]})
        histories = [self.shared.histories[view.name] for view in views]
        may_default = not self.shared.materializations.is_filled
        floors = [[history.floor(key) for history, key in zip(histories, keys)] for keys in entities]
        started = time.monotonic()
        begin = time.time_ns() // 1000
        _, answer = self.connection.request("POST", f"{PROJECT}/online-features", body)
        end = time.time_ns() // 1000
        self.slowest = max(self.slowest, time.monotonic() - started)
        if self.has_shape(answer, columns, features):
            asked = [
                [Asked(view, key, floor, begin, end, may_default) for view, key, floor in zip(views, keys, row_floors)]
                for keys, row_floors in zip(entities, floors)]
            self.judge(asked, answer["results"][len(columns):], features, dict(zip((v.name for v in views), histories)))
        self.record.add_all({"reads": 1, f"reads_of_{'model' if is_pinned else views[0].name}": 1})

    def has_shape(self, answer, columns, features):
        names = [*columns, *(feature for _, feature in features)]
        if answer["metadata"]["feature_names"] != names:
            self.record.wrong("wrong_values", f"asked for {names}, got {answer['metadata']}")
            return False
        for name, result in zip(columns, answer["results"]):
            if result["values"] != columns[name]:
                self.record.wrong("wrong_values", f"asked for {name} {columns[name]}, got {result}")
                return False
        return True

    def judge(self, asked, results, features, histories):
        counts, known = collections.Counter(), {}
        for row, views in enumerate(asked):
            for each in views:
                cells = {
                    feature: Cell(result["values"][row], result["statuses"][row], result["event_timestamps"][row])
                    for (view, feature), result in zip(features, results) if view is each.view}
                fault = fault_of(each, cells, histories[each.view.name])
                if fault:
                    self.record.wrong("wrong_values", f"{each.view.name} {each.key}: {fault}")
                elif known.setdefault((each.view.name, each.key), cells) != cells:
                    self.record.wrong("wrong_values", f"{each.view.name} {each.key} has two answers in one: {cells}")
                counts["values"] += len(cells)
                counts.update(f"values_{cell.status}" for cell in cells.values())
        self.record.add_all(counts)


def check_everything(reader):
    """Reads every entity. With all rows committed and published, the newest one alone is allowed of each."""
    accounts = [(account,) for account in range(ACCOUNTS)]
    shops = [(region, shop) for region in REGIONS for shop in range(len(SHOPS) // len(REGIONS))]
    for view in VIEWS:
        keys = accounts if len(view.keys) == 1 else shops
        for start in range(0, len(keys), 100):
            reader.ask((view,), [(key,) for key in keys[start:start + 100]])
    pairs = [(account, shops[place % len(shops)]) for place, account in enumerate(accounts)]
    for start in range(0, len(pairs), 100):
        reader.ask(PINNED, pairs[start:start + 100], is_pinned=True)
