"""Which examples each of the three splits of a task gets, also where the source has no validation or test split."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from munet.errors import InputError, suggest
from munet.tasks.sources.by_class import PERCENT, Blocks
from munet.tasks.split_names import match_splits
from munet.tasks.splits import PARTS, Bound, Range, describe, format_ranges, overlap, part, resolve, size, subtract

RULES = ("papers", "none")


@dataclass(frozen=True)
class Selection:
    """The examples of one split of a task: the expression that a person reads, and the ranges that count."""

    expression: str
    ranges: tuple[Range, ...]


def plan_splits(
    counts: Mapping[str, int],
    given: Mapping[str, str | None],
    *,
    rule: str = "papers",
    allow_overlap: bool = False,
    blocks: Callable[[str], Blocks | None] = lambda split: None,
) -> dict[str, Selection]:
    """Train, validation and test of a source that has `counts` examples in each of its splits.

    `given` holds the expressions that the user chose. A validation or test split that is neither given nor in the
    source is cut from the train split (muNet sec. 4, "if a test or validation set is not available"): where both are
    missing the test split is `train[:5%]`, the validation split `train[5%:10%]` and training keeps `train[10%:]`;
    where one is missing it is `train[:5%]`. With a `train` expression the cut is taken from what that selects. Without
    one, training gets what the given splits leave of `train`. Rule "none" refuses to cut.

    Where training has whole splits, and their examples are ordered by class, the `blocks` of each are cut in place of
    5 %: test is the first and validation the second, or the one that is missing the second.
    """
    if rule not in RULES:
        raise InputError(f"unknown split rule '{rule}'{suggest(rule, RULES)}: use one of {', '.join(RULES)}")
    chosen = {name: expression for name, expression in given.items() if expression is not None}
    plan = {name: Selection(text, tuple(resolve(text, counts))) for name, text in chosen.items()}
    for name in ("validation", "test"):
        if name not in plan and name in counts:
            plan[name] = Selection(name, tuple(resolve(name, counts)))
    base = _train_base(counts, plan)
    missing = [name for name in ("test", "validation") if name not in plan]
    if missing and rule == "none":
        raise InputError(f"no {' and no '.join(missing)} split is given; there is {describe(counts)}")
    plan["train"] = base
    if not allow_overlap:
        _refuse_overlap(plan)
    whole = [split for split, start, stop in base.ranges if (start, stop) == (0, counts[split])]
    by_class = {split: found for split in whole if (found := blocks(split)) is not None}
    if missing and len(by_class) == len(base.ranges):
        plan.update(_cut_blocks(base, missing, by_class, counts))
    else:
        plan.update(_cut(base, missing, counts))
    return {name: plan[name] for name in PARTS}


def _train_base(counts: Mapping[str, int], plan: Mapping[str, Selection]) -> Selection:
    """What is there to train on, before missing splits are cut from it."""
    if "train" in plan:
        return plan["train"]
    if "train" not in counts:
        raise InputError(
            f"there is no split 'train'; there is {describe(counts)}: say which examples to train on, "
            f"for instance {_named(list(counts))}"
        )
    taken = [piece for selection in plan.values() for piece in selection.ranges]
    left = subtract([("train", 0, counts["train"])], taken)
    if not left:
        raise InputError("validation and test leave nothing of the split 'train' to train on")
    return Selection(format_ranges(left, counts), tuple(left))


def _named(splits: Sequence[str]) -> str:
    """Options that use splits of other names, by what they seem to be."""
    meant: dict[str, str] = {part: name for name, part in match_splits(splits).items()}
    others = [name for name in splits if name not in meant.values()]
    if "train" not in meant and not others:  # each would be tested on what it is trained on
        part, name = next(iter(meant.items()))
        return f"--train '{name}[10%:]' --{part} '{name}[:10%]'"
    if meant:
        meant.setdefault("train", "+".join(others))
    elif len(others) > 2:
        meant = {"train": "+".join(others[:-2]), "validation": others[-2], "test": others[-1]}
    else:
        meant = dict(zip(PARTS[::2], others, strict=False))
    return " ".join(f"--{part} '{meant[part]}'" for part in PARTS if part in meant)


def _cut(base: Selection, missing: Sequence[str], counts: Mapping[str, int]) -> dict[str, Selection]:
    """`base` as the train split, after the `missing` splits are cut from its beginning."""
    if not missing:
        return {"train": base}
    total = size(base.ranges)
    ends = [Bound(PERCENT * (k + 1), percent=True) for k in range(len(missing))]
    bounds = [0, *(end.resolve(total) for end in ends), total]
    if sorted(set(bounds)) != bounds:
        raise InputError(
            f"{total} examples are too few to cut {' and '.join(missing)} from by {PERCENT} %: "
            f"{_by_hand(base, missing, counts)}"
        )
    marks = ["", *(str(end) for end in ends), ""]
    cut = {}
    for k, name in enumerate([*missing, "train"]):
        ranges = part(base.ranges, bounds[k], bounds[k + 1])
        whole = base.expression == "train"
        text = f"train[{marks[k]}:{marks[k + 1]}]" if whole else format_ranges(ranges, counts)
        cut[name] = Selection(text, tuple(ranges))
    return cut


def _by_hand(base: Selection, missing: Sequence[str], counts: Mapping[str, int]) -> str:
    """Expressions that do what a cut by percent cannot."""
    total = size(base.ranges)
    if total <= len(missing):
        return "add images"
    each = max(1, total // 5)
    pieces = [part(base.ranges, each * k, each * (k + 1)) for k in range(len(missing))]
    options = [f"--{name} '{format_ranges(piece, counts)}'" for name, piece in zip(missing, pieces, strict=True)]
    return f"say which to use, for instance {' '.join(options)}"


def _cut_blocks(
    base: Selection, missing: Sequence[str], blocks: Mapping[str, Blocks], counts: Mapping[str, int]
) -> dict[str, Selection]:
    """`base` as the train split, without the `missing` ones, which are the blocks at the beginning of each split."""
    first = [(split, 0, found.first) for split, found in blocks.items()]
    second = [(split, found.first, found.first + found.second) for split, found in blocks.items()]
    taken = {missing[0]: second} if len(missing) == 1 else {"test": first, "validation": second}
    ranges = {name: [piece for piece in pieces if piece[1] < piece[2]] for name, pieces in taken.items()}
    if not all(ranges.values()):
        raise InputError(
            f"{size(base.ranges)} examples are too few to cut {' and '.join(missing)} from class by class: add images"
        )
    ranges["train"] = subtract(base.ranges, [piece for pieces in ranges.values() for piece in pieces])
    return {name: Selection(format_ranges(pieces, counts), tuple(pieces)) for name, pieces in ranges.items()}


def _refuse_overlap(plan: Mapping[str, Selection]) -> None:
    present = [name for name in PARTS if name in plan]
    for k, name in enumerate(present):
        ranges = plan[name].ranges
        for j, piece in enumerate(ranges):
            if twice := overlap([piece], ranges[j + 1 :]):
                raise InputError(f"{name} '{plan[name].expression}' holds {_show(twice)} twice: {_WAY_OUT}")
        for other in present[k + 1 :]:
            if both := overlap(ranges, plan[other].ranges):
                raise InputError(
                    f"{name} '{plan[name].expression}' and {other} '{plan[other].expression}' overlap in "
                    f"{_show(both)}: {_WAY_OUT}"
                )


_WAY_OUT = "choose ranges that do not touch, or say --allow-overlap"


def _show(piece: Range) -> str:
    return f"{piece[0]}[{piece[1]}:{piece[2]}]"
