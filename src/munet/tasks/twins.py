"""Classes that are probably one, written in several ways: `Daisy` and `daisy`, `red fox` with a blank behind it."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from munet.tasks.split_names import normal

_NAMED = 3
_JOIN = "give them one name if they are one"


def told_of_twins(names: Iterable[str]) -> list[str]:
    """One note of the classes whose names differ only in case, in the form of accents, or in blanks and signs that do
    not show; none where there are none."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        groups[_form(name)].append(name)
    twins = [group for group in groups.values() if len(group) > 1]
    if not twins:
        return []
    some = [" and ".join(_shown(name, group) for name in group) for group in twins[:_NAMED]]
    if len(twins) == 1:
        count = "two" if len(twins[0]) == 2 else str(len(twins[0]))
        return [f"{some[0]} are {count} classes: {_JOIN}"]
    more = f"; {len(twins) - _NAMED} more such" if len(twins) > _NAMED else ""
    return [f"{'; '.join(some)}{more}: these are different classes: {_JOIN}"]


def _form(name: str) -> str:
    """What names have in common that a person takes for the same."""
    seen = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    return normal(" ".join(seen.split()))


def _shown(name: str, group: Sequence[str]) -> str:
    """A name in quotes, with what does not show in it as its number; how its accents are stored where others of the
    group look the same."""
    form = unicodedata.normalize("NFC", name)
    alike = [other for other in group if other != name and unicodedata.normalize("NFC", other) == form]
    text = "".join(f"\\u{ord(sign):04x}" if _hidden(sign) else sign for sign in name)
    return f"'{text}'{f' ({_accents(name)})' if alike else ''}"


def _hidden(sign: str) -> bool:
    return sign != " " and (sign.isspace() or unicodedata.category(sign) == "Cf")


def _accents(name: str) -> str:
    if unicodedata.is_normalized("NFC", name):
        return "composed"
    return "decomposed" if unicodedata.is_normalized("NFD", name) else "partly composed"
