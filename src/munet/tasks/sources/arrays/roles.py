"""Which arrays hold the images, the labels and the names of the classes, by what people call them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from munet.errors import InputError
from munet.tasks.split_names import match_splits
from munet.tasks.splits import ALIASES

_PREFIXED = re.compile(r"(?P<split>[\w.-]+?)_(?P<kind>image|label)s?", re.ASCII)
# Each row only where no row before it fits: `image` beside `x` is the image.
_IMAGE = (
    ("image", "images"),
    ("x", "img", "imgs"),
    ("data", "pixels", "arr"),
    ("picture", "pictures", "photo", "photos"),
)
_LABEL = (("label", "labels"), ("y",), ("target", "targets"), ("cls",))
NAMES = ("classes", "class_names", "classnames", "label_names", "target_names", "names")
"""What arrays of class names are called."""


@dataclass
class Roles:
    """Names of the arrays of each split: its images and its labels. `alone` says what a split that has one lacks."""

    splits: dict[str, tuple[str, str]] = field(default_factory=dict)
    alone: dict[str, str] = field(default_factory=dict)


def find_roles(names: Iterable[str], where: str, *, plain: bool = False) -> Roles:
    """The splits of arrays called `names`: `train_images` and `train_labels`, `x_train` and `y_train`, `X` and `y`;
    where they must be `plain` only the last, names without a split.

    InputError where two could be the images, or the labels, of one split.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name in names:
        for kind, split, rank in _readings(name):
            if plain and split:
                continue
            split = split or "train"
            found.setdefault(split, {"image": [], "label": []})[kind].append(f"{rank} {name}")
    roles = Roles()
    for split, kinds in found.items():
        best = {kind: _best(ranked, split, kind, where) for kind, ranked in kinds.items()}
        if best["image"] and best["label"]:
            roles.splits[split] = best["image"], best["label"]
        else:
            lacks = "label" if best["image"] else "image"
            roles.alone[split] = f"the array '{best['image'] or best['label']}' has no {split}_{lacks} beside it"
    return roles


def _readings(name: str) -> list[tuple[str, str, int]]:
    """What an array of this name may be: image or label, of which split ("" if it does not say), and how sure that is
    (0 is surest)."""
    if match := _PREFIXED.fullmatch(name):
        return [(match["kind"], ALIASES.get(match["split"], match["split"]), 0)]
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word]
    found: list[tuple[str, str, int]] = []
    for kind, ranks in (("image", _IMAGE), ("label", _LABEL)):
        for rank, known in enumerate(ranks):
            if sum(word in known for word in words) != 1:
                continue
            rest = [word for word in words if word not in known]
            if not rest:
                found.append((kind, "", rank))
            elif len(rest) == 1 and (split := match_splits(rest).get(rest[0])) is not None:
                found.append((kind, split, rank))
    return found


def _best(ranked: list[str], split: str, kind: str, where: str) -> str:
    if not ranked:
        return ""
    surest = [entry[2:] for entry in sorted(ranked) if entry[0] == min(ranked)[0]]
    if len(surest) > 1:
        raise InputError(f"{where}: {' and '.join(surest)} could both be the {kind}s of {split}: keep one of them")
    return surest[0]
