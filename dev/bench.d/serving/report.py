"""What is printed, and whether the bars are reached."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    must: float
    aim: float | None = None
    unit: str = "ratio"
    is_at_least: bool = True

    def is_reached(self, value, bar):
        return value >= bar if self.is_at_least else value <= bar


def at_most(must, aim=None, unit="ratio"):
    return Bar(must, aim, unit, is_at_least=False)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Report:
    def __init__(self, prefix, bars, is_judged):
        self.prefix, self.bars, self.is_judged = prefix, bars, is_judged
        self.missed = 0

    def figure(self, name, value, unit, form=".3f"):
        print(f"{self.prefix}_{name} {value:{form}} {unit}", flush=True)

    def rate(self, name, value, unit):
        self.figure(f"{name}_{unit}_per_second", value, f"{unit}/s", ".0f")

    def judged(self, name, value):
        bar = self.bars[name]
        self.figure(name, value, bar.unit)
        self.figure(f"{name}_required", bar.must, bar.unit, "g")
        if not bar.is_reached(value, bar.must):
            self.missed += 1
            word = "MISSED" if self.is_judged else "not judged at this size"
            say(f"{word}: {name} is {value:.3f}, {bar.must:g} is required")
        elif bar.aim is not None and not bar.is_reached(value, bar.aim):
            say(f"aim not reached: {name} is {value:.3f}, the aim is {bar.aim:g}")

    def status(self):
        return 1 if self.missed and self.is_judged else 0
