"""Published task names such as `cmaterdb/bangla` as names that a munet task may have, and as tasks of the catalog."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from munet.tasks.names import MAX_BYTES, check_name

if TYPE_CHECKING:
    from munet.catalog import Task

PRIVATE = "private:"
_ONE_K = "/1k"


def task_names(published: Iterable[str], wished: Mapping[str, str] | None = None) -> dict[str, str]:
    """Published name -> ours, all different. `wished` names come first where they are free."""
    names: dict[str, str] = {}
    for task in published:
        name = (wished or {}).get(task) or _allowed(task.removeprefix(PRIVATE))
        free, number = name, 2
        while free in names.values():
            free, number = f"{name}-{number}", number + 1
        names[task] = check_name(free)
    return names


def _allowed(text: str) -> str:
    """`emnist/digits` -> `emnist-digits`."""
    kept = "".join(
        letter if letter in "-_." or unicodedata.category(letter)[0] in "LMN" else "-"
        for letter in unicodedata.normalize("NFC", text)
    )
    short = kept.lstrip(".-").encode()[: MAX_BYTES - 4].decode(errors="ignore")  # room for a number
    return short or "task"


def in_catalog(classes: Mapping[str, int]) -> "dict[str, Task]":
    """Published name -> task of the catalog with as many classes, for those that it has. Needs munet.experiments."""
    from munet.catalog import find_tasks

    known = [task for task in find_tasks() if task.group != "local"]
    found: dict[str, Task] = {}
    for name, outputs in classes.items():
        title, small = name.removeprefix(PRIVATE).removesuffix(_ONE_K), name.endswith(_ONE_K)
        match = [task for task in known if task.title == title and (task.group == "vtab-1k") == small]
        if match and match[0].classes == outputs:
            found[name] = match[0]
    return found
