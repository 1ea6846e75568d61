"""load_feast.py DIRECTORY: the views that are compared, in Feast's part of PostgreSQL and Redis."""

import sys
from pathlib import Path

import data
import feast_peer
from world import FEAST_DATABASES, MIXED, ONE, feast_directory

directory = Path(sys.argv[1])
for view in (ONE, MIXED):
    feast_peer.load(feast_directory(directory, view), FEAST_DATABASES[view.name], view, data.read(directory, view))
