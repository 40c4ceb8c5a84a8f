"""Which columns of a table hold the images, the labels and the splits: those that were named, or those that look so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from munet.errors import InputError, suggest
from munet.tasks.sources.split_column import find_split, of_usual_name
from munet.tasks.sources.table.columns_known import IMAGE, LABEL
from munet.tasks.sources.table.read import Table

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
        split = find_split({name: values for name, values in table.columns.items() if name not in (image, label)})
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


def _find_image(table: Table, names: Sequence[str], is_file: Callable[[str], bool]) -> str:
    rows = range(0, table.rows, max(1, table.rows // _TRIED))
    usual = of_usual_name(names, IMAGE)
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


def _find_label(table: Table, names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    usual = of_usual_name(names, LABEL)
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
