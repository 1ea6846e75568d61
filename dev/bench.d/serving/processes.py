"""Processes beside the benchmark: servers until they are ready, and the memory of one."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

INTERVAL = 0.05


def unwind_on_sigterm():
    """So that servers are stopped then, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_ready, process, log, seconds=120):
    end = time.monotonic() + seconds
    while not is_ready():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise SystemExit(f"error: {process.args[0]} did not become ready:\n{tail(log)}")
        time.sleep(0.05)


def stop(process):
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log):
    return Path(log).read_text(errors="replace")[-2000:]


def pss(process):
    """Bytes of memory, a page that n processes share counting 1/n."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # It has ended.
    return 0


class PeakMemory(threading.Thread):
    """Samples a process until it is told to stop."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.peak, self.is_done = process, 0, threading.Event()

    def run(self):
        while not self.is_done.wait(INTERVAL):
            self.peak = max(self.peak, pss(self.process))

    def stop(self):
        self.is_done.set()
        self.join()
        return self.peak
