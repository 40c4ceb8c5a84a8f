"""From a run's directory to its pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.allocation.runs.figures import Pattern, fraction_figure, pattern_figure, similarity_figure
from munet.allocation.runs.folder import RunFolder
from munet.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(run: Path, kind: str, checkpoint: str = "best") -> "Figure":
    """One picture of a run, also of one that is not finished.

    kind        "pattern", "similarity" or "fraction" (over all rounds)
    checkpoint  "best" by validation, "last" or a round
    InputError where there is nothing to draw.
    """
    folder = RunFolder(run)
    config = folder.config()["request"]
    lines = folder.metrics()
    if not lines:
        raise InputError(f"{run} has not been evaluated yet: give its train command again to go on")
    round = folder.round_of(checkpoint)
    held = folder.checkpoint(round)
    title = f"{config.get('experiment', run.name)}, {config.get('method', 'allocation')}, seed {config['seed']}"
    if kind == "fraction":
        budget = config["budget"] if config["budget_penalty"] else None
        return fraction_figure(lines, held["tasks"], held["clusters"], title, budget)
    layers = tuple(matrix.numpy() for matrix in held["greedy"])
    if not layers:
        raise InputError(f"{run} has no layer with several components: there is no allocation to draw")
    pattern = Pattern(
        tuple(held["tasks"]), tuple(held["clusters"]), layers, tuple(tuple(names) for names in held["components"])
    )
    title = f"{title}, round {round:,}"
    return pattern_figure(pattern, title) if kind == "pattern" else similarity_figure(pattern, title)


def draw_sizes(summaries: Sequence[Mapping[str, Any]], checkpoint: str = "best") -> "Figure":
    """Test accuracy of runs over their accounted parameters per task. InputError where runs have no accuracy."""
    from munet.allocation.runs.comparison import sizes
    from munet.experiments.results.plots import cost_figure

    experiments = list(dict.fromkeys(str(summary["request"]["experiment"]) for summary in summaries))
    if len(experiments) > 1:
        raise InputError(f"runs of {experiments[0]} and {experiments[1]} do not fit one picture: draw each alone")
    if checkpoint not in ("best", "last"):
        raise InputError(f"--checkpoint {checkpoint}: sizes are drawn of the best or the last one")
    curves = sizes(summaries, checkpoint)
    if not curves:
        raise InputError("these runs were not tested: there is no accuracy to draw")
    title = f"{experiments[0]}: test accuracy and size"
    return cost_figure(curves, title, "parameters per task", "test accuracy (%), range over seeds")
