"""Reads every user through a server, and tells whose answer is exactly what it should be."""

import numpy as np
import pyarrow.compute as pc
from pyarrow import ipc

import answers
import larder
from changes import DELETED
from client import Client, question
from views import KEY, TIME
from world import VIEW

BATCH = 1_000


def places_of(server, *candidates):
    """For each of the candidates, tables as those of `changes.answers_of`, of each user whether the answer is its row.

    `server` is a `Larder`, whose server runs for as long as this takes.
    """
    count = candidates[0].num_rows
    found = [np.zeros(count, bool) for _ in candidates]
    with server.serving() as port:
        client = Client(port)
        for start in range(0, count, BATCH):
            answer = _ask(client, np.arange(start, min(start + BATCH, count)))
            for candidate, places in zip(candidates, found, strict=True):
                places[start:start + BATCH] = _is_of(answer, candidate.slice(start, BATCH))
    return found


def _ask(client, users):
    status, body = client.post(larder.ONLINE, question(VIEW.name, users), larder.ARROW)
    if status != 200:
        answers.decoded(status, body)
    answer = ipc.open_stream(body).read_all()
    answers.require("the users of an answer", answer[KEY].to_pylist(), users.tolist())
    return answer


def _is_of(answer, rows):
    """Row by row whether all values, statuses and the event time are those."""
    is_gone = np.asarray(rows[DELETED])
    is_right = _same(answer[f"{VIEW.name}__event_timestamp"], rows[TIME])
    for name in VIEW.names:
        is_null = np.asarray(pc.is_null(rows[name]))
        expected = np.where(is_gone, "NOT_FOUND", np.where(is_null, "NULL_VALUE", "PRESENT"))
        statuses = np.array(answer[f"{name}__status"].to_pylist())
        is_right = is_right & (statuses == expected) & _same(answer[name], rows[name])
    return is_right


def _same(left, right):
    """A null is the same as a null, and as nothing else."""
    are_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return np.asarray(pc.or_(are_null, pc.fill_null(pc.equal(left, right), False)))
