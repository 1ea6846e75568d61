"""Redis itself: what Larder has stored there, the same bytes under keys for redis-benchmark, and its counters."""

import csv
import os
import struct
import subprocess

import redis

# redis-benchmark writes twelve digits in this place.
RANDOM = "__rand_int__"
DIGITS = 12
BATCH = 5_000


def connect(database=0):
    return redis.Redis.from_url(f"{os.environ['LARDER_REDIS_URL'].rsplit('/', 1)[0]}/{database}", protocol=2)


def port():
    return int(os.environ["LARDER_REDIS_URL"].rsplit("/", 1)[0].rsplit(":", 1)[1])


def keyspace_hits(server):
    return server.info("stats")["keyspace_hits"]


def batches(items):
    for start in range(0, len(items), BATCH):
        yield items[start:start + BATCH]


class StoredView:
    """What Larder has stored of a view, read as it is: Sources/FeatureCodec/OnlineKey.swift says what keys are."""

    def __init__(self, server, view, truth):
        self.server, self.prefix = server, self._find_prefix(server, view, truth)

    def key(self, user):
        return self.prefix + b"\x02" + struct.pack(">Q", user ^ 1 << 63) + b"}"

    @staticmethod
    def _find_prefix(server, view, truth):
        """Key spaces have numbers. Which one is the view's shows in a value: the float64 that only this view's row of
        the user has."""
        feature = next(name for name, kind in view.features if kind == "float64")
        seen = set()
        for key in server.scan_iter(count=BATCH):
            prefix = key[:key.find(b"{") + 1]
            if not prefix or prefix in seen or len(key) != len(prefix) + 10:
                continue
            seen.add(prefix)
            user = struct.unpack(">Q", key[-9:-1])[0] ^ 1 << 63
            if user < len(truth) and struct.pack("<d", truth[feature][user].as_py()) in server.get(key):
                return prefix
        raise SystemExit(f"error: Redis has no keys of {view.name}")

    def values(self, users):
        """The value of each user and when it expires, in milliseconds since 1970; -1 for never."""
        for some in batches(users):
            pipeline = self.server.pipeline(transaction=False)
            for user in some:
                pipeline.get(self.key(user))
                pipeline.execute_command("PEXPIRETIME", self.key(user))
            answers = pipeline.execute()
            for user, value, expiry in zip(some, answers[::2], answers[1::2], strict=True):
                if value is None:
                    raise SystemExit(f"error: Redis has no value of user {user}")
                yield user, value, expiry


class Copies:
    """The values of a view a second time, under keys of the same length that redis-benchmark can draw."""

    def __init__(self, stored, users):
        self.server, self.users = stored.server, users
        self.prefix = "k" * (len(stored.key(0)) - DIGITS)
        pipeline = self.server.pipeline(transaction=False)
        for user, value, expiry in stored.values(range(users)):
            pipeline.set(f"{self.prefix}{user:0{DIGITS}}", value, pxat=expiry if expiry > 0 else None)
            if len(pipeline) == BATCH:
                pipeline.execute()
        pipeline.execute()
        self.rates = {}

    def mget(self, users):
        """The command as it goes over the wire."""
        words = [b"MGET", *(f"{self.prefix}{user:0{DIGITS}}".encode() for user in users)]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

    def benchmark(self, keys, seconds):
        """`redis-benchmark -c 64 -P 1` of an MGET of random keys, for about as long as asked: requests per second."""
        if keys not in self.rates:
            self.rates[keys] = self._benchmark(keys, max(1, 20_000 // keys))
        self.rates[keys] = self._benchmark(keys, round(self.rates[keys] * seconds))
        return self.rates[keys]

    def _benchmark(self, keys, count):
        before = keyspace_hits(self.server)
        command = [
            "redis-benchmark", "-h", "127.0.0.1", "-p", str(port()), "-c", "64", "-P", "1", "-r", str(self.users), "-n",
            str(count), "--csv", "MGET", *[self.prefix + RANDOM] * keys]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        if keyspace_hits(self.server) - before < count * keys:
            raise SystemExit("error: redis-benchmark asked for keys that are not there")
        # The last seven columns are figures, the first of them the rate.
        return float(list(csv.reader(done.stdout.splitlines()))[-1][-7])


def print_key(key):
    """A key for people: printable ASCII as it is."""
    return "".join(chr(byte) if 0x21 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}" for byte in key)
