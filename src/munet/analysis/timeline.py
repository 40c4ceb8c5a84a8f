"""What follows from the order in which children were sampled: whose child each is, the best so far, its depth."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from munet.analysis.children import Place, Run, Sampled
from munet.model.slots import adapter_number, adapters_of, blocks_in

Slots = Mapping[str, str]  # slot -> layer id


class Shape(NamedTuple):
    """How deep a model is, and before which blocks it has an adapter."""

    blocks: int
    adapters: frozenset[int]


def shape_of(slots: Slots) -> Shape:
    return Shape(blocks_in(slots), adapters_of(slots))


def parent_steps(sampled: Sampled) -> list[int | None]:
    """The step at which each child's parent was sampled; None for the root and for parents without a record."""
    columns = sampled.columns
    paths = {path: step for step, path in enumerate(columns["path"]) if path is not None}
    known: dict[str, int] = {}
    found: list[int | None] = []
    rows = zip(*(columns[name] for name in ("model", "parent", "parent_path")), strict=True)
    for step, (model, parent, parent_path) in enumerate(rows):
        # An abandoned run and its successor may have sampled the very same model: the later one is meant.
        found.append(known.get(parent) if parent_path is None else paths.get(parent_path))
        if model is not None:
            known[model] = step
    return found


def shapes(sampled: Sampled, parents: list[int | None], models: Mapping[str, Slots], root: str) -> list[Shape | None]:
    """The shape of every child, from its model where that is stored, else from its parent's and its mutations."""
    columns = sampled.columns
    imported = {run.name for run in sampled.runs if run.imported}  # their mutations do not tell of blocks
    stored = {model: shape_of(slots) for model, slots in models.items()}
    found: list[Shape | None] = []
    for step, model in enumerate(columns["model"]):
        parent, ancestor = columns["parent"][step], parents[step]
        before = stored.get(parent) or (found[ancestor] if ancestor is not None else None)
        if model in stored:
            found.append(stored[model])
        elif before is None or columns["run"][step] in imported or (ancestor is None and parent not in stored):
            found.append(None)
        else:
            found.append(_mutated(before, columns["mutations"][step]))
    return found


def _mutated(shape: Shape, mutations: tuple[tuple[str, str | None, Any, Any], ...]) -> Shape:
    blocks, adapters = shape.blocks, set(shape.adapters)
    for kind, slot, *_ in mutations:
        blocks += (kind == "restore_block") - (kind == "remove_block")
        if kind == "insert_adapter" and slot is not None:
            adapters.add(adapter_number(slot) or 0)
    return Shape(blocks, frozenset(k for k in adapters if k < blocks))


def best_so_far(sampled: Sampled) -> tuple[list[bool], list[bool]]:
    """(best, retained) of every child: better than its task had before, and retained when its task iteration ended.

    What the record of a task iteration's end says has the last word. Where there is none (the run goes on, was
    abandoned, imported, or is older than these records), recorded scores decide.
    """
    best, retained = [False] * len(sampled), [False] * len(sampled)
    now: dict[str, tuple[str | None, float]] = {}  # task -> model retained so far and its score
    for run in sampled.runs:
        if run.imported:
            now |= _imported(sampled, run, best, retained)
        for place in sampled.places(run):
            found = _iteration(sampled, run, place, now.get(place[1], (None, float("-inf"))))
            for step in found:
                best[step] = True
            over = place in sampled.ends or (run.finished is not None and not run.abandoned)
            if found and over:
                retained[found[-1]] = True
                now[place[1]] = sampled.columns["model"][found[-1]], sampled.columns["score"][found[-1]]
    return best, retained


def _iteration(sampled: Sampled, run: Run, place: Place, before: tuple[str | None, float]) -> list[int]:
    """The steps of one task iteration at which its task's best model changed."""
    columns, end, steps = sampled.columns, sampled.ends.get(place), sampled.steps[place]
    models, scores = columns["model"], columns["score"]
    if end is not None and end["model"] not in {models[step] for step in steps if models[step]}:
        return []  # what the task had before stayed ahead: scores do not change within a task iteration
    # Others may have begun or ceased to share layers with the model: what it scores now its children's records tell.
    parent_scores = [
        columns["parent_score"][step] for step in steps if columns["parent"][step] == before[0] is not None
    ]
    bar = next((score for score in parent_scores if score is not None), before[1])
    found = []
    for step in steps:
        score = scores[step]
        ahead = score is not None and (score > bar or (score == bar and not run.keeps_first))
        last = end is not None and models[step] == end["model"]
        if (columns["accepted"][step] and ahead) or last:
            found.append(step)
            bar = score
        if last:
            break
    return found


def _imported(
    sampled: Sampled, run: Run, best: list[bool], retained: list[bool]
) -> dict[str, tuple[str | None, float]]:
    """Mark the children of an import; returns what each task retained. Only of that is the model known by its id."""
    columns, bars, found = sampled.columns, dict[str, float](), dict[str, tuple[str | None, float]]()
    for step in run.steps:
        task, score, model = (columns[name][step] for name in ("task", "score", "model"))
        if model is not None:
            retained[step] = True
            found[task] = model, float("-inf") if score is None else score
        bar = bars.get(task, float("-inf"))
        if score is None or not columns["accepted"][step]:
            continue
        if score > bar or (score == bar and not run.keeps_first):
            best[step] = True
            bars[task] = score
    return found
