"""Reads, pushes, loads and materializations at once on a served Larder, an apply and faults in between.

Usage: soak.py LARDER DIRECTORY SECONDS SEED. Settings come from the environment, as for larder itself, and so does the name
of the stack whose servers are restarted. Prints lines of `name value unit`, and for people what failed in which window. The
exit status is 1 when a value was wrong, anything failed outside of the windows, or memory grew.
"""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from actors import CommandMaterializer, Ingester, JobMaterializer, Materializations, Pusher, Shared
from faults import FAULTS, SECONDS_AFTER, Faults, schedule
from histories import IngestedRows, PushedRows
from memory import MIB, MemorySamples, is_flat
from processes import unwind_on_sigterm
from program import Failed, Larder
from readers import Reader, check_everything
from record import Record, counted
from report import say
from world import ACCOUNTS, VIEWS, write_definitions

READERS = 3
PUSHERS = 3
SHOWN_FAILURES = 20
# What has to have happened for the run to have shown anything.
NEEDED = (
    "reads_of_positions", "reads_of_heartbeats", "reads_of_stays", "reads_of_model", "values_PRESENT",
    "values_NULL_VALUE", "values_NOT_FOUND", "values_OUTSIDE_MAX_AGE", "values_DEFAULTED", "values_INVALID_KEY",
    "pushes_published", "pushes_none", "files_ingested", "materializations_by_command", "materializations_by_job")


class Soak:
    def __init__(self, binary, directory, seconds, seed):
        self.directory, self.seconds, self.seed = Path(directory), seconds, seed
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.definitions = self.directory / "definitions"
        self.larder = Larder(binary, self.directory)
        self.record = Record()
        self.histories = {view.name: PushedRows() if view.is_pushed else IngestedRows() for view in VIEWS}
        self.materializations = Materializations(list(self.histories.values()))
        self.begin = self.end = 0
        self.medians = []

    def run(self):
        write_definitions(self.definitions, has_added=False)
        self.larder.run("migrate")
        self.larder.run("apply", str(self.definitions), "--yes")
        # Views that were never published are not read.
        self.larder.run("materialize")
        with self.larder.serving() as (process, port):
            self.live(process, port)
        if process.returncode != 0:
            self.record.wrong("wrong_ends", f"the server ended with status {process.returncode}")

    def live(self, process, port):
        shared = Shared(
            self.record, self.larder, port, self.directory, self.histories, self.materializations, threading.Event(),
            self.seed)
        readers = [Reader(shared, f"reader-{number}") for number in range(READERS)]
        actors = [
            *(Pusher(shared, f"pusher-{number}", range(number, ACCOUNTS, PUSHERS)) for number in range(PUSHERS)),
            Ingester(shared, "ingester"), CommandMaterializer(shared, "command"), JobMaterializer(shared, "job"),
            *readers]
        memory = MemorySamples(process.pid)
        self.begin = time.monotonic()
        for thread in (memory, *actors):
            thread.start()
        try:
            self.let_faults_happen(Faults(shared, self.definitions), process)
        finally:
            self.end = time.monotonic()
            memory.stop()
            for actor in actors:
                actor.stop()
            for actor in actors:
                actor.join()
        self.record.seconds["slowest_read"] = max(reader.slowest for reader in readers)
        if self.record.is_over.is_set():
            return
        self.medians = memory.medians(self.begin, self.end)
        with self.materializations.run():
            self.larder.run("materialize")
        check_everything(Reader(shared, "last reader"))

    def let_faults_happen(self, faults, process):
        for seconds, name in [*schedule(self.seconds), (self.seconds, "")]:
            while (left := self.begin + seconds - time.monotonic()) > 0:
                if self.record.is_over.wait(min(left, 1)):
                    return
                if process.poll() is not None:
                    raise Failed("server_ended", f"with status {process.returncode}")
            if name:
                say(f"   {time.monotonic() - self.begin:.0f} s: {name}")
                faults.happen(name)

    # --- the end

    def report(self):
        inside, outside = self.record.judged()
        self.report_windows(inside)
        for failure in outside[:SHOWN_FAILURES]:
            say(f"   outside of the windows, at {failure.begin - self.begin:.2f} s: {failure.kind} {failure.text}")
        if outside:
            say(f"   outside of the windows: {counted(outside)}")
        self.judge_memory()
        counts = self.record.counts
        for name in NEEDED:
            if not counts[name]:
                self.record.wrong("missing", f"there were no {name}")
        for name, seconds in {"time": self.end - self.begin, **self.record.seconds}.items():
            figure(name, f"{seconds:.3f}", "s")
        for name, count in sorted(counts.items()):
            figure(name, count, "count")
        for name in ("wrong_values", *sorted(self.record.wrongs.keys() - {"wrong_values"})):
            figure(name, self.record.wrongs[name], "count")
        figure("failures_in_windows", sum(len(failures) for _, failures in inside), "count")
        figure("failures_outside_of_windows", len(outside), "count")
        for text in self.record.told:
            say(f"   {text}")
        is_good = not outside and not self.record.wrongs
        say(f"   {counts['values']} values of {counts['reads']} reads, {self.record.wrongs['wrong_values']} wrong;"
            f" {len(outside)} failures outside of the windows{'' if is_good else f'; logs are in {self.directory}'}")
        return 0 if is_good else 1

    def report_windows(self, inside):
        """What failed in each, and for how long reads went on failing after the server was back."""
        slowest = dict.fromkeys((name for _, name in FAULTS), 0)
        for window, failures in inside:
            since = window.begin - self.begin
            say(f"   {window.name} at {since:.1f} s, {window.end - window.begin:.1f} s long: {counted(failures)}")
            if window.name in slowest:
                self.record.add(f"faults_{window.name}")
                back = window.end - SECONDS_AFTER
                last = max((failure.end for failure in failures if failure.kind == "read"), default=back)
                slowest[window.name] = max(slowest[window.name], last - back)
        for name, seconds in slowest.items():
            figure(f"reads_failed_after_{name}", f"{seconds:.3f}", "s")

    def judge_memory(self):
        if not self.medians:
            self.record.wrong("missing", "the memory of the whole run")
            return
        for number, median in enumerate(self.medians, 1):
            figure(f"memory_of_fifth_{number}", f"{median / MIB:.1f}", "MiB")
        if not is_flat(self.medians):
            self.record.wrong("memory_growth", f"{[round(median / MIB) for median in self.medians]} MiB")


def figure(name, value, unit):
    print(f"soak_{name} {value} {unit}", flush=True)


def main():
    unwind_on_sigterm()
    binary, directory, seconds, seed = sys.argv[1:]
    soak = Soak(binary, directory, float(seconds), seed)
    figure("seed", seed, "number")
    try:
        soak.run()
    except (Failed, subprocess.CalledProcessError) as error:
        soak.record.wrong("steps_failed", str(error))
    sys.exit(soak.report())


if __name__ == "__main__":
    main()
