"""Text of foreign origin made safe to show, and numbers with their nouns. The one place for both."""

import json
import unicodedata

UNKNOWN = "\N{WHITE SQUARE}"  # every font that munet draws with has it, unlike U+FFFD

# Explicit marks can turn the order of all that follows. Joiners stay: scripts such as Devanagari need them.
_DIRECTION_MARKS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def clean(text: object) -> str:
    """`text` on one line, with a square for each control character, lone surrogate, or mark that turns the direction.

    For names, classes and paths, which come from files that others wrote.
    """
    return "".join(
        UNKNOWN if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or ord(c) in _DIRECTION_MARKS else c
        for c in str(text)
    )


def cells(text: str) -> int:
    """Width of `text` in Latin letters: those of East Asian scripts count as two, marks on others as none."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def counted(amount: int, noun: str) -> str:
    """`1 task`, `2,000 tasks`; `class` and the like take `es`."""
    ending = "" if amount == 1 else "es" if noun.endswith("s") else "s"
    return f"{amount:,} {noun}{ending}"


def value_text(value: object, *, nothing: str = "-", truth: tuple[str, str] = ("true", "false")) -> str:
    """A hyperparameter or setting as a person would write it; `truth` are the words for True and False."""
    if value is None:
        return nothing
    if isinstance(value, bool):
        return truth[0] if value else truth[1]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict | list | tuple):
        return clean(json.dumps(value, ensure_ascii=False))
    return clean(value)
