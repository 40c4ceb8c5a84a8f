"""The models that a task has retained, and which of them replaced which: what systems that share a task agree on.

The record of a task holds a map from each of these models to those that it replaced. Maps only grow, and two of them
are joined by joining what they hold: whoever has heard of the same models knows the same, in whatever order he heard.
A model that nothing replaced is a head. Who evolves a task alone has one; two who evolved it at the same time have two
after they heard of each other, and both keep their weights until the next model replaces both.
"""

from collections.abc import Collection, Iterable, Mapping

from munet.store.schema import ModelTest, RetainedModel, TaskRecord

History = dict[str, RetainedModel]


def history_of(record: TaskRecord) -> History:
    """All models that a task is known to have retained, the present one among them, also where its record is older."""
    return noted(record.get("retained") or {}, record.get("model"), record.get("test"), None)


def noted(known: Mapping[str, RetainedModel], model: str | None, test: ModelTest | None, by: str | None) -> History:
    """What is known after a model was retained: it replaces all heads."""
    if model is None or model in known:
        return dict(known)
    tested = test if test is not None and test["model"] == model else None
    return {**known, model: {"replaces": sorted(heads(known)), "by": [] if by is None else [by], "test": tested}}


def beside(record: TaskRecord) -> list[str]:
    """Heads other than the retained model: what somebody else retained of a task at the same time."""
    known, model = record.get("retained") or {}, record.get("model")
    return [] if model not in known else [head for head in heads(known) if head != model]


def heads(known: Mapping[str, RetainedModel]) -> list[str]:
    """The models that none replaced, sorted. Where records say that some replaced each other, these
    count as one: all of them are heads unless another replaced one of them."""
    replaced = {model: [other for other in entry["replaces"] if other in known] for model, entry in known.items()}
    by: dict[str, list[str]] = {model: [] for model in known}
    for model, others in replaced.items():
        for other in others:
            by[other].append(model)
    # Every group of models from which no replacer leads out has one of these, the first of it that was come upon.
    starts = _not_reached(known, replaced)
    starts = _not_reached(reversed(starts), replaced)
    return sorted({head for start in starts for head in _reached([start], by, set())})


def _not_reached(models: Iterable[str], edges: Mapping[str, Collection[str]]) -> list[str]:
    """Those of the models that are not reached from one before them."""
    seen, found = set[str](), list[str]()
    for model in models:
        if model not in seen:
            found.append(model)
            _reached([model], edges, seen)
    return found


def _reached(models: Iterable[str], edges: Mapping[str, Collection[str]], seen: set[str]) -> set[str]:
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.add(model)
            waiting += edges[model]
    return seen
