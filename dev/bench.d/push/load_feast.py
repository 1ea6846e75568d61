"""load_feast.py DIRECTORY: Feast's definitions, and some rows: what was never materialized it does not serve."""

import sys
import time
from pathlib import Path

import data
import feast_peer
from world import FEAST_DATABASE, VIEW

rows = data.table(VIEW, 1_000, time.time_ns() // 1000)
feast_peer.load(Path(sys.argv[1]) / "feast", FEAST_DATABASE, VIEW, rows)
