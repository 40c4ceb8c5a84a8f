"""Layouts that can be read, but are probably meant otherwise: a new task of one is refused with the way out."""

from munet.errors import InputError
from munet.tasks.sources.folder.layout import Layout, inner_names
from munet.tasks.sources.others import read_otherwise
from munet.tasks.sources.walk import folders_in
from munet.tasks.split_names import are_parts, match_splits


def refuse_doubtful(layout: Layout) -> None:
    """InputError where the folders that are taken for classes look like splits, parts, sites, or a copy of it all."""
    _refuse_unspeakable(layout)
    if layout.splits != {"train": layout.root}:
        return
    folders = folders_in(layout.root)
    names = [folder.name for folder in folders]
    if len(names) == 1:
        raise InputError(
            f"{layout.root}: all images are of class '{names[0]}', there must be at least 2: one sub-folder for each, "
            f"or ?pattern={{class}}_* where names of files begin with it{read_otherwise(layout.root)}"
        )
    known, few = match_splits(names), _few(names)
    if (known and len(known) == len(names)) or are_parts(names):
        what = "are called after splits" if known else "look like parts of one set"
        raise InputError(
            f"{layout.root}: {few} {what} but hold no class folders: put the images of each class in a sub-folder of "
            f"its own, or read a table of labels, csv:FILE{_LEVEL}"
        )
    inner = inner_names(folders)
    for name in names:
        others = set(names) - {name}
        if len(inner[name] & others) > 1 and 2 * len(inner[name] & others) >= len(others):
            raise InputError(
                f"{layout.root / name} holds folders of the same names as those beside it ({_few(sorted(others))}), as "
                f"if it were a copy of all: remove it, or read it alone, folder:{layout.root / name}{_LEVEL}"
            )
    first = inner[names[0]]
    if len(names) > 1 and len(first) > 1 and all(there == first for there in inner.values()):
        raise InputError(
            f"{layout.root}: {few} have the same sub-folders ({_few(sorted(first))}): say ?level=2 if these are the "
            f"classes and the others splits, to use as --train '{names[0]}[10%:]'; ?level=1 if {few} are the classes"
        )


def _refuse_unspeakable(layout: Layout) -> None:
    """Names of classes are stored as text."""
    for folder, name in (pair for folders in layout.classes.values() for pair in folders):
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{folder}: the name of this folder is not UTF-8, as if packed by another system: rename it"
            ) from error


_LEVEL = "; ?level=1 if they are classes all the same"


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
