"""Names of the records of tasks: which names a task may have, and which files are no records."""

import unicodedata

from munet.errors import InputError


def is_task_file(name: str) -> bool:
    """Whether a task may have this name: not the copies and backups that other programs leave beside its record."""
    letters = all(letter in "-_." or unicodedata.category(letter)[0] in "LMN" for letter in name)
    return bool(name) and letters and name[0] not in ".-"


def task_file(name: str) -> str:
    """The file of a task's record, in the folder of tasks. Raises InputError for a name that is no file name."""
    if not name or name[0] in ".~" or any(c in '/\\:*?"<>|' or not c.isprintable() for c in name):
        raise InputError(f"{name!r} is no task name: use letters, digits, '-', '_', and '.' but not first")
    if len(name.encode()) > 100:
        raise InputError(f"the task name {name[:20]!r}… takes {len(name.encode())} bytes: use at most 100")
    return f"{name}.json"
