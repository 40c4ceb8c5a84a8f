"""Every child ever sampled as columns of numbers, and the lineage of each retained model."""

from typing import Any

from munet.analysis.child_fields import ON_PAGE
from munet.analysis.costs import kind_of
from munet.analysis.lineage import descent
from munet.analysis.snapshot import Snapshot
from munet.report.page.network import ROOT, STRANGER, Network
from munet.report.page.texts import ident, mutation_text, shown
from munet.report.page.values import column

REJECTED, ACCEPTED, BEST = 0, 1, 2
_OTHER_PARENT = -2  # neither sampled here nor the root


class _Words:
    """Texts that many children have in common, each written once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def list(self) -> list[str]:
        return list(self.numbers)


def children(one: Snapshot, network: Network) -> tuple[dict[str, list[Any]], dict[str, list[str]]]:
    """Columns of equal length, one value for each step, and the texts that they name by number."""
    columns, best = one.sampled.columns, one.marks[0]
    count = len(one.sampled)
    reasons, mutations, devices = _Words(), _Words(), _Words()
    runs = {run.name: number for number, run in enumerate(one.sampled.runs)}
    verdicts = list(zip(columns["accepted"], best, strict=True))
    seconds = zip(*(columns[f"{part}_seconds"] for part in ("train", "validation", "other")), strict=True)
    rows = {name: column(columns[name]) for name in ON_PAGE} | {
        "task": [network.task(name) for name in columns["task"]],
        "parent": [_parent(one, step) for step in range(count)],
        "state": [BEST if better else ACCEPTED if accepted else REJECTED for accepted, better in verdicts],
        "reason": [
            -1 if accepted else reasons.number(shown(kind_of(reason)))
            for accepted, reason in zip(columns["accepted"], columns["reason"], strict=True)
        ],
        "run": [runs[name] for name in columns["run"]],
        "seconds": column(_sum(parts) for parts in seconds),
        "path": [network.path_of_step(step) for step in range(count)],
        "own": [_slots(cloned, network) for cloned in columns["cloned"]],
        "mutations": [
            [mutations.number(mutation_text(*mutation)) for mutation in made if mutation[0] != "clone"]
            for made in columns["mutations"]
        ],
        "model": [ident(model) or "" for model in columns["model"]],
        "device": [devices.number(shown(device or "not recorded")) for device in columns["device"]],
    }
    return rows, {"reasons": reasons.list(), "mutations": mutations.list(), "devices": devices.list()}


def lineages(one: Snapshot, names: list[str]) -> list[list[dict[str, Any]]]:
    """For each task its model and the model's ancestors, newest first, the root last; empty without a model."""
    task = {name: number for number, name in enumerate(names)}
    found = []
    for name in names:
        line = []
        for ancestor in descent(one, one.retained[name].id) if name in one.retained else ():
            model = one.models.get(ancestor.model or "")
            line.append(
                {
                    "model": ident(ancestor.model),
                    "task": ROOT if ancestor.task is None else task.get(ancestor.task, STRANGER),
                    "step": ancestor.step,
                    "validation_accuracy": ancestor.accuracy,
                    "alive": model is not None and one.alive(model),
                }
            )
        found.append(line)
    return found


def _parent(one: Snapshot, step: int) -> int:
    parent = one.parent_steps[step]
    if parent is not None:
        return parent
    return ROOT if one.sampled.columns["parent"][step] in (one.root, None) else _OTHER_PARENT


def _slots(cloned: tuple[str, ...] | None, network: Network) -> list[int]:
    return sorted(number for number in map(network.slot, cloned or ()) if number is not None)


def _sum(parts: tuple[float | None, ...]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
