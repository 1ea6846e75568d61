"""write_data.py DIRECTORY ROWS: the definitions and the rows, one for each entity."""

import sys
import time
from pathlib import Path

import data
from views import write_definitions
from world import SERVICES, VIEW

directory, rows = Path(sys.argv[1]), int(sys.argv[2])
write_definitions(directory / "definitions", [VIEW], SERVICES)
data.write(directory, VIEW, rows, time.time_ns() // 1000)
