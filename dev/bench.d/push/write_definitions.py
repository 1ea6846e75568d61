"""write_definitions.py DIRECTORY: Larder's definitions."""

import sys
from pathlib import Path

from views import write_definitions
from world import SERVICES, VIEW

write_definitions(Path(sys.argv[1]) / "definitions", [VIEW], SERVICES)
