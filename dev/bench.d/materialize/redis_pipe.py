"""`redis-cli --pipe` of what Larder has stored: the same keys, values and expiries."""

import subprocess
import time

import redis_peer


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def write(path, stored, users):
    with open(path, "wb", 1 << 20) as file:
        for user, value, expiry in stored.values(range(users)):
            when = (b"PXAT", b"%d" % expiry) if expiry > 0 else ()
            file.write(command(b"SET", stored.key(user), value, *when))


def run(path):
    """The seconds of the whole process."""
    with open(path, "rb") as file:
        begun = time.perf_counter()
        done = subprocess.run(
            ["redis-cli", "-h", "127.0.0.1", "-p", str(redis_peer.port()), "--pipe"],
            stdin=file, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
    if done.returncode != 0 or "errors: 0" not in done.stdout:
        raise SystemExit(f"error: redis-cli --pipe: {done.stdout}{done.stderr}")
    return seconds


def empty(server):
    """Empties Redis, and its log of writes with it: otherwise the log would be rewritten at another moment each time."""
    wait_for_log(server)
    server.flushall()
    server.bgrewriteaof()
    wait_for_log(server)


def wait_for_log(server):
    """Until no rewrite of the log is under way."""
    while True:
        persistence = server.info("persistence")
        if not persistence["aof_rewrite_in_progress"] and not persistence["aof_rewrite_scheduled"]:
            return
        time.sleep(0.05)
