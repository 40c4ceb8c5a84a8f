"""Masks among the images: a folder of them beside the folder of the images, or files beside each, `cat 1_mask.png`.

Names alone say little, for people wear masks: a mask is called like an image that is there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from munet.errors import InputError
from munet.tasks.sources.folder.layout import Layout
from munet.tasks.sources.folder.ways import as_it_is, by_pattern, class_folders, few
from munet.tasks.sources.others import read_otherwise
from munet.tasks.sources.walk import folders_in
from munet.tasks.split_names import match_splits
from munet.text import counted

Labelled = Sequence[tuple[Path, str]]
"""Files of images and their classes."""

_MASKS = ("mask", "seg", "segmentation", "label", "annotation", "annot", "gt", "groundtruth", "truth", "trimap")
_WORDS = frozenset(word + ending for word in _MASKS for ending in ("", "s"))
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # SegmentationClass
_TAIL = re.compile(
    rf"(?P<of>.*?[^ _.-])(?P<tail>[ _.-]+(?:ground[ _-]?)?(?:{'|'.join(sorted(_WORDS))}))[ _-]*\d*",
    re.IGNORECASE | re.DOTALL,
)


def called_masks(name: str) -> bool:
    """Whether a folder is called like one of masks or annotations: `masks`, `SegmentationClass`, `train_labels`."""
    return not _WORDS.isdisjoint(re.split(r"[\W\d_]+", _HUMP.sub("_", name).casefold()))


def refuse_mask_folders(layout: Layout, files: Mapping[str, Labelled]) -> None:
    """InputError where a class is a folder of masks: it is called so, and nine in ten of its files are called like
    images of other classes."""
    for split, folders in layout.classes.items():
        others = [folder for folder, name in folders if not called_masks(name)]
        called = [(folder, name) for folder, name in folders if called_masks(name)]
        if not called or not others:
            continue
        stems = {path.stem: name for path, name in files[split] if not called_masks(name)}
        for folder, name in called:
            own = [path.stem for path, label in files[split] if label == name]
            of = [stems[image] for stem in own if (image := _stem_of(stem, stems)) in stems]
            if own and 10 * len(of) >= 9 * len(own):
                raise InputError(
                    f"{folder}: seems to hold masks of the images in {few(sorted(set(of)))}, for {len(of):,} of its "
                    f"{counted(len(own), 'file')} are called like those: {_without(layout, folder, others)}; "
                    f"{as_it_is(layout)} if it is a class all the same"
                )


def masks_beside(files: Iterable[tuple[Path, str]]) -> list[Path]:
    """Files called like an image in the same folder and then `_mask` or the like, or like an image of the same class
    and in a folder called so."""
    files = list(files)
    tailed = [(path, match["of"]) for path, _ in files if (match := _TAIL.fullmatch(path.stem))]
    parents = {path.parent for path, _ in files}
    below = {folder for folder in parents if called_masks(folder.name)}
    found: list[Path] = []
    if tailed:
        there = {(path.parent, path.stem) for path, _ in files}
        found += [path for path, of in tailed if (path.parent, of) in there]
    if below:
        images = {(name, path.stem) for path, name in files if path.parent not in below}
        stems = {stem for _, stem in images}
        inner = [(path, name) for path, name in files if path.parent in below and path.parent.name != name]
        found += [path for path, name in inner if (name, _stem_of(path.stem, stems)) in images]
    return list(dict.fromkeys(found))


def refuse_masks_beside(layout: Layout, files: Mapping[str, Labelled]) -> None:
    """InputError where a third of the images or more are masks of the others."""
    every = [pair for labelled in files.values() for pair in labelled]
    masks = masks_beside(every)
    if masks and 3 * len(masks) >= len(every):
        raise InputError(
            f"{layout.root}: {told_of_masks(masks, layout)}; {as_it_is(layout)} if they are images all the same"
        )


def told_of_masks(masks: Sequence[Path], layout: Layout | None) -> str:
    """What to say of masks beside the images, and how to leave them out."""
    what, each = ("seems", "mask") if len(masks) == 1 else ("seem", "masks")
    said = f"{counted(len(masks), 'image')} {what} to be {each} of others, such as {masks[0]}"
    start = class_folders(layout) if layout is not None else ""
    way = by_pattern(layout.root, start + _but(masks)) if layout is not None and start else ""
    return f"{said}: {f'{way} leaves them out' if way else 'move them elsewhere if they are'}"


def _but(masks: Iterable[Path]) -> str:
    """What no path of an image fits, as a regular expression: the ends of the names of masks, their folders."""
    tails: set[str] = set()
    folders: set[str] = set()
    for path in masks:
        if match := _TAIL.fullmatch(path.stem):
            tails.add(re.escape(match["tail"]))
        else:
            folders.add(re.escape(path.parent.name))
    by_name = rf"(?!.*(?:{'|'.join(sorted(tails))})[ _-]*\d*(?:\.\w+){{0,1}}$)" if tails else ""
    return by_name + (f"(?!(?:.*/){{0,1}}(?:{'|'.join(sorted(folders))})/)" if folders else "")


def _stem_of(stem: str, images: Iterable[str]) -> str:
    """The name of the image that a mask is of."""
    match = None if stem in images else _TAIL.fullmatch(stem)
    return match["of"] if match else stem


def _without(layout: Layout, masks: Path, others: Sequence[Path]) -> str:
    """How to read the images without the folder of their masks."""
    if len(others) > 1:
        start = class_folders(layout, f"(?!{re.escape(masks.name)}/)")
        way = by_pattern(layout.root, start) if start else ""
        return f"say {way} to leave it out" if way else f"move it out of {masks.parent}"
    if way := _alone(layout, others[0]):
        return f"read the images alone, {way}"
    return (
        "a task needs a class for each image: read a table of labels, csv:FILE, or put the images of each class in a "
        f"sub-folder of its own, without masks{read_otherwise(layout.root)}"
    )


def _alone(layout: Layout, images: Path) -> str:
    """The address of the one folder of images in each split, where it holds folders of classes."""
    inner = folders_in(images)
    if len(inner) < 2:
        return ""
    if layout.splits != {"train": layout.root}:
        return by_pattern(layout.root, f"{{split}}/{images.name}/{{class}}/**") if class_folders(layout) else ""
    splits = match_splits(folder.name for folder in inner)
    classes = len(splits) < len(inner) or all(len(folders_in(folder)) > 1 for folder in inner)
    return f"folder:{images}" if classes else ""
