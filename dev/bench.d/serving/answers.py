"""Compares answers with the rows that were loaded, value by value: a fast server that is wrong is not fast."""

import datetime
import json

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from views import KEY, TIME

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


class WrongAnswer(Exception):
    pass


def require(what, found, expected):
    if found != expected:
        raise WrongAnswer(f"{what} is {found!r:.200}, not {expected!r:.200}")


def rows_of(truths, users):
    """The true rows of some users, by view."""
    places = pa.array(np.asarray(users, np.int64))
    return {name: truth.take(places) for name, truth in truths.items()}


def microseconds(text):
    return (datetime.datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def check_json(answer, users, views, rows):
    """Larder's answer: names in order, every value, status and event time. `rows` has a row for each user, by view."""
    names = [KEY, *(name for view in views for name in view.names)]
    require("metadata.feature_names", answer["metadata"]["feature_names"], names)
    require("the number of results", len(answer["results"]), len(names))
    # The command repeats keys as they were written, as text.
    require(KEY, [int(user) for user in answer["results"][0]["values"]], [int(user) for user in users])
    results = iter(answer["results"][1:])
    for view in views:
        expected = rows[view.name]
        times = expected[TIME].cast(pa.int64()).to_pylist()
        for name in view.names:
            result = next(results)
            require(name, result["values"], expected[name].to_pylist())
            require(f"the status of {name}", set(result["statuses"]), {"PRESENT"})
            require(f"the number of statuses of {name}", len(result["statuses"]), len(users))
            require(f"the event time of {name}", [microseconds(text) for text in result["event_timestamps"]], times)


def check_unknown(answer, names):
    """Larder's answer for entities that do not exist."""
    require("the number of results", len(answer["results"]), 1 + len(names))
    for name, result in zip(names, answer["results"][1:], strict=True):
        require(f"{name} of a user who is not there", set(result["values"]), {None})
        require(f"the status of {name} of a user who is not there", set(result["statuses"]), {"NOT_FOUND"})


def check_arrow(body, users, views, rows):
    """Larder's answer as an Arrow stream, which may have more columns than keys and features."""
    table = ipc.open_stream(body).read_all()
    require("the number of rows", table.num_rows, len(users))
    require(KEY, table[KEY].to_pylist(), [int(user) for user in users])
    for view in views:
        for name in view.names:
            require(name, table[name].to_pylist(), rows[view.name][name].to_pylist())


def check_feast(answer, view, rows):
    """Feast's answer: every value. Its names may come in any order."""
    results = dict(zip(answer["metadata"]["feature_names"], answer["results"], strict=True))
    for name in view.names:
        require(f"Feast's {name}", results[name]["values"], rows[name].to_pylist())


def decoded(status, body):
    """The JSON of an answer that has to be one."""
    if status != 200:
        raise WrongAnswer(f"the status is {status}: {body[:300]!r}")
    return json.loads(body)
