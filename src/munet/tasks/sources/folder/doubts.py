"""Layouts that can be read, but are probably meant otherwise: a new task of one is refused with the way out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from munet.errors import InputError
from munet.tasks.sources.folder.layout import Layout, inner_names
from munet.tasks.sources.folder.masks import Labelled, called_masks, refuse_mask_folders, refuse_masks_beside
from munet.tasks.sources.folder.ways import by_pattern, few
from munet.tasks.sources.others import read_otherwise
from munet.tasks.sources.walk import folders_in
from munet.tasks.split_names import are_parts, in_grammar, match_splits, normal, says_nothing


def refuse_doubtful(layout: Layout, files: Mapping[str, Labelled]) -> None:
    """InputError where the folders that are taken for classes look like splits, parts, sites, masks, or a copy of it
    all; `files` are the images of each split."""
    _refuse_unspeakable(layout)
    refuse_mask_folders(layout, files)
    if layout.splits == {"train": layout.root}:
        _refuse_in_one(layout)
    else:
        _refuse_nested(layout)
        _refuse_beside(layout)
        _refuse_sites_in_splits(layout)
    refuse_masks_beside(layout, files)


def _refuse_in_one(layout: Layout) -> None:
    """Folders without splits."""
    folders = folders_in(layout.root)
    names = [folder.name for folder in folders]
    if len(names) == 1:
        raise InputError(
            f"{layout.root}: all images are of class '{names[0]}', there must be at least 2: one sub-folder for each, "
            f"or ?pattern={{class}}_* where names of files begin with it{read_otherwise(layout.root)}"
        )
    known, some = match_splits(names), few(names)
    if (known and len(known) == len(names)) or are_parts(names):
        what = "are called after splits" if known else "look like parts of one set"
        raise InputError(
            f"{layout.root}: {some} {what} but hold no class folders: put the images of each class in a sub-folder of "
            f"its own, read a table of labels, csv:FILE, or say ?pattern={{split}}/{{class}}_* where names of files "
            f"begin with the class{_LEVEL}"
        )
    inner = inner_names(folders)
    for name in names:
        others = set(names) - {name}
        if len(inner[name] & others) > 1 and 2 * len(inner[name] & others) >= len(others):
            raise InputError(
                f"{layout.root / name} holds folders of the same names as those beside it ({few(sorted(others))}), as "
                f"if it were a copy of all: remove it, or read it alone, folder:{layout.root / name}{_LEVEL}"
            )
    if same := _same_inside(inner.values()):
        ways = _ways_without_splits(layout.root, folders, same)
        raise InputError(f"{layout.root}: {some} have the same sub-folders ({few(sorted(same))}): {ways}")


def _same_inside(names: Iterable[set[str]]) -> set[str]:
    """The names of the sub-folders that all folders have, of which `names` has each one's, if they are the same and
    several."""
    first, *others = [*names] or [set()]
    return first if others and len(first) > 1 and all(there == first for there in others) else set()


def _ways_without_splits(root: Path, folders: Sequence[Path], same: Collection[str]) -> str:
    """How to read folders of the same sub-folders, which may be sites, splits or classes."""
    outer = [folder.name for folder in folders]
    these = f"if {few(outer)} are the classes"
    if len(match_splits(same)) == len(same):
        by_outer = f"{by_pattern(root, '{class}/{split}/**')} {these}"
        below = {leaf.name for folder in folders for split in folders_in(folder) for leaf in folders_in(split)}
        if len(below) < 2:
            return f"say {by_outer} and the others splits; ?level=1 if they are no splits"
        return f"say {by_pattern(root, '*/{split}/{class}/**')} if {few(sorted(below))} are the classes, {by_outer}"
    kind = _kind(same)
    only = f"{by_pattern(root, f'{{class}}/{kind}/**')} to take the {kind}; say " if kind else ""
    return (
        f"say {only}folder:{root}?level=2 if these are the classes and the others splits, to use as "
        f"--train '{in_grammar(outer[0])}'; folder:{root}?level=1 {these}"
    )


def _kind(folders: Collection[str]) -> str | None:
    """Which of the sub-folders of all classes holds the images themselves: `images` beside `masks`."""
    plain = [name for name in sorted(folders) if not called_masks(name)]
    return next((name for name in plain if says_nothing(name)), plain[0] if len(plain) == 1 else None)


def _refuse_sites_in_splits(layout: Layout) -> None:
    """Folders in a split that have the same sub-folders, as sites have: `train/site_a/cat`, `train/site_b/cat`."""
    first = max(layout.classes, key=lambda split: (split == "train", len(layout.classes[split])))
    outer = [folder for folder, _ in layout.classes[first]]
    if not (same := _same_inside(inner_names(outer).values())):
        return
    names = few([folder.name for folder in outer])
    kind = _kind(same)
    direct = all(folder.parent == layout.root for folder in layout.splits.values())
    if not direct or any(folder / name not in folders_in(folder) for folder in outer for name in same):
        # A needless level here or there: the class is the folder of the file, or the one above `images`.
        pattern = f"^(?P<split>[^/]+)/(?:.*/){{0,1}}(?P<class>[^/]+)/{f'{kind}/' if kind else '[^/]+$'}"
    else:
        pattern = f"{{split}}/{{class}}/{kind}/**" if kind else "{split}/*/{class}/**"
    ways = f"{by_pattern(layout.root, pattern)} {f'to take the {kind}' if kind else 'if these are the classes'}"
    raise InputError(
        f"{layout.splits[first]}: {names} have the same sub-folders ({few(sorted(same))}): say {ways}; "
        f"folder:{layout.root}?level=2 if {names} are the classes"
    )


def _refuse_nested(layout: Layout) -> None:
    """Splits whose folders are hardly classes: splits again, as `fold_0/train`, or `images` alone."""
    names = [{name for _, name in folders} for folders in layout.classes.values() if folders]
    found = sorted(set[str]().union(*names))
    if len(found) > 1 and len(match_splits(found)) == len(found) and names[1:] == names[:-1]:
        one = next(iter(layout.splits.values()))
        raise InputError(
            f"{layout.root}: each of {few(list(layout.splits))} holds splits again ({few(found)}): read one of them, "
            f"folder:{one}{_LEVEL.replace('they', few(list(layout.splits)))}"
        )
    if len(found) == 1 and says_nothing(found[0]):
        raise InputError(
            f"{layout.root}: {few(list(layout.splits))} hold no folders of classes, only '{found[0]}': put the images "
            "of each class in a sub-folder of its own, or read a table of labels, csv:FILE"
        )


def _refuse_beside(layout: Layout) -> None:
    """Folders of images beside those of validation or test, called like their classes, and no train."""
    classes = {normal(name) for folders in layout.classes.values() for _, name in folders}
    beside = [name for name in layout.unlabelled if normal(name) in classes]
    if beside and "train" not in layout.splits:
        raise InputError(
            f"{layout.root}: {few(beside)} are called like classes of {few(list(layout.splits))} and lie beside it, "
            "and there is no train: put them in a folder called train, or say ?level=2 to leave them out"
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
