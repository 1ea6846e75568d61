"""Files of requests for random users. No request names a user twice: then each one is a key to read."""

import data
from client import question, request_bytes
from generators import write_requests

# As many users in a file as make it no shorter than the keys there are to draw.
USERS_IN_FILE = 500_000


def draws(name, users, entities, count=None):
    """Users for each of `count` requests."""
    rng = data.generator(name, entities)
    if entities == 1:
        # All of them, once each.
        return rng.permutation(users)[:count].reshape(-1, 1)
    count = count or USERS_IN_FILE // entities
    return [rng.choice(users, entities, replace=False, shuffle=False) for _ in range(count)]


def write_http(directory, name, path, service, users, entities, accept="application/json"):
    return write_requests(directory / f"{name}_{entities}", (
        request_bytes(path, question(service, some), accept) for some in draws(name, users, entities)))


def write_mget(directory, copies, users):
    return write_requests(directory / "mget_1", (copies.mget(some) for some in draws("mget", users, 1)))
