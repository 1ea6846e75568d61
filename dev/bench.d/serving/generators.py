"""Those who send requests: wrk as fast as it gets answers, load.c at a constant rate or so many in all.

All of them draw from files of requests. A request that fails ends the benchmark.
"""

import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

LUA = Path(__file__).parent / "requests.lua"


@dataclass(frozen=True)
class Load:
    requests: int
    errors: int
    seconds: float
    p50_microseconds: float
    p99_microseconds: float
    bytes: int = 0
    p999_microseconds: float = 0
    maximum_microseconds: float = 0
    delay_p99_microseconds: float = 0

    @property
    def rate(self):
        return self.requests / self.seconds


def write_requests(path, requests):
    """Returns the path."""
    with open(path, "wb") as file:
        for request in requests:
            file.write(struct.pack("<I", len(request)))
            file.write(request)
    return path


def run(command, what, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"error: {what}: {done.stdout}{done.stderr}")
    lines = [line.split() for line in done.stdout.splitlines()]
    found = {line[0]: float(line[1]) for line in lines if len(line) == 2 and line[0] in Load.__dataclass_fields__}
    load = Load(**found)
    if load.errors or not load.requests:
        raise SystemExit(f"error: {what}: {load.errors:.0f} of {load.requests:.0f} requests failed")
    return load


def wrk(port, requests, connections, seconds, seed):
    """One thread: redis-benchmark has one, too."""
    environment = os.environ | {"LARDER_BENCH_REQUESTS": str(requests), "LARDER_BENCH_SEED": str(seed)}
    command = [
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "30s",
        "--script", str(LUA), f"http://127.0.0.1:{port}"]
    return run(command, f"wrk with {requests.name}", environment)


@dataclass(frozen=True)
class Generator:
    """load.c, compiled."""

    binary: str

    def at_rate(self, protocol, port, requests, rate, seconds, seed, connections=64):
        return self._run(protocol, port, requests, connections, max(1, round(rate * seconds)), rate, seed)

    def so_many(self, port, requests, connections, count, seed):
        """Returns when all are answered."""
        return self._run("http", port, requests, connections, count, 0, seed)

    def _run(self, protocol, port, requests, connections, count, rate, seed):
        command = [self.binary, protocol, port, requests, connections, count, rate, seed]
        return run([str(word) for word in command], f"load with {requests.name}")
