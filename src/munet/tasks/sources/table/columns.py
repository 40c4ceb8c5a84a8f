"""Which columns of a table hold the images, the labels and the splits: those that were named, or those that look so."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from munet.errors import InputError, suggest
from munet.tasks.sources.table.read import Table
from munet.tasks.split_names import match_splits

_IMAGE = (
    "image", "images", "img", "imagepath", "imgpath", "path", "filepath", "filename", "file", "imagefile", "imgfile",
    "imageid", "imgid", "imagename", "imgname", "imagefilename", "photo", "picture", "name", "id", "uuid",
)  # fmt: skip
_LABEL = (
    "label", "labels", "class", "classes", "classname", "labelname", "category", "categoryname", "target", "species",
    "breed", "diagnosis", "dx", "finding", "findinglabels", "tag", "tags", "type", "classid", "labelid", "categoryid",
    "y",
)  # fmt: skip
_SPLIT = ("split", "set", "subset", "partition", "usage", "dataset", "datasplit", "phase")
_TRUTHS = (("true", "false"), ("1", "0"), ("yes", "no"), ("t", "f"), ("y", "n"))
_LONGEST = 1024  # letters that a path may have
_TRIED = 50  # rows that tell whether a column names files


@dataclass(frozen=True)
class Columns:
    """Names of the columns. `label` is empty where each of `classes` has a column of 0 and 1 of its own; `split` is
    empty where there is none. `guessed` holds the options that nobody gave."""

    image: str
    label: str
    split: str
    classes: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def choose(
    table: Table, image: str | None, label: str | None, split: str | None, is_file: Callable[[str], bool]
) -> Columns:
    """The columns to use; those given are looked up, the others found. InputError that lists what there is.

    The images are in the column most of whose values name a file; where none does, the name of the column decides.
    """
    given = {"image": image, "label": label, "split": split}
    for role, name in given.items():
        if name is not None and name not in table.columns:
            raise InputError(
                f"{table.path}: there is no column '{name}'{suggest(name, table.columns)}: say ?{role}=COLUMN, "
                f"one of {_listed(table)}"
            )
    image = image or _find_image(table, [name for name in table.columns if name not in (label, split)], is_file)
    if split is None:
        split = _find_split(table, [name for name in table.columns if name not in (image, label)])
    left = [name for name in table.columns if name not in (image, split)]
    classes: tuple[str, ...] = ()
    if label is None:
        label, classes = _find_label(table, left)
    found = {"image": image, "label": label, "split": split}
    guessed = tuple(role for role, name in found.items() if name and given[role] is None)
    return Columns(image, label, split, classes, guessed)


def _listed(table: Table) -> str:
    names = list(table.columns)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _usual(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Those of `names` that are `known`, in the order of `known`; case and signs do not count."""
    bare = {name: re.sub(r"[\W_]", "", name.casefold()) for name in names}
    return sorted((name for name in names if bare[name] in known), key=lambda name: known.index(bare[name]))


def _find_image(table: Table, names: Sequence[str], is_file: Callable[[str], bool]) -> str:
    rows = range(0, table.rows, max(1, table.rows // _TRIED))
    usual = _usual(names, _IMAGE)
    encoded = next((name for name in usual if len(table.columns[name][0]) > _LONGEST), None)
    if encoded is not None:
        raise InputError(
            f"{table.path}: column '{encoded}' holds images as text (base64), not paths: write each to a file"
        )
    ordered = [*usual, *(name for name in names if name not in usual)]
    hits = {name: sum(is_file(value) for row in rows if (value := table.columns[name][row])) for name in ordered}
    best = max(ordered, key=lambda name: hits[name], default="")  # the first of equals
    if hits.get(best):
        return best
    if not usual:
        raise InputError(
            f"{table.path}: no column names files that are there: say ?image=COLUMN, one of {_listed(table)}, "
            "and &root=DIR where the images lie"
        )
    return usual[0]


def _find_split(table: Table, names: Sequence[str]) -> str:
    """A column of a usual name whose values are splits, all of them or with at most two others."""
    for name in _usual(names, _SPLIT):
        values = {value for value in table.columns[name] if value}
        known = match_splits(values)
        if known and len(values) - len(known) <= 2 and "train" in known.values():
            return name
    return next((name for name in names if truth_of(name, table.columns[name])), "")


def truth_of(name: str, values: Iterable[str]) -> dict[str, str]:
    """The splits that the values of a column such as `is_valid` or `is_training_img` mean, by the values without case;
    nothing where it is no such column."""
    words = re.split(r"[\W_]+", name.casefold())
    part = next(iter(match_splits(["_".join(words[1:])]).values()), "") if words[0] == "is" else ""
    found = {value.casefold() for value in values if value}
    pair = next((pair for pair in _TRUTHS if found == set(pair)), None)
    if not part or pair is None:
        return {}
    return {pair[0]: part, pair[1]: "test" if part == "train" else "train"}


def _find_label(table: Table, names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    usual = _usual(names, _LABEL)
    if usual:
        return usual[0], ()
    hot = tuple(name for name in names if set(table.columns[name]) <= {"0", "1", "0.0", "1.0"})
    if len(hot) > 1 and sum(len(set(table.columns[name])) > 1 for name in hot) > 1:
        return "", hot
    plain = [name for name in names if name and not name.startswith("Unnamed:") and _repeats(table.columns[name])]
    if len(plain) == 1 or (plain and table.nameless):
        return plain[0], ()
    listed = _listed(table)
    if not names:
        raise InputError(f"{table.path}: there is no column of labels: there is {listed}")
    raise InputError(f"{table.path}: no column is called label or class: say ?label=COLUMN, one of {listed}")


def _repeats(values: Sequence[str]) -> bool:
    """Whether values may be classes: some occur twice, and there are two at least."""
    return 1 < len(set(values)) < len(values)
