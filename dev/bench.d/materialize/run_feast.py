"""run_feast.py DIRECTORY ROWS: Feast publishes its table; prints the seconds of that alone, its start not among them.

As its documentation says of initial loads: only the newest rows are pulled, batches are written, and what is stored is
not asked for first.
"""

import sys
import time
from pathlib import Path

import data
import feast_peer
from world import VIEW

directory, rows = Path(sys.argv[1]), int(sys.argv[2])
store = feast_peer.open_store(directory / "feast")
store.config.online_store.skip_dedup = True
published = data.read(directory, VIEW).slice(0, rows)
begun = time.perf_counter()
feast_peer.materialize(store, VIEW, published)
print(f"seconds {time.perf_counter() - begun}")
