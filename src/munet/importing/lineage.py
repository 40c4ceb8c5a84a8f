"""Which models of a published population are imported, and who descends from whom.

A munet system has one root and one retained model for each task. Models that only history knows have no weights left,
so a model's parent is the nearest ancestor that has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from munet.errors import InputError
from munet.importing.state import Key, Model, State, key_text


@dataclass(frozen=True)
class Family:
    """The models to import, each parent before its children."""

    root: Model
    retained: list[Model]
    parents: Mapping[Key, Key]  # of each retained model, among these and the root
    tasks: list[str]  # published names in the order of the population
    notes: list[str]


def family(state: State) -> Family:
    """Choose the models of a state and link them. InputError for a lineage with gaps or circles."""
    notes = list[str]()
    retained = _retained(state, notes)
    known = {model.key: model for model in [*state.paths, *state.population]}
    roots = {model.key: model for model in state.population if model.task is None}
    alive = {model.key for model in retained}
    origins = {model.key: _living_parent(state, model, alive | roots.keys(), known, notes) for model in retained}
    counts = dict.fromkeys(roots, 0)
    for model in retained:
        root = _root_of(model, origins, roots)
        if root is not None:
            counts[root] += 1
    chosen = max(counts, key=lambda key: counts[key])  # of equal ones the first
    others = [key for key in roots if key != chosen]
    if others:
        names = ", ".join(key_text(key) for key in others)
        notes.append(f"the system has {len(roots)} roots; {key_text(chosen)} becomes the root, {names} does not")
    parents = {key: chosen if parent is None or parent in roots else parent for key, parent in origins.items()}
    tasks = [model.task for model in retained if model.task]
    return Family(roots[chosen], _sorted(retained, parents), parents, tasks, notes)


def _retained(state: State, notes: list[str]) -> list[Model]:
    """One model for each task: the best where a state was saved in the middle of a task iteration."""
    best: dict[str, Model] = {}
    several: set[str] = set()
    for model in state.population:
        if model.task is None:
            continue
        other = best.get(model.task)
        if other is not None:
            several.add(model.task)
        if other is None or _rank(state, model) > _rank(state, other):
            best[model.task] = model
    if several:
        notes.append(f"of {', '.join(sorted(several))} the population has several models: the best is imported")
    return list(best.values())


def _rank(state: State, model: Model) -> tuple[float, int]:
    """By score; among equal ones muNet keeps the first, its successors the newest."""
    quality = model.row.number("metrics.quality")
    score = model.score if model.score is not None else quality
    return (-1.0 if score is None else score), (-model.key[1] if state.format == "munet" else model.key[1])


def _living_parent(
    state: State, model: Model, alive: set[Key], known: Mapping[Key, Model], notes: list[str]
) -> Key | None:
    """The nearest ancestor with weights; None where the row names no parent."""
    key, seen = model.parent, {model.key}
    while key is not None and key not in alive:
        if key in seen:
            raise InputError(f"the lineage of {model.name} goes in a circle at {key_text(key)}")
        seen.add(key)
        ancestor = known.get(key)
        if ancestor is None and state.format == "mu3net":  # as its code does when an agent has moved on
            notes.append(f"parent {key_text(key)} of task {model.task} is gone: the root takes its place")
            return None
        if ancestor is None:
            raise InputError(
                f"{model.name}: its ancestor {key_text(key)} is neither in population.csv nor in paths.csv: "
                "the state is not whole, copy or unpack it again"
            )
        key = ancestor.parent
    return key


def _root_of(model: Model, parents: Mapping[Key, Key | None], roots: Mapping[Key, Model]) -> Key | None:
    key, seen = model.key, set[Key]()
    while key is not None and key not in roots:
        if key in seen:
            raise InputError(f"the lineage of {model.name} goes in a circle at {key_text(key)}")
        seen.add(key)
        key = parents[key]
    return key


def _sorted(models: list[Model], parents: Mapping[Key, Key]) -> list[Model]:
    """Parents before children; there is no circle."""

    def depth(key: Key) -> int:
        count = 0
        while key in parents:
            key, count = parents[key], count + 1
        return count

    return sorted(models, key=lambda model: depth(model.key))
