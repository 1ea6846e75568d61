"""What is printed, and whether the bars are reached."""

import statistics
import sys

from bars import BARS


def say(text):
    print(text, file=sys.stderr, flush=True)


class Report:
    def __init__(self, is_judged):
        self.is_judged = is_judged
        self.missed = 0

    def figure(self, name, value, unit, form=".3f"):
        print(f"training_set_{name} {value:{form}} {unit}", flush=True)

    def seconds(self, name, measured):
        """The median of runs; all of them are told on the way."""
        say(f"   {name}: {', '.join(f'{one.seconds:.3f}' for one in measured)} s")
        value = statistics.median(one.seconds for one in measured)
        self.figure(f"{name}_seconds", value, "s")
        return value

    def memory(self, name, measured):
        say(f"   {name}: {', '.join(f'{one.peak_bytes / 2**20:.0f}' for one in measured)} MiB")
        value = statistics.median(one.peak_bytes for one in measured) / 2**20
        self.figure(f"{name}_mebibytes", value, "MiB", ".0f")
        return value

    def judged(self, name, value):
        bar = BARS[name]
        self.figure(name, value, "ratio")
        self.figure(f"{name}_required", bar.must, "ratio", "g")
        if not bar.is_reached(value, bar.must):
            self.missed += 1
            say(f"{'MISSED' if self.is_judged else 'not judged at this size'}: {name} is {value:.3f}, {bar.must:g} is required")
        elif bar.aim is not None and not bar.is_reached(value, bar.aim):
            say(f"aim not reached: {name} is {value:.3f}, the aim is {bar.aim:g}")

    def status(self):
        return 1 if self.missed and self.is_judged else 0
