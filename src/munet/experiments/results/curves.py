"""What the plots show, as values: points with their spread over seeds, joined where methods differ in one number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from munet.errors import InputError
from munet.experiments.results.read import Moment, Name, Result, Runs, as_number
from munet.experiments.results.statistics import Line, crossings, height, mean, summarise
from munet.experiments.results.tables import over_seeds

Axis = Literal["parameters", "flops"]
Spent = Literal["samples", "flops"]
MEASURES = ("mean_test_accuracy", "parameters_per_task", "flops_per_task")
FIRST_SET = "first_set_test_accuracy"  # over the tasks of a sequence's first segment: set A of the mu2Net+ paper
_NAMES = {"multi-head": "multi-head", "finetune-full": "full"}  # the two ends of the curve finetune-above


@dataclass(frozen=True)
class Point:
    """A mean over seeds at `x`, and how far it spreads; `label` is what tells it from others of its curve."""

    x: float
    y: float
    low: float
    high: float
    label: str = ""


@dataclass(frozen=True)
class Curve:
    """`spec` is the method's name without what differs along the curve; `trails` are single runs as (x, y)."""

    name: str
    spec: str
    points: tuple[Point, ...]
    trails: tuple[tuple[tuple[float, float], ...], ...] = ()


def pareto(runs: Runs, axis: Axis, without: Sequence[str] = ()) -> list[Curve]:
    """Mean test accuracy over parameters or FLOPs per task; y spreads by one standard deviation over seeds."""
    curves = []
    for name, spec, members in families(list(runs)):
        points = []
        for method, label in members:
            test = over_seeds(runs[method], "test", without)
            if test is not None:
                x = mean(getattr(result, f"{axis}_per_task") for result in runs[method])
                points.append(Point(x, test.mean, test.mean - test.std, test.mean + test.std, label))
        if points:
            curves.append(Curve(name, spec, tuple(sorted(points, key=lambda point: point.x))))
    return curves


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """The points that no cheaper or equally cheap one reaches, from the cheapest to the dearest."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.x, -point.y)):
        if not front or point.y > front[-1].y:
            front.append(point)
    return front


def families(methods: Sequence[str]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(name, spec, [(method, label), ...]): methods that differ only in their scale or in the number behind the colon.

    A method without a scale is its family's member at 1. finetune-above:X runs from multi-head to full fine-tuning.
    """
    groups: dict[str, list[tuple[str, str, float]]] = {}
    above = {_key(Name.of(method))[0] for method in methods if Name.of(method).base == "finetune-above"}
    for method in methods:
        spec = Name.of(method)
        key, value = _key(spec)
        if spec.base in _NAMES and (end := str(Name("finetune-above", None, spec.options))) in above:
            groups.setdefault(end, []).append((method, _NAMES[spec.base], 0.0))
        elif value is None:
            groups.setdefault(method, []).append((method, "", 0.0))
        else:
            groups.setdefault(key, []).append((method, f"{value:g}", value))
    return [_family(key, members) for key, members in groups.items()]


def _key(spec: Name) -> tuple[str, float | None]:
    """(the name without what may differ along a curve, its value)."""
    argument = as_number(spec.argument or "")
    if argument is not None:
        return str(Name(spec.base, None, spec.options)), argument
    scale = as_number(spec.options.get("scale", "1"))
    others = {name: value for name, value in spec.options.items() if name != "scale"}
    return str(Name(spec.base, spec.argument, others)), scale


def _family(key: str, members: list[tuple[str, str, float]]) -> tuple[str, str, list[tuple[str, str]]]:
    if len(members) == 1:
        return members[0][0], key, [(members[0][0], "")]
    pairs = [(method, label) for method, label, _ in members]
    if any(label in _NAMES.values() for _, label in pairs):
        return f"{key}, {' to '.join(label for _, label in pairs if label in _NAMES.values())}", key, pairs
    values = [value for _, _, value in members]
    what = "" if Name.of(members[0][0]).argument else "scale "
    return f"{key}, {what}{min(values):g} to {max(values):g}", key, pairs


def spending(
    budgets: Mapping[str, Runs], spent: Spent, without: Sequence[str] = (), *, trails: bool = False
) -> list[Curve]:
    """Mean test accuracy over what a task was given: a point for each budget, from the lowest seed to the highest.

    Training samples of a task, or FLOPs of training and validation. A trail is one run, wherever every task had a
    model; it cannot leave tasks out.
    """
    curves = []
    for method in dict.fromkeys(method for runs in budgets.values() for method in runs):
        points, ways = [], []
        for budget, runs in budgets.items():
            results = runs.get(method, ())
            test = over_seeds(results, "test", without)
            if test is not None:
                x = mean(_given(result, spent) for result in results)
                points.append(Point(x, test.mean, test.low, test.high, budget))
            ways += [_trail(result, spent) for result in results if trails]
        ordered = sorted(points, key=lambda point: point.x)
        if ordered:
            curves.append(Curve(method, method, tuple(ordered), tuple(way for way in ways if len(way) > 1)))
    return curves


