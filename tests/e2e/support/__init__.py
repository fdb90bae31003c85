"""What the end-to-end tests share: processes, clients, and the exchanges they make."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
ORIGIN_FOLDER = REPOSITORY / "tests" / "origin"
