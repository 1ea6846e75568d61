"""load_feast.py DIRECTORY ROWS: the first rows, in a table of Feast's database, and its definitions."""

import sys
from pathlib import Path

import data
import feast_peer
from world import FEAST_DATABASE, VIEW

directory, rows = Path(sys.argv[1]), int(sys.argv[2])
repository = directory / "feast"
feast_peer.write_repository(repository, FEAST_DATABASE)
feast_peer.write_table(VIEW, data.read(directory, VIEW).slice(0, rows))
feast_peer.apply(feast_peer.open_store(repository), VIEW)
