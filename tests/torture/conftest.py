"""The campaign against the store runs when it is asked for: `make torture`, or the ten minutes of it by `-m slow`."""

from collections.abc import Iterator

import pytest

from torture_tools import TALLIES


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the whole of it out unless the marker `torture` is asked for by name."""
    if "torture" in (config.getoption("-m") or ""):
        return
    left = [item for item in items if item.get_closest_marker("torture") is not None]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session", autouse=True)
def figures() -> Iterator[None]:
    """Print what docs/reliability.md has as a table."""
    yield
    for tally in TALLIES:
        print(f"\n| {tally.name} | {tally.cases:,} | {len(tally.failures)} |", end="")
