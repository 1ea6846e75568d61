"""The memory of the server, and whether it stays what it is."""

import statistics
import threading
import time

from processes import pss

MIB = 1 << 20
FIFTHS = 5
# How much more the last fifth may have than the second one; the first one is for warming up.
FACTOR = 1.15
SLACK = 16 * MIB


class MemorySamples(threading.Thread):
    def __init__(self, process):
        super().__init__(daemon=True)
        self.process = process
        self.samples = []
        self.is_stopping = threading.Event()

    def run(self):
        while not self.is_stopping.wait(1):
            self.samples.append((time.monotonic(), pss(self.process)))

    def stop(self):
        self.is_stopping.set()
        self.join()

    def medians(self, begin, end):
        """Of each fifth of the time, in bytes."""
        fifths = [[] for _ in range(FIFTHS)]
        for moment, size in self.samples:
            if begin <= moment < end:
                fifths[int((moment - begin) / (end - begin) * FIFTHS)].append(size)
        return [statistics.median(fifth) for fifth in fifths]


def is_flat(medians):
    return medians[-1] <= FACTOR * medians[1] + SLACK
