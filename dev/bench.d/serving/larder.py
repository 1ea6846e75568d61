"""Larder: its commands, its server, and the requests that it takes."""

import contextlib
import json
import re
import signal
import subprocess
import time
from pathlib import Path

from client import Client
from processes import PeakMemory, stop, tail, wait_until

ONLINE = "/v1/projects/bench/online-features"
ARROW = "application/vnd.apache.arrow.stream"


def rows_path(view):
    return f"/v1/projects/bench/feature-views/{view.name}/rows"


class Larder:
    def __init__(self, binary, log):
        self.binary, self.log = binary, log

    def run(self, *arguments, is_sampled=False):
        """A whole process. Returns its seconds; with `is_sampled`, which takes time, the peak of its memory in bytes."""
        with open(self.log, "ab") as output:
            begun = time.perf_counter()
            process = subprocess.Popen(
                [self.binary, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            sampler = PeakMemory(process.pid) if is_sampled else None
            if sampler:
                sampler.start()
            status = process.wait()
            seconds = time.perf_counter() - begun
            peak = sampler.stop() if sampler else None
        if status != 0:
            raise SystemExit(f"error: larder {' '.join(arguments)} ended with status {status}:\n{tail(self.log)}")
        return peak if is_sampled else seconds

    def kill(self, *arguments, after):
        """SIGKILL to a process so many seconds after its start. Returns whether it was still at it."""
        with open(self.log, "ab") as output:
            process = subprocess.Popen(
                [self.binary, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            try:
                process.wait(after)
            except subprocess.TimeoutExpired:
                pass
            finally:
                # Also when this program is told to end meanwhile.
                process.kill()
                status = process.wait()
        if status not in (0, -signal.SIGKILL):
            raise SystemExit(f"error: larder {' '.join(arguments)} ended with status {status}:\n{tail(self.log)}")
        return status != 0

    def online_features(self, service, users):
        """The answer of the command line, which has the shape of the server's."""
        keys = [word for user in users for word in ("--keys", f"user_id={user}")]
        command = [self.binary, "get-online-features", "--service", service, *keys, "--output", "json"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            raise SystemExit(f"error: larder get-online-features: {answer.stderr}")
        return json.loads(answer.stdout)

    @contextlib.contextmanager
    def serving(self):
        """A server, as its port."""
        log = Path(f"{self.log}.server")
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [self.binary, "serve", "--port", "0"], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_until(lambda: self._port(log), process, log)
            port = self._port(log)
            wait_until(lambda: Client(port).status("/health/ready") == 200, process, log)
            yield port
        finally:
            stop(process)

    @staticmethod
    def _port(log):
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))
        return int(found.group(1)) if found else None
