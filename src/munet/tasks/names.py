"""Which names a task may have."""

import unicodedata
from collections.abc import Collection
from itertools import count

from munet.errors import InputError

MAX_BYTES = 100


def check_name(name: str) -> str:
    """`name` in Unicode normal form C, when it can name a task; it also names a file of the system.

    Letters and digits of any script, `-`, `_` and `.` are allowed; a dot or a minus sign may not come first; at most
    100 bytes in UTF-8.
    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise InputError("the task name is empty")
    wrong = next((letter for letter in name if not _allowed(letter)), None)
    if wrong is not None:
        raise InputError(f"task name {name!r}: {wrong!r} is not allowed: use letters, digits, '-', '_' and '.'")
    if name[0] in ".-":
        raise InputError(f"task name {name!r}: it must not start with '{name[0]}'")
    if len(name.encode()) > MAX_BYTES:
        raise InputError(
            f"task name {name[:20] + '...'!r}: {len(name.encode())} bytes, at most {MAX_BYTES} are allowed"
        )
    return name


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name that no task has yet: this one, else with the first number from 2 on that is free."""
    numbered = (f"{wanted}-{number}" for number in count(2))
    return wanted if wanted not in taken else next(name for name in numbered if name not in taken)


def _allowed(letter: str) -> bool:
    # Marks (M) belong to the letters of many scripts, such as Devanagari.
    return letter in "-_." or unicodedata.category(letter)[0] in "LMN"
