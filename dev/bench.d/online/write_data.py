"""write_data.py DIRECTORY USERS: the definitions and an Arrow file for each view."""

import sys
import time
from pathlib import Path

import data
from views import write_definitions
from world import SERVICES, VIEWS

directory, users = Path(sys.argv[1]), int(sys.argv[2])
write_definitions(directory / "definitions", VIEWS, SERVICES)
now = time.time_ns() // 1000
for view in VIEWS:
    data.write(directory, view, users, now)
