"""What the end-to-end tests share: processes, clients, and the exchanges they make."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
ORIGIN_FOLDER = REPOSITORY / "tests" / "origin"

# The stand-in is a program, but what it says can be computed: tests compare with that.
sys.path.insert(0, str(ORIGIN_FOLDER))
