"""Which files are records of tasks, and which names a task can have for its file."""

import unicodedata

from munet.errors import InputError

_MOST = 100  # bytes


def is_task_file(name: str) -> bool:
    """Whether a task may have this name: not the copies and backups that other programs leave beside its record."""
    letters = all(letter in "-_." or unicodedata.category(letter)[0] in "LMN" for letter in name)
    return bool(name) and letters and name[0] not in ".-"


def refuse_no_file_name(name: str) -> None:
    """InputError for a name that no file can have on every system."""
    if not name or name[0] in ".~" or any(c in '/\\:*?"<>|' or not c.isprintable() for c in name):
        raise InputError(f"{name!r} is no task name: use letters, digits, '-', '_', and '.' but not first")
    if len(name.encode()) > _MOST:
        raise InputError(f"the task name {name[:20]!r}… takes {len(name.encode())} bytes: use at most {_MOST}")
