"""Larder and its peers, each as the command that reads a spine and writes an answer."""

import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Larder:
    """Several views at once have their features named view__feature; one view alone has its own names."""

    binary: str
    name: str = "larder"

    def command(self, views, directory, spine, out):
        command = [
            self.binary, "training-set", "create", "--project", "bench", "--spine", spine, "--out", out,
            "--features", ",".join(view.selectors() for view in views)]
        return command + (["--full-feature-names"] if len(views) > 1 else [])

    @staticmethod
    def names(views, view):
        return [f"{view.name}__{feature}" if len(views) > 1 else feature for feature in view.features]


@dataclass(frozen=True)
class Peer:
    """One way of asking a peer. Each is asked in several, and the fastest counts.

    Not those that were rewritten for the spine at hand, which is what a query planner is for: they are measured and told,
    and the bars are not about them.
    """

    engine: str
    way: str
    is_rewritten: bool = False

    @property
    def name(self):
        return f"{self.engine}_{self.way}"

    def command(self, views, directory, spine, out):
        view, = views
        script = FOLDER / f"join_{self.engine}.py"
        return [sys.executable, str(script), self.way, view.as_argument(), str(directory), spine, out]


DUCKDB = [
    Peer("duckdb", "plain"), Peer("duckdb", "filtered", is_rewritten=True), Peer("duckdb", "streamed", is_rewritten=True)]
POLARS = [Peer("polars", way) for way in ("eager", "lazy", "stream")]
FEAST = [Peer("feast", way) for way in ("arrow", "pandas")]
CHECKER = DUCKDB[1]
