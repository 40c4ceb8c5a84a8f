"""The separate evaluation of a run's checkpoints, from its directory alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from munet.allocation.runs.folder import RunFolder
from munet.allocation.runs.perform import RunConfig, make
from munet.allocation.runs.summaries import present, report
from munet.errors import InputError
from munet.training.devices import choose_device


def evaluate_run(
    run: Path,
    which: str = "best",
    data: Path | None = None,
    *,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Evaluate checkpoints anew: {"checkpoints": [...], "chosen": ..., "which": ...} of `summaries.report`.

    which   "best": that of the best mean validation score in metrics.jsonl; "last": the newest; "all": every checkpoint
            on validation, and the best of what came out on all splits
    Only the chosen one is tested. InputError where there is no checkpoint, or one without weights is needed.
    """
    folder = RunFolder(run)
    config = folder.config()
    rounds = folder.rounds()
    if not rounds:
        raise InputError(f"{run} has no checkpoint yet: give its train command again to go on")
    request = RunConfig.of_request(config["request"])
    made, device = make(request, data), choose_device(device)
    network, allocation, tasks = made.network.to(device), made.allocation.to(device), made.tasks
    parts = present(tasks)

    def reported(round: int, of: list[str]) -> dict[str, Any]:
        held = folder.checkpoint(round)
        if held["network"] is None:
            raise InputError(
                f"{run}: the checkpoint of round {round} has no weights any more (--keep best): "
                "evaluate best or last, or train with --keep all"
            )
        network.load_state_dict(held["network"])
        allocation.load_state_dict(held["allocation"])
        return report(network, allocation, tasks, of, round=round, device=device)

    selecting = "validation" in parts
    evaluated = []
    if which == "all":
        for number, round in enumerate(rounds):
            evaluated.append(reported(round, ["validation"] if selecting else []))
            progress(number + 1, len(rounds))
    if which == "last" or not selecting:
        chosen = rounds[-1]
    elif which == "all":
        chosen = max(evaluated, key=lambda each: each["means"]["validation"])["round"]
    else:
        scored = {line["round"]: line["mean_validation"] for line in folder.metrics() if line["round"] in rounds}
        chosen = max(scored, key=lambda round: scored[round])
    found = reported(chosen, parts)
    named = "last" if which == "last" or not selecting else "best by validation"
    return {"checkpoints": evaluated or [found], "chosen": found, "which": named}