def _given(result: Result, spent: Spent) -> float:
    return result.samples_per_task if spent == "samples" else result.total_flops / len(result.tasks)


def _trail(result: Result, spent: Spent) -> tuple[tuple[float, float], ...]:
    whole = [moment for moment in result.history if moment.tasks == len(result.tasks)]
    field = "samples" if spent == "samples" else "flops_spent"
    return tuple((getattr(moment, field) / moment.tasks, moment.mean_test_accuracy) for moment in whole)


def meetings(curves: Sequence[Curve], against: str, unit: str, size: float = 1.0) -> list[str]:
    """Where each curve of means crosses that of `against`, or which is ahead where both are; `unit` is `size` of x."""
    lines = {curve.name: [(point.x / size, point.y) for point in curve.points] for curve in curves}
    other = lines.pop(against)
    return [f"{name} against {against}: {_meeting(line, other, unit)}" for name, line in lines.items()]


def _meeting(ours: Line, theirs: Line, unit: str) -> str:
    low, high = max(ours[0][0], theirs[0][0]), min(ours[-1][0], theirs[-1][0])
    if low > high:
        return f"no {unit} in common"
    gap = height(ours, low) - height(theirs, low)
    first = "ahead" if gap > 0 else "behind" if gap < 0 else "level"
    if places := crossings(ours, theirs):
        return f"{first} at {_plain(low)} {unit}, crosses at {' and '.join(map(_plain, places))}"
    return f"{first} at {_plain(low)} {unit}" if low == high else f"{first} from {_plain(low)} to {_plain(high)} {unit}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Growth:
    """A method's systems over their task iterations, from 1: measure -> a point for each.

    `MEASURES` are there always; `FIRST_SET` where later segments bring other tasks, from when the first ones all have
    a model.
    """

    method: str
    series: dict[str, tuple[Point, ...]]


@dataclass(frozen=True)
class Segment:
    """Task iterations `first` to `last` of a sequence."""

    name: str
    first: int
    last: int


def growth(runs: Runs) -> list[Growth]:
    """The measures of Figure 3 of the mu2Net+ paper (arXiv 2209.07326), mean and range over the seeds that came so far.

    InputError where no run has a history.
    """
    grown = []
    for method, results in runs.items():
        histories = [result.history for result in results if result.history]
        steps = range(max((len(history) for history in histories), default=0))
        series = {
            measure: tuple(_moment(step, [h[step] for h in histories if step < len(h)], measure) for step in steps)
            for measure in MEASURES
        }
        firsts = [_first_set(history) for history in histories]
        if any(firsts):
            steps_of = sorted({step for first in firsts for step in first})
            series[FIRST_SET] = tuple(_point(step, [f[step] for f in firsts if step in f]) for step in steps_of)
        if steps:
            grown.append(Growth(method, series))
    if not grown:
        raise InputError("no finished run has a history of its task iterations: run the experiment with this munet")
    return grown


def _moment(step: int, moments: Sequence[Moment], measure: str) -> Point:
    return _point(step, [getattr(moment, measure) for moment in moments])


def _point(step: int, values: Sequence[float]) -> Point:
    found = summarise(values)
    return Point(step + 1, found.mean, found.low, found.high)


def _first_set(history: Sequence[Moment]) -> dict[int, float]:
    """Mean test accuracy of the first segment's tasks after each step; empty where later segments bring no others."""
    first = {moment.task for moment in history if moment.segment == history[0].segment}
    if first == {moment.task for moment in history}:
        return {}
    scores: dict[str, float] = {}
    means = {}
    for step, moment in enumerate(history):
        if moment.test_accuracy is not None and moment.task in first:
            scores[moment.task] = moment.test_accuracy
        if len(scores) == len(first):
            means[step] = mean(scores.values())
    return means


def segments(runs: Runs) -> list[Segment]:
    """The named parts of a sequence; empty where there are none. InputError where runs do not agree on them."""
    found = {tuple(_segments(result.history)) for results in runs.values() for result in results if result.history}
    if len(found) > 1:
        raise InputError("these runs have different segments: draw one method at a time, with --method")
    parts = list(found.pop()) if found else []
    return parts if any(part.name for part in parts) else []


def _segments(history: Sequence[Moment]) -> list[Segment]:
    parts, first = [], 1
    for name, moments in groupby(history, key=lambda moment: moment.segment or ""):
        last = first + len(list(moments)) - 1
        parts.append(Segment(name, first, last))
        first = last + 1
    return parts
