"""Whole processes: how long they take, and the memory that they and PostgreSQL's backends take for them.

Memory is the peak of a sum over processes of PSS, by which a page that n processes share counts 1/n in each:

- the process itself, with the spine where it maps the file;
- PostgreSQL's client backends and parallel workers, with their share of the pages of shared_buffers that they touched.

Not in it: the postmaster and the processes that every database has (checkpointer, writers, autovacuum), and the page
cache, which everybody's files are in.
"""

import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.05


@dataclass(frozen=True)
class Measured:
    seconds: float
    peak_bytes: int | None = None


def pss(process):
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # It has ended.
    return 0


def backends(postmaster):
    """Those that work for somebody: their titles have the client's address, or say whom they help."""
    for process in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        try:
            title = Path(f"/proc/{process}/cmdline").read_text()
        except OSError:
            continue
        if "127.0.0.1(" in title or "parallel worker" in title:
            yield process


class Sampler(threading.Thread):
    def __init__(self, process, postmaster):
        super().__init__(daemon=True)
        self.process, self.postmaster = process, postmaster
        self.peak, self.is_done = 0, threading.Event()

    def run(self):
        while not self.is_done.wait(INTERVAL):
            self.peak = max(self.peak, pss(self.process) + sum(pss(b) for b in backends(self.postmaster)))

    def stop(self):
        self.is_done.set()
        self.join()
        return self.peak


def run(command, log, postmaster=None):
    """Runs a command and returns what it took. With a postmaster memory is sampled, which costs a little time; so
    times are taken without."""
    with open(log, "ab") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        sampler = Sampler(process.pid, postmaster) if postmaster else None
        if sampler:
            sampler.start()
        status = process.wait()
        seconds = time.perf_counter() - begun
        peak = sampler.stop() if sampler else None
    if status != 0:
        said = Path(log).read_text(errors="replace")[-2000:]
        raise SystemExit(f"error: {' '.join(map(str, command))} ended with status {status}:\n{said}")
    return Measured(seconds, peak)
