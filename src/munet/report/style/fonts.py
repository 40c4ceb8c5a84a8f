"""Text in any script: fonts of this machine that can write it, and a sign for what none can."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from munet.text import UNKNOWN, cells

BASE = "DejaVu Sans"  # comes with matplotlib
_MOST_FONTS = 400  # looked into for missing letters


def ellipsis(text: str, most: int) -> str:
    """At most `most` cells: beginning and end stay, because names often differ in their last letters."""
    if cells(text) <= most:
        return text
    head, tail = text, text
    while cells(head) > most - 1 - (most - 1) // 3:
        head = head[:-1]
    while cells(tail) > (most - 1) // 3:
        tail = tail[1:]
    return f"{head}…{tail}"


def folded(name: str, most: int, lines: int) -> list[str]:
    """A name on at most so many lines of at most `most` cells, broken after `-`, `_` and `.` where that is possible."""
    found = [""]
    for part in re.findall(r"[^-_.]+[-_.]*|[-_.]+", name):
        if found[-1] and cells(found[-1] + part) > most:
            found.append("")
        for letter in part:  # a part that is too long by itself goes on in the next line
            if cells(found[-1] + letter) > most:
                found.append("")
            found[-1] += letter
    return found if len(found) <= lines else [*found[: lines - 1], ellipsis("".join(found[lines - 1 :]), most)]


def families(texts: Iterable[str]) -> list[str]:
    """Font families that together can write `texts`, the base first."""
    missing = {ord(c) for text in texts for c in text} - _letters(_path(BASE)) - {ord("\n")}
    found = [BASE]
    for name, path in _candidates() if missing else ():
        covered = missing & _letters(path)
        if covered:
            found.append(name)
            missing -= covered
        if not missing:
            break
    return found


def writable(text: str, fonts: list[str]) -> str:
    """`text` with a square for each character that none of the fonts has."""
    known = {ord("\n")}.union(*(_letters(_path(name)) for name in fonts))
    return "".join(c if ord(c) in known or unicodedata.category(c) == "Cf" else UNKNOWN for c in text)


@cache
def _letters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # listed in the cache of fonts and since removed, or damaged: it can write nothing
        return frozenset()


@cache
def _path(name: str) -> str:
    from matplotlib.font_manager import FontProperties, findfont

    return str(findfont(FontProperties(family=[name]), fallback_to_default=True))


@cache
def _candidates() -> list[tuple[str, str]]:
    """(family, file) of regular fonts; large families for many scripts first, plain before condensed or decorated."""
    from matplotlib.font_manager import fontManager

    def merit(entry: Any) -> tuple[bool, bool, int, str]:
        name = entry.name
        return (not name.startswith("Noto Sans"), "Condensed" in name or "Cond" in name, len(name), name)

    regular = [e for e in fontManager.ttflist if e.style == "normal" and e.weight in (400, "normal", "regular")]
    # matplotlib ships a font that has a box for every code point there is, and can write none of them
    regular = [e for e in regular if not e.name.startswith("Last Resort")]
    first: dict[str, str] = {}
    for entry in sorted(regular, key=merit):
        # findfont must come back to this very file, or the fallback would not have the letters
        if entry.name not in first and Path(entry.fname).is_file():
            first[entry.name] = str(entry.fname)
        if len(first) >= _MOST_FONTS:
            break
    return list(first.items())
