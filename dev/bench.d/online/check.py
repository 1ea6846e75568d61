"""Answers of a sample beside the rows that were loaded, and values that are gone from Redis."""

import answers
import data
import larder
from client import Client, question
from feast_peer import READ
from questions import draws

# By entities of a request, the requests of a sample.
SAMPLE = {1: 100, 10: 30, 100: 20}
GONE = 20


def samples(users):
    for entities, count in SAMPLE.items():
        yield from draws("check", users, entities, count)


def check_larder(port, users, service, views, truths, accept="application/json"):
    client = Client(port)
    for some in samples(users):
        status, body = client.post(larder.ONLINE, question(service, some), accept)
        if accept == larder.ARROW:
            if status != 200:
                answers.decoded(status, body)
            answers.check_arrow(body, some, views, answers.rows_of(truths, some))
        else:
            answers.check_json(answers.decoded(status, body), some, views, answers.rows_of(truths, some))
    if accept != larder.ARROW:
        answer = answers.decoded(*client.post(larder.ONLINE, question(service, [users, users + 1])))
        answers.check_unknown(answer, [name for view in views for name in view.names])


def check_feast(port, users, view, truths):
    client = Client(port)
    for some in samples(users):
        answer = answers.decoded(*client.post(READ, question(view.name, some)))
        answers.check_feast(answer, view, answers.rows_of(truths, some)[view.name])


def check_nothing_is_kept(port, users, view, truths, stored):
    """A value that is gone from Redis is gone from the answers at once, on every connection; and back with it."""
    gone = [int(user) for user in data.generator("gone").choice(users, GONE, replace=False)]
    values, rows = list(stored.values(gone)), answers.rows_of(truths, gone)
    ask = lambda: answers.decoded(*Client(port).post(larder.ONLINE, question(view.name, gone)))
    try:
        for _ in range(4):
            answers.check_json(ask(), gone, [view], rows)
        stored.server.unlink(*(stored.key(user) for user in gone))
        for _ in range(4):
            answers.check_unknown(ask(), view.names)
    finally:
        for user, value, expiry in values:
            stored.server.set(stored.key(user), value, pxat=expiry if expiry > 0 else None)
    for _ in range(4):
        answers.check_json(ask(), gone, [view], rows)
