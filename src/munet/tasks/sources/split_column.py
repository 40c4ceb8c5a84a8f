"""A column that says which split each row is of: found by its name and values, or told where it is not used."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from munet.tasks.split_names import in_grammar, match_splits

_NAMES = ("split", "set", "subset", "partition", "usage", "dataset", "datasplit", "phase")
_FOLDS = ("fold", "folds", "kfold", "foldid", "cv")
_TRUTHS = (("true", "false"), ("1", "0"), ("yes", "no"), ("t", "f"), ("y", "n"))
_MOST = 20  # values of a column of splits; a column `set` or `dataset` of more says something else
_SHOWN = 4


def find_split(columns: Mapping[str, Collection[str]]) -> str:
    """A column of a usual name whose values are splits, all of them or with at most two others; else one such as
    `is_valid`. Empty where there is none."""
    for name in of_usual_name(list(columns), _NAMES):
        values = {value for value in columns[name] if value}
        known = match_splits(values)
        if known and len(values) - len(known) <= 2 and "train" in known.values():
            return name
    return next((name for name in columns if _truth_of(name, columns[name])), "")


def may_hold_splits(name: str) -> bool:
    """Whether a column of this name is worth looking into."""
    return bool(of_usual_name([name], (*_NAMES, *_FOLDS))) or bool(_part_of(name))


def splits_of(name: str, values: Iterable[str]) -> dict[str, str]:
    """The split that each value of a column means, by munet's names; "" for what is empty."""
    # A bare number, as in a column of folds, is no name of a split.
    names = {value: in_grammar(f"{name}_{value}" if value.isdigit() else value) for value in set(values)}
    names |= {**match_splits(names), "": ""}
    if truth := _truth_of(name, names):
        names |= {value: truth[value.casefold()] for value in names if value}
    return names


def told_of_unused(columns: Mapping[str, Iterable[str]]) -> list[str]:
    """A note of each column that is called as those of splits or folds are and holds several values, of `columns` that
    nobody uses: else rows that were kept for a test are trained on, and nobody knows."""
    notes = []
    named = of_usual_name(list(columns), (*_NAMES, *_FOLDS))
    for name in [*named, *(name for name in columns if name not in named and _part_of(name))]:
        values = sorted({value for value in columns[name] if value})
        if 1 < len(values) <= _MOST:
            shown = ", ".join(values[:_SHOWN]) + (f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else "")
            notes.append(
                f"column '{name}' ({shown}) is not used: ?split={name} makes them splits, for --train, --validation "
                "and --test"
            )
    return notes


def of_usual_name(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Those of `names` that are `known`, in the order of `known`; case and signs do not count."""
    bare = {name: re.sub(r"[\W_]", "", name.casefold()) for name in names}
    return sorted((name for name in names if bare[name] in known), key=lambda name: known.index(bare[name]))


def _truth_of(name: str, values: Iterable[str]) -> dict[str, str]:
    """The splits that the values of a column such as `is_valid` or `is_training_img` mean, by the values without case;
    nothing where it is no such column."""
    part = _part_of(name)
    found = {value.casefold() for value in values if value}
    pair = next((pair for pair in _TRUTHS if found == set(pair)), None)
    if not part or pair is None:
        return {}
    return {pair[0]: part, pair[1]: "test" if part == "train" else "train"}


def _part_of(name: str) -> str:
    """The split that a column such as `is_valid` is about; else nothing."""
    words = re.split(r"[\W_]+", name.casefold())
    return next(iter(match_splits(["_".join(words[1:])]).values()), "") if words[0] == "is" else ""
