"""From a run's directory to its pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from munet.allocation.checkpoints import RunFolder
from munet.allocation.plotting import Pattern, fraction_figure, pattern_figure, similarity_figure
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
    round = _round(folder, checkpoint)
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


def _round(folder: RunFolder, checkpoint: str) -> int:
    from munet.allocation.trainer import best_round

    rounds = folder.rounds()
    if not rounds:
        raise InputError(f"{folder.path} has no checkpoint yet: give its train command again to go on")
    if checkpoint == "last":
        return rounds[-1]
    if checkpoint == "best":
        return best_round(folder.metrics())
    if not checkpoint.isdecimal() or int(checkpoint) not in rounds:
        known = ", ".join(map(str, rounds[:8])) + (", …" if len(rounds) > 8 else "")
        raise InputError(f"--checkpoint {checkpoint}: give best, last or a round that was kept: {known}")
    return int(checkpoint)
