"""What shows one run elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Tracker(Protocol):
    """One run, as it is shown elsewhere."""

    def put(self, numbers: Mapping[str, float], step: int) -> None:
        """Show these numbers at a step, which never falls."""
        ...

    def close(self) -> None: ...


Begin = Callable[[str, Mapping[str, Any]], Tracker]  # (run, what it was asked)
