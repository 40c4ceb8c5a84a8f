"""Layouts that can be read, but are probably meant otherwise: a new task of one is refused with the way out."""

from collections.abc import Collection

from munet.errors import InputError
from munet.tasks.sources.folder.layout import Layout, inner_names
from munet.tasks.sources.others import read_otherwise
from munet.tasks.sources.walk import folders_in
from munet.tasks.split_names import are_parts, in_grammar, match_splits, normal, says_nothing


def refuse_doubtful(layout: Layout) -> None:
    """InputError where the folders that are taken for classes look like splits, parts, sites, or a copy of it all."""
    _refuse_unspeakable(layout)
    if layout.splits != {"train": layout.root}:
        _refuse_nested(layout)
        _refuse_beside(layout)
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
            f"its own, read a table of labels, csv:FILE, or say ?pattern={{split}}/{{class}}_* where names of files "
            f"begin with the class{_LEVEL}"
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
            f"{layout.root}: {few} have the same sub-folders ({_few(sorted(first))}): {_within(first)}say ?level=2 if "
            f"these are the classes and the others splits, to use as --train '{in_grammar(names[0])}'; ?level=1 if "
            f"{few} are the classes"
        )


def _refuse_nested(layout: Layout) -> None:
    """Splits whose folders are hardly classes: splits again, as `fold_0/train`, or `images` alone."""
    names = [{name for _, name in folders} for folders in layout.classes.values() if folders]
    found = sorted(set[str]().union(*names))
    if len(found) > 1 and len(match_splits(found)) == len(found) and names[1:] == names[:-1]:
        one = next(iter(layout.splits.values()))
        raise InputError(
            f"{layout.root}: each of {_few(list(layout.splits))} holds splits again ({_few(found)}): read one of them, "
            f"folder:{one}{_LEVEL.replace('they', _few(list(layout.splits)))}"
        )
    if len(found) == 1 and says_nothing(found[0]):
        raise InputError(
            f"{layout.root}: {_few(list(layout.splits))} hold no folders of classes, only '{found[0]}': put the images "
            "of each class in a sub-folder of its own, or read a table of labels, csv:FILE"
        )


def _refuse_beside(layout: Layout) -> None:
    """Folders of images beside those of validation or test, called like their classes, and no train."""
    classes = {normal(name) for folders in layout.classes.values() for _, name in folders}
    beside = [name for name in layout.unlabelled if normal(name) in classes]
    if beside and "train" not in layout.splits:
        raise InputError(
            f"{layout.root}: {_few(beside)} are called like classes of {_few(list(layout.splits))} and lie beside it, "
            "and there is no train: put them in a folder called train, or say ?level=2 to leave them out"
        )


def _within(folders: Collection[str]) -> str:
    """A pattern for sub-folders of classes that are splits, or kinds of pictures."""
    splits = match_splits(folders)
    if len(splits) == len(folders):
        return "say ?pattern={class}/{split}/** if they are splits; "
    kind = next((name for name in sorted(folders) if says_nothing(name)), None)
    return f"say ?pattern={{class}}/{kind}/** to take the {kind}; " if kind else ""


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
