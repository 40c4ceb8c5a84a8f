"""Where the checkout is, for tests that read its docs or run its sources."""

from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SOURCES, DOCS = REPO / "src", REPO / "docs"
