"""Text of foreign origin made safe to show. The one place for it."""

import unicodedata

UNKNOWN = "\N{WHITE SQUARE}"


_DIRECTION_MARKS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def clean(text: str) -> str:
    """`text` on one line, without control characters or marks that turn the direction of what follows."""
    return "".join(
        UNKNOWN if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or ord(c) in _DIRECTION_MARKS else c
        for c in text
    )


def cells(text: str) -> int:
    """Width of `text` in Latin letters: those of East Asian scripts count as two, marks on others as none."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
