"""How a hyperparameter changed along the lineage of each retained model: the schedule that was found (A12)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InputError, suggest
from ..palette import FAINT, INK
from .needs import Frame, Options, chosen_tasks, evolved, one_system, some
from .style import SMALL, TIME, Page, grid_shape, hide_unused, looks, page, plain_number, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis import History

DEFAULT = "learning_rate"
_TICKS = 8  # distinct values up to which each one has a tick
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
        panels = [axes for row in made.panels(rows, columns, sharex=True, sharey=True) for axes in row]
        codes = _scale(panels, [value for chain in chains.values() for value in chain["value"]])
        for axes, (name, chain) in zip(panels, chains.items(), strict=False):
            _panel(made, axes, name, chain, codes, tasks)
        hide_unused(panels, len(chains), columns)
        steps = len(history.children)
        panels[0].set_xlim(-0.02 * steps - 0.5, 1.02 * steps)
        made.legend([made.figure.axes[0].plot([], [], look.marker, color=look.colour, ms=4)[0]
                     for task, look in looks(tasks).items() if task in seen], seen)  # fmt: skip
    return made.figure


def _chains(history: "History", options: Options, column: str) -> dict[str, Frame]:
    """Step, task and value along each lineage that was asked for and has recorded values."""
    from ...analysis.settings import schedule

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


def _scale(panels: "Sequence[Axes]", values: Sequence[Any]) -> dict[Any, float] | None:
    """Prepare the y axes. Returns the height of each value where they are words, None where they are numbers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    if any(isinstance(value, (bool, str)) or type(value).__name__ == "bool" for value in values):
        kinds = sorted(set(values), key=str)
        for axes in panels:
            axes.set_yticks(range(len(kinds)), [str(kind) for kind in kinds])
            axes.set_ylim(-0.5, len(kinds) - 0.5)
        return {kind: place for place, kind in enumerate(kinds)}
    positive = [float(value) for value in values if value > 0]
    for axes in panels:
        if len(positive) == len(values) and max(positive) > _DECADES * min(positive):
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_minor_locator(NullLocator())
        axes.margins(y=0.14)
        if len(set(values)) <= _TICKS:
            axes.set_yticks(sorted(set(map(float, values))))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    return None


def _panel(made: Page, axes: "Axes", name: str, chain: Frame, codes: dict[Any, float] | None, tasks: list[str]) -> None:
    heights = [codes[value] if codes else float(value) for value in chain["value"]]
    axes.plot(chain["step"], heights, color=INK if len(tasks) <= 60 else FAINT, lw=0.8, zorder=2)
    look = looks(tasks)
    for step, height, task in zip(chain["step"], heights, chain["task"], strict=True):
        shade = look[task]
        axes.plot([step], [height], shade.marker, color=shade.colour, ms=3.4, mew=0, zorder=3)
    if len(made.figure.axes) > 1:
        axes.set_title(made.say(name, 20), fontsize=SMALL)
    whole_ticks(axes, 3)
