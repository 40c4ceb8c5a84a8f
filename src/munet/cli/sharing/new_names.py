"""TASK=NEWNAME, as `--as` is given."""

from collections.abc import Sequence

from munet.errors import InputError
from munet.tasks.names import check_name


def parsed(words: Sequence[str] | None) -> dict[str, str]:
    """TASK=NEWNAME, each. InputError for what is none, for a name that no task may have, or one that is given twice."""
    found = dict[str, str]()
    for word in words or ():
        task, equals, name = word.partition("=")
        if not (task and equals and name):
            raise InputError(f"--as {word}: write TASK=NEWNAME, for instance --as flowers=flowers-alice")
        if task in found or check_name(name) in found.values():
            raise InputError(f"--as {word}: a task has one new name, and a name is one task's")
        found[task] = check_name(name)
    return found
