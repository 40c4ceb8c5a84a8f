"""Which folders are splits and which are classes.

    DIR/<class>/<any depth>/<image>     one split, `train`
    DIR/<split>/<class>/…/<image>       where sub-folders of DIR are called after splits, or count folds

A folder that holds nothing but one other folder is stepped through, as archives often have it: `x/x/<class>`,
`train/train/<class>`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from munet.errors import InputError
from munet.tasks.image_files import is_image
from munet.tasks.sources.folder.annotated import Annotated, read_annotated
from munet.tasks.sources.others import read_otherwise
from munet.tasks.sources.walk import files_below, files_in, folders_in
from munet.tasks.split_names import are_parts, in_grammar, match_splits, normal
from munet.tasks.splits import ALIASES, PARTS
from munet.tasks.twins import told_of_twins
from munet.text import counted


@dataclass
class Layout:
    """The class folders of each split: folder and name of the class; `root` holds the folders of splits or classes.

    `splits` are the folders that the paths of examples are relative to. Splits whose classes are not said by folders
    but by a table are `annotated`, and have none of `classes`. `notes` says what was left out and why: `unlabelled` are
    names of folders without class folders, `whole` what `classes` were of splits where some were left out.
    """

    root: Path
    splits: dict[str, Path] = field(default_factory=dict)
    classes: dict[str, list[tuple[Path, str]]] = field(default_factory=dict)
    annotated: dict[str, Annotated] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    whole: dict[str, list[tuple[Path, str]]] = field(default_factory=dict)


def find_layout(start: Path, level: str | None) -> Layout:
    """The layout of a folder; `level` 1 says that its sub-folders are classes, 2 that they are splits.

    InputError where there are no sub-folders, or two folders are the same split.
    """
    root = start if level else _step_in(start)
    children = folders_in(root)
    if not children:
        raise InputError(
            f"{root}: no sub-folders: put the images of each class in a sub-folder of its own, or say "
            f"?pattern={{class}}_* where names of files begin with the class{read_otherwise(root)}"
        )
    layout = Layout(root)
    if root != start:
        layout.notes.append(f"the classes are looked for in {root}, for the folders above it hold nothing else")
    if level == "2" or (level is None and _is_split_layout(children)):
        layout.splits = _splits(root, children)
    else:
        layout.splits = {"train": root}
    if layout.splits != {"train": root}:
        _step_into_splits(layout)
    layout.classes = {
        split: [(child, child.name) for child in folders_in(folder)] for split, folder in layout.splits.items()
    }
    if layout.splits != {"train": root}:
        _leave_out_unlabelled(layout)
        _join_spellings(layout)
    if level is None:
        _leave_out_unknown(layout)
    layout.notes += told_of_twins(name for folders in layout.classes.values() for _, name in folders)
    _note_loose(layout)
    _note_inner(layout)
    return layout


def _step_in(root: Path, classes: Collection[str] = (), *, split: bool = False) -> Path:
    """The folder below `root` that holds more than one folder, as long as nothing else is on the way.

    A folder called like one of `classes` is a class. One called after a split is a split, but in the folder of one.
    """
    while True:
        children = folders_in(root)
        if len(children) != 1 or children[0].name in classes or any(map(is_image, files_in(root))):
            return root
        if not folders_in(children[0]) or (match_splits([children[0].name]) and not split):
            return root
        root = children[0]


def _step_into_splits(layout: Layout) -> None:
    """Step through needless levels in the folders of splits: `test_set/test_set/<class>`."""
    known: set[str] = set()
    for split in sorted(layout.splits, key=lambda split: split != "train"):
        folder = _step_in(layout.splits[split], known, split=True)
        if folder != layout.splits[split]:
            layout.notes.append(f"the classes of {split} are looked for in {folder}")
        layout.splits[split] = folder
        if split == "train":
            known = {inner.name for inner in folders_in(folder)}


def _is_split_layout(children: Sequence[Path]) -> bool:
    """Whether sub-folders that have sub-folders of their own are called after splits."""
    inner = inner_names(children)
    usual = {*PARTS, *ALIASES}
    if any(name in usual and inner[name] for name in inner):
        return True
    if are_parts(list(inner)):
        return all(inner.values())
    # Other spellings may be classes: then all folders are splits, or the splits have the same folders.
    known = match_splits(inner)
    held = [inner[name] for name in known if inner[name]]
    alike = len(held) > 1 and 2 * len(set.intersection(*held)) >= max(map(len, held))
    if "train" not in known.values() or not held:
        return alike and len(known) == len(inner)
    return alike or all(name in known or len(match_splits(folders)) == len(folders) for name, folders in inner.items())


def _splits(root: Path, children: Sequence[Path]) -> dict[str, Path]:
    """Folder of each split. A usual name goes before another spelling of it, which then keeps its own name."""
    known = match_splits(child.name for child in children)
    exact = {child.name: ALIASES.get(child.name, child.name) for child in children}
    taken = {split for name, split in exact.items() if name in {*PARTS, *ALIASES}}
    folders: dict[str, Path] = {}
    for child in children:
        split = in_grammar(exact[child.name])
        if child.name not in {*PARTS, *ALIASES} and known.get(child.name, split) not in taken:
            split = known.get(child.name, split)
        if split in folders:
            raise InputError(f"{root}: {folders[split].name} and {child.name} are the same split: keep one of them")
        folders[split] = child
    return folders


def _leave_out_unlabelled(layout: Layout) -> None:
    """Take away splits without folders of classes: `test/*.jpg`, `test/unknown/*.jpg`, `val/images/*.jpg`, and folders
    beside splits that are none, because they share no class: `sample/train`."""
    known = {normal(name) for _, name in layout.classes.get("train", [])}
    for split, folder in list(layout.splits.items()):
        names = [name for _, name in layout.classes[split]]
        one = len(names) == 1 or split not in PARTS
        strange = one and known and split != "train" and known.isdisjoint(map(normal, names))
        if names and not strange:
            continue
        if split != "train" and (
            found := read_annotated(folder, {name for _, name in layout.classes.get("train", [])})
        ):
            missing = f", {found.missing:,} others are not there" if found.missing else ""
            count = counted(len(found.images), "image")
            layout.notes.append(f"{folder.name}: the classes of {count} are those of {found.table.name}{missing}")
            layout.annotated[split], layout.classes[split] = found, []
            continue
        count = sum(map(is_image, files_below(folder)))
        if split == "train" and (names or count):
            continue  # refused where its images are looked for
        only = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        lacks = f"no folder of a class of train, only '{only}'" if names else "no class folders"
        unlabelled = " without labels" if len(names) < 2 else ""
        what = f"{counted(count, 'image')}{unlabelled}" if count else "no images"
        layout.notes.append(f"{folder.name} has {lacks}: left out, {what}{read_otherwise(folder)}")
        if count and not names:
            layout.unlabelled.append(folder.name)
        del layout.splits[split], layout.classes[split]
    if not layout.splits:
        raise InputError(f"{layout.root}: no split has class folders: put the images of each class in one of its own")


def _leave_out_unknown(layout: Layout) -> None:
    """Take away classes that only folders beside train, validation and test have: nothing would be learned of them."""
    known = {name for _, name in layout.classes.get("train", [])}
    for split in [split for split in layout.classes if known and split not in PARTS]:
        strange = [(folder, name) for folder, name in layout.classes[split] if name not in known]
        if not strange:
            continue
        count = sum(is_image(file) for folder, _ in strange for file in files_below(folder))
        few = ", ".join(name for _, name in strange[:3]) + (", …" if len(strange) > 3 else "")
        layout.notes.append(
            f"{layout.splits[split].name} has {counted(len(strange), 'class')} that train does not have ({few}): left "
            f"out, {counted(count, 'image')}; folder:{layout.root}?level=2 takes them too"
        )
        layout.whole[split] = layout.classes[split]
        layout.classes[split] = [pair for pair in layout.classes[split] if pair not in strange]


def _join_spellings(layout: Layout) -> None:
    """One class for folders of different splits that differ in case or in the form of accents."""
    spelling: dict[str, str] = {}
    for folders in layout.classes.values():
        if len({normal(name) for _, name in folders}) < len(folders):
            return  # in one split they are different classes
    for split in sorted(layout.classes, key=lambda split: split != "train"):
        for index, (folder, name) in enumerate(layout.classes[split]):
            as_named = spelling.setdefault(normal(name), name)
            if as_named != name:
                layout.notes.append(f"'{name}' of {split} is the class '{as_named}'")
                layout.classes[split][index] = folder, as_named


def _note_loose(layout: Layout) -> None:
    """Images beside the class folders."""
    splits = [folder for split, folder in layout.splits.items() if split not in layout.annotated]
    for folder in dict.fromkeys([layout.root, *splits]):
        if count := sum(map(is_image, files_in(folder))):
            layout.notes.append(f"{counted(count, 'image')} right in {folder}, in no class folder: left out")


def _note_inner(layout: Layout) -> None:
    """Class folders that hold folders and no images: which level the classes are may surprise."""
    if layout.splits != {"train": layout.root}:
        return
    outer = [folder for folder, _ in layout.classes["train"]]
    if all(folders_in(folder) and not any(map(is_image, files_in(folder))) for folder in outer):
        inner = [folder.name for folder in folders_in(outer[0])]
        layout.notes.append(
            f"each folder of {layout.root} is a class, with all its sub-folders ({', '.join(inner[:3])} in "
            f"{outer[0].name}); ?pattern=**/{{class}}/* makes those the classes"
        )


def inner_names(folders: Sequence[Path]) -> Mapping[str, set[str]]:
    """Names of the sub-folders of each of `folders`, or of the one folder in it that holds them."""
    return {folder.name: {inner.name for inner in folders_in(_step_in(folder, split=True))} for folder in folders}
