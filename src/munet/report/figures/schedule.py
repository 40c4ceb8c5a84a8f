"""How a hyperparameter changed along the lineage of each retained model: the schedule that was found (A12)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest
from munet.report.figures.needs import Frame, Options, chosen_tasks, evolved, one_system, some
from munet.report.figures.style import (
    SMALL,
    TIME,
    Look,
    grid_shape,
    hide_unused,
    looks,
    page,
    plain_number,
    sample,
    whole_ticks,
)
from munet.report.style.palette import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

DEFAULT = "learning_rate"
_TICK = 0.15  # inches between two numbers
_MANY = 60  # tasks above which lines are faint
_DECADES = 20.0  # ratio of values above which their axis is logarithmic


def draw(history: "History", options: Options) -> "Figure":
    """A panel for each task, or for the task or model that was asked for."""
    one_system(history, "schedule")
    some(history.children, "schedule", "sampled children")
    asked = (options.column or DEFAULT).removeprefix("hp.")
    known = [name.removeprefix("hp.") for name in history.children.columns if name.startswith("hp.")]
    if asked not in known:
        raise InputError(f"--column {asked}{suggest(asked, known)}: the hyperparameters are {', '.join(known)}")
    chains = _chains(history, options, f"hp.{asked}")
    if not chains:
        raise InputError(f"schedule needs recorded values of {asked}, and no retained lineage has one")
    columns, rows, panel = grid_shape(len(chains))
    title = f"{asked} along the lineage of {_named(list(chains), options)}"
    reading = (
        "From the oldest recorded ancestor to the retained model; each point is a model in the colour of the task that "
        "it was trained on."
    )
    tasks = list(history.tasks["task"])
    seen = [task for task in tasks if any(task in set(chain["task"]) for chain in chains.values())]
    size = (max(3.4, columns * panel[0]), rows * panel[1] + 0.4)
    with page(title, reading, size, [*chains, *tasks], seen, labels=(TIME, asked)) as made:
        panels = made.grid(rows, columns)
        scale = _Scale.of([value for chain in chains.values() for value in chain["value"]], int(panel[1] / _TICK))
        steps = len(history.children)
        for axes, (name, chain) in zip(panels, chains.items(), strict=False):
            if len(chains) > 1:
                axes.set_title(made.say(name, 20), fontsize=SMALL)
            scale.prepare(axes)
            _line(axes, chain, scale, looks(tasks))
            axes.set_xlim(-0.02 * steps - 0.5, 1.02 * steps)
            whole_ticks(axes, made.ticks)
        hide_unused(panels, len(chains), columns)
        shown = [look for task, look in looks(tasks).items() if task in seen]
        made.legend([sample(marker=look.marker, color=look.colour, ls="none", ms=4) for look in shown], seen)
    return made.figure


def _chains(history: "History", options: Options, column: str) -> dict[str, Frame]:
    """Step, task and value along each lineage that was asked for and has recorded values."""
    from munet.analysis.settings import schedule

    if options.model is not None:
        words = [options.model]
    else:
        words = chosen_tasks(options, list(evolved(history, "schedule")["task"]), "schedule")
    found = {word: schedule(history, word, column).dropna(subset=["step", "value"]) for word in words}
    return {word: chain for word, chain in found.items() if len(chain)}


def _named(names: Sequence[str], options: Options) -> str:
    if options.model is not None:
        return f"model {options.model}"
    return names[0] if len(names) == 1 else f"each of {len(names)} models"


@dataclass(frozen=True)
class _Scale:
    """The y axis of all panels: words stand at whole numbers, numbers of several decades on a logarithmic axis."""

    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    limits: tuple[float, float]
    logarithmic: bool
    places: Mapping[Any, float]  # of words

    @classmethod
    def of(cls, values: Sequence[Any], most: int) -> "_Scale":
        """With at most so many numbers at it."""
        if any(isinstance(value, (bool, str)) for value in values):
            words = sorted(set(values), key=str)
            places = {word: float(place) for place, word in enumerate(words)}
            return cls(tuple(places.values()), tuple(map(str, words)), (-0.5, len(words) - 0.5), False, places)
        found = sorted({float(value) for value in values})
        low, high = found[0], found[-1]
        logarithmic = low > 0 and high > _DECADES * low
        if logarithmic:
            room = (high / low) ** 0.12
            limits = low / room, high * room
        else:
            room = 0.14 * (high - low) or 0.5 * (abs(high) or 1.0)
            limits = low - room, high + room
        ticks = tuple(_apart(found, limits, most, logarithmic))
        return cls(ticks, tuple(map(plain_number, ticks)), limits, logarithmic, {})

    def prepare(self, axes: "Axes") -> None:
        if self.logarithmic:
            axes.set_yscale("log")
        axes.set_yticks(self.ticks, self.labels)
        axes.set_yticks([], minor=True)
        axes.set_ylim(*self.limits)

    def height(self, value: Any) -> float:
        return self.places[value] if self.places else float(value)


def _apart(values: Sequence[float], limits: tuple[float, float], most: int, logarithmic: bool) -> list[float]:
    """Those of these ascending values that can be written at an axis with room for so many, the last and the first
    among them unless they are too close."""
    low, high = (math.log(limit) if logarithmic else limit for limit in limits)
    room, kept = (high - low) / max(most, 1), [values[-1]]
    for value in (values[0], *values[1:-1]):
        place = math.log(value) if logarithmic else value
        if all(abs(place - (math.log(other) if logarithmic else other)) >= room for other in kept):
            kept.append(value)
    return sorted(kept)


def _line(axes: "Axes", chain: Frame, scale: _Scale, look: Mapping[str, Look]) -> None:
    steps, heights = list(chain["step"]), [scale.height(value) for value in chain["value"]]
    axes.plot(steps, heights, color=INK if len(look) <= _MANY else FAINT, lw=0.8, zorder=2)
    for task in dict.fromkeys(chain["task"]):
        mine = [(step, height) for step, height, of in zip(steps, heights, chain["task"], strict=True) if of == task]
        xs, ys = zip(*mine, strict=True)
        axes.plot(xs, ys, look[task].marker, color=look[task].colour, ms=3.4, mew=0, zorder=3)
