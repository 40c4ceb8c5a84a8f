"""History as the JSON value that the page draws (docs/report.md says what each key holds)."""

from typing import Any

from ..palette import colour

SCHEMA = 1


def task_look(number: int) -> dict[str, str]:
    """Colours of the n-th task on light and on dark ground."""
    return {"colour": colour(number), "dark": colour(number)}


def payload() -> None:
    return None
