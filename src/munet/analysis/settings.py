"""Hyperparameters and learned mutation probabilities of the retained models (A12, A17, Figures 5 to 7)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.analysis.columns import ANY, NUMBER, SETTING, TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.lineage import descent, find
from munet.errors import InputError, suggest
from munet.model.slots import parse

if TYPE_CHECKING:
    import pandas as pd

MU = "mu"  # what mu2Net calls a model's one mutation probability, which it tunes like a hyperparameter

DISTRIBUTIONS: Schema = {"name": TEXT, "value": ANY, "count": WHOLE, "share": NUMBER}
SCHEDULE: Schema = {"step": NUMBER, "task": TEXT, "value": ANY}
HISTOGRAMS: Schema = {"mutation": TEXT, "probability": NUMBER, "count": WHOLE, "share": NUMBER}


def distributions(history: History) -> "pd.DataFrame":
    """How often each value of each hyperparameter was retained, in all systems: name, value, count, share (A17)."""
    return table(DISTRIBUTIONS, _shares(_retained_values(history)))


def _retained_values(history: History) -> Iterator[tuple[str, Any]]:
    for one in history.readings.values():
        for model in one.retained.values():
            yield from model.hyperparameters.items()
            if MU in model.mutation_probabilities:
                yield MU, model.mutation_probabilities[MU]


def _shares(values: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any, int, float]]:
    """(name, value, count, share among the values of this name), ascending."""
    counts: dict[str, Counter[Any]] = {}
    for name, value in values:
        counts.setdefault(name, Counter())[value] += 1
    for name, found in sorted(counts.items()):
        words = any(isinstance(value, str) for value in found)
        for value in sorted(found, key=str if words else float):
            yield name, value, found[value], found[value] / found.total()


def schedule(history: History, model: str, column: str, system: str | None = None) -> "pd.DataFrame":
    """A column of the children along the line of a model, the oldest first: step, task, value (A12).

    `model` as `lineage.find` takes it; `column` with or without `hp.` in front. Where the line is older than the
    records, hyperparameters come from the manifests, and `step` is not known.
    """
    one, children = history.one(system), history.children
    name = column if column in children else SETTING + column
    if name not in children:
        known = list(children.columns)
        raise InputError(f"no column '{column}' of children{suggest(column, known)}; there are {', '.join(known)}")
    values = children.loc[children["system"] == one.label, name].tolist()
    rows = []
    for ancestor in descent(one, find(history, model, system)):
        if ancestor.step is not None:
            rows.append((ancestor.step, ancestor.task, values[ancestor.step]))
        elif ancestor.task is not None and ancestor.model in one.models:
            settings = one.models[ancestor.model].hyperparameters
            rows.append((None, ancestor.task, settings.get(name.removeprefix(SETTING))))
    return table(SCHEDULE, rows[::-1])


@dataclass(frozen=True)
class Depth:
    """Learned probabilities of the mutations of one block."""

    block: int
    probabilities: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.probabilities) / len(self.probabilities)


@dataclass(frozen=True)
class ByDepth:
    """Learned probabilities by block, and the least-squares line through all of them; None where one block has all."""

    kind: str
    points: tuple[Depth, ...]
    slope: float | None
    intercept: float | None


def by_depth(history: History, kind: str = "clone", of: str = "block") -> ByDepth:
    """Mutation probabilities of retained models over the depth of the block that they are of (Figure 6).

    `kind` is `clone` or `insert`, `of` the kind of slot, `block` or `adapter`. Only methods that learn one probability
    for each decision have any.
    """
    found: dict[int, list[float]] = {}
    probabilities = history.probabilities
    columns = (probabilities[name].tolist() for name in ("mutation", "probability"))
    for mutation, probability in zip(*columns, strict=True):
        decision, _, slot = mutation.partition(":")
        number = parse(slot).number
        if decision == kind and parse(slot).kind == of and number is not None:
            found.setdefault(number, []).append(probability)
    points = tuple(Depth(block, tuple(found[block])) for block in sorted(found))
    return ByDepth(kind, points, *_line([(point.block, value) for point in points for value in point.probabilities]))


def _line(points: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """(slope, intercept) of the least-squares line."""
    if len({x for x, _ in points}) < 2:
        return None, None
    center = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - center[0]) ** 2 for x, _ in points)
    slope = sum((x - center[0]) * (y - center[1]) for x, y in points) / spread
    return slope, center[1] - slope * center[0]


def probability_histograms(history: History) -> "pd.DataFrame":
    """How often each value of each learned mutation probability was retained (Figure 7).

    mutation, probability, count, share. Those of blocks and adapters are listed one by one, as `clone:block.3`, and
    together, as `clone:block`.
    """
    columns = [history.probabilities[name].tolist() for name in ("mutation", "probability")]
    found = [(mutation, value) for mutation, value in zip(*columns, strict=True)]
    parted = [(mutation.partition(":"), value) for mutation, value in found]
    numbered = [(kind, parse(slot), value) for (kind, _, slot), value in parted if parse(slot).number is not None]
    found += [(f"{kind}:{slot.kind}", value) for kind, slot, value in numbered]
    return table(HISTOGRAMS, _shares(found))
