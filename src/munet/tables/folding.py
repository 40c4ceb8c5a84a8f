"""Where a text is broken that is wider than its column: at spaces, inside a word after `_ - . : , =` or before `+`, and
only then anywhere."""

import itertools
import re

from rich.cells import cell_len

_WORDS = re.compile(r"(?<= )")
_PIECES = re.compile(r"(?=\+)|(?<=[-_.:,=/])(?=\w)")


def breaks(text: str, most: int) -> list[int]:
    """The places at which a line of at most `most` cells begins, but the first. A word that fits is not broken."""
    found: list[int] = []
    begin = place = 0  # of the line, and of what is looked at

    def fits(part: str) -> bool:
        return cell_len(text[begin:place] + part.rstrip(" ")) <= most

    for word in _WORDS.split(text):
        whole = cell_len(word.rstrip(" ")) <= most
        for piece in [word] if whole else _PIECES.split(word):
            if place > begin and not fits(piece):
                found.append(begin := place)
            for letter in piece:
                if place > begin and not fits(letter):
                    found.append(begin := place)
                place += len(letter)
    return found


def folded(text: str, most: int) -> list[str]:
    """The lines of a text."""
    ends = [0, *breaks(text, most), len(text)]
    return [text[begin:end].strip() for begin, end in itertools.pairwise(ends)]
