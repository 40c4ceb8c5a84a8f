"""Ways out that lines name: addresses to be copied into a shell, and short lists of names."""

import shlex
from pathlib import Path

from munet.tasks.sources.base import split_address
from munet.tasks.sources.folder.layout import Layout


def by_pattern(root: Path, pattern: str) -> str:
    """The address of a folder read by a pattern, in quotes; empty where no address can say so, for it holds an `&`."""
    address = f"folder:{root}?pattern={pattern}"
    return shlex.quote(address) if split_address(address) == (f"folder:{root}", {"pattern": pattern}) else ""


def as_it_is(layout: Layout) -> str:
    """The address that takes the folders as they were read, without doubts."""
    return f"folder:{layout.root}?level={1 if layout.splits == {'train': layout.root} else 2}"


def class_folders(layout: Layout, but: str = "") -> str:
    """The beginning of a regular expression: the path of a class folder, but where `but` follows.

    Empty where the splits lie at different depths.
    """
    if layout.splits == {"train": layout.root}:
        return f"^(?P<class>{but}[^/]+)/"
    direct = all(folder.parent == layout.root for folder in layout.splits.values())
    return f"^(?P<split>[^/]+)/(?P<class>{but}[^/]+)/" if direct else ""


def few(names: list[str]) -> str:
    """The first three of the names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
