"""Bytes of an entity in Redis, as MEMORY USAGE counts them: key, value and their entry in the table of keys.

What the expiry takes beside that, an entry in another table, is the same for both.
"""

from statistics import mean

import data
import redis_peer
from report import say
from world import FEAST_DATABASES, MIXED

SAMPLE = 1_000


def usage(server, keys):
    pipeline = server.pipeline(transaction=False)
    for key in keys:
        # All fields of a hash and not a sample.
        pipeline.memory_usage(key, samples=0)
        pipeline.pttl(key)
    answers = pipeline.execute()
    if any(milliseconds <= 0 for milliseconds in answers[1::2]):
        raise SystemExit("error: a key does not expire")
    return mean(answers[::2])


def sample_of(server, count):
    keys = []
    for key in server.scan_iter(count=10_000):
        keys.append(key)
        if len(keys) == count:
            break
    return keys


def measure(bench):
    stored = redis_peer.StoredView(bench.redis, MIXED, bench.truths[MIXED.name])
    users = data.generator("bytes").choice(bench.users, min(SAMPLE, bench.users), replace=False)
    own_keys = [stored.key(int(user)) for user in users]
    feast = redis_peer.connect(FEAST_DATABASES[MIXED.name])
    feast_keys = sample_of(feast, SAMPLE)
    fields = sorted(feast.hkeys(feast_keys[0]))
    say(f"   features: {', '.join(f'{name} {kind}' for name, kind in MIXED.features)}")
    say(f"   Larder: key {redis_peer.print_key(own_keys[0])}, a string of {bench.redis.strlen(own_keys[0])} bytes")
    say(f"   Feast: key {redis_peer.print_key(feast_keys[0])}, a hash of {', '.join(map(redis_peer.print_key, fields))}")
    own, peer = usage(bench.redis, own_keys), usage(feast, feast_keys)
    bench.report.figure("bytes_larder", own, "bytes/entity", ".1f")
    bench.report.figure("bytes_feast", peer, "bytes/entity", ".1f")
    bench.report.judged("bytes_share_of_feast", own / peer)
