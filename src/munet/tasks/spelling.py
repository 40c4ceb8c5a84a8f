"""Classes whose names differ in case, or in the form of their accents, only: perhaps they are meant as one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from munet.tasks.split_names import normal

_SHOWN = 3


def told_of_twins(classes: Sequence[str], notes: Iterable[str]) -> list[str]:
    """A sentence on such classes, or none. Those that one of the source's `notes` names already are passed over."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        alike[normal(name)].append(name)
    told = list(notes)
    groups = [
        [f"'{name}'" for name in names]
        for names in alike.values()
        if len(names) > 1 and not any(all(f"'{name}'" in note for name in names) for note in told)
    ]
    if not groups:
        return []
    shown = "; ".join(" and ".join(names) for names in groups[:_SHOWN])
    more = f"; and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    return [f"classes that differ only in case or accents: {shown}{more}: write them alike if they are one"]
