"""The figures of a system's history, each in print quality and by name. Matplotlib is imported when one is drawn.

```python
figure = munet.report.figures.draw("timeline", system.history())
munet.report.style.saving.save(figure, Path("timeline.pdf"))
```

    growth.py           quality, size and compute over task iterations
    timeline.py         the score of every sampled model
    learning.py         accuracy along lineages
    schedule.py         a hyperparameter along lineages
    ancestors.py        who descends from whom
    flow.py             which tasks' models descend from which
    sharing.py          layers that tasks have in common
    matrices.py         matrices as coloured cells
    mutations.py        learned mutation probabilities
    hyperparameters.py  hyperparameters of the retained models
    histogram.py        one column of all children
    costs.py            time, FLOPs, parameters
    people.py           what each of several people contributed
    answers.py          confusions, classes and calibration of one task
    tables.py           what is read rather than drawn
    needs.py            what a figure is asked for, and what it needs
    style.py            the look of all of them
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING

from munet.errors import InputError, suggest
from munet.report.figures.needs import Options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from munet.analysis import History

__all__ = ["FIGURES", "Kind", "Options", "check", "draw"]


@dataclass(frozen=True)
class Kind:
    """A figure: where it is drawn, what it shows, which options it takes, and whether over several systems."""

    module: str
    function: str
    shows: str
    options: tuple[str, ...] = ()
    several: bool = False


FIGURES: Mapping[str, Kind] = {
    "network": Kind("munet.report.network.figure", "draw", "tasks, layers, who trained and who shares them", ("step",)),
    "growth": Kind(
        "munet.report.figures.growth", "draw", "quality, size and compute over task iterations", (), several=True
    ),
    "timeline": Kind("munet.report.figures.timeline", "draw", "the score of every sampled model over time"),
    "ancestors": Kind("munet.report.figures.ancestors", "draw", "the tree of all sampled models, over time and score"),
    "schedule": Kind(
        "munet.report.figures.schedule",
        "draw",
        "a hyperparameter along the lineage of each model",
        ("task", "model", "column"),
    ),
    "sharing": Kind("munet.report.figures.sharing", "draw", "how many layers each two tasks have in common"),
    "transfer-depth": Kind(
        "munet.report.figures.sharing",
        "draw_depth",
        "how many tasks the weights of each layer came through",
        ("task",),
        several=True,
    ),
    "flow": Kind(
        "munet.report.figures.flow",
        "draw_graph",
        "which tasks' models descend from which, as a graph",
        (),
        several=True,
    ),
    "transfers": Kind("munet.report.figures.flow", "draw_matrix", "the same as a matrix, in percent", (), several=True),
    "hyperparameters": Kind(
        "munet.report.figures.hyperparameters", "draw", "hyperparameters of the retained models", (), several=True
    ),
    "mutation-depth": Kind(
        "munet.report.figures.mutations", "draw_depth", "learned probability of cloning, by depth", (), several=True
    ),
    "mutation-histograms": Kind(
        "munet.report.figures.mutations", "draw_histograms", "learned probabilities of all mutations", (), several=True
    ),
    "learning": Kind(
        "munet.report.figures.learning",
        "draw",
        "learning curves of each task, and the gap to test",
        ("task",),
        several=True,
    ),
    "histogram": Kind(
        "munet.report.figures.histogram", "draw", "any column of the sampled models", ("task", "column"), several=True
    ),
    "costs": Kind(
        "munet.report.figures.costs",
        "draw",
        "where time, FLOPs and parameters went, and why children failed",
        (),
        several=True,
    ),
    "people": Kind("munet.report.figures.people", "draw", "what each of several people contributed, by task"),
    "confusion": Kind(
        "munet.report.figures.answers", "draw_confusion", "which classes of a task are taken for which", ("task",)
    ),
    "classes": Kind(
        "munet.report.figures.answers", "draw_classes", "accuracy of each class of a task, with intervals", ("task",)
    ),
    "reliability": Kind(
        "munet.report.figures.answers", "draw_reliability", "how sure a task's model is, and how right", ("task",)
    ),
}


def draw(name: str, history: "History", options: Options = Options()) -> "Figure":  # noqa: B008
    """A figure by its name. InputError for an unknown name, an option it does not take, or what the history lacks."""
    check(name, options, len(history.systems))
    kind = FIGURES[name]
    return getattr(import_module(kind.module), kind.function)(history, options)


def check(name: str, options: Options, systems: int = 1) -> None:
    """InputError for an unknown figure or table, or for options or several systems with one that does not take them."""
    from munet.report.figures.tables import TABLES

    known = {**FIGURES, **TABLES}
    if name not in known:
        raise InputError(f"no figure '{name}'{suggest(name, known)}; there are {', '.join(known)}")
    for option in fields(options):
        if getattr(options, option.name) is not None and option.name not in known[name].options:
            takers = [other for other, one in known.items() if option.name in one.options]
            raise InputError(f"--{option.name} goes with {', '.join(takers)}, not with {name}")
    if options.task is not None and options.model is not None:
        raise InputError("--task and --model cannot be used together: a task stands for its model")
    if systems > 1 and not known[name].several:
        several = [other for other, one in known.items() if one.several]
        raise InputError(f"{name} shows one system; several go with {', '.join(several)}")
