"""What the tables tell of every model ever sampled, as the records of one finished run.

The weights of most of them are gone, and with them their manifests; their parents, settings, accuracies and times stay.
Task iterations and generations are not in the tables. An iteration is taken to be what is sampled for one task
without a break (or an agent's cycle); a generation ends where the starting time changes, or where a parent is one
of its own children.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from munet.errors import InputError
from munet.importing.hyperparameters import accuracies, hyperparameters
from munet.importing.state import Key, Model, State, key_text
from munet.store.schema import ChildRecord, GenerationRecord, Seconds, child_record, generation_record, verdict

_START = "metrics.start_time_loop"


def sampled(state: State) -> Iterator[tuple[str, int, int, list[Model]]]:
    """(published task, task iteration, generation, its models), in the order in which they were sampled."""
    iterations: dict[str, int] = {}
    for group in _iterations(state):
        task = group[0].task or ""
        number = iterations[task] = iterations.get(task, -1) + 1
        for generation, siblings in enumerate(_generations(group)):
            yield task, number, generation, siblings


def _iterations(state: State) -> Iterator[list[Model]]:
    known = {model.key: model for model in state.paths if model.task is not None}
    group: list[Model] = []
    for model in sorted(known.values(), key=lambda model: (model.key[0], model.cycle or 0, model.key[1])):
        if group and (model.key[0], model.task, model.cycle) != (group[0].key[0], group[0].task, group[0].cycle):
            yield group
            group = []
        group.append(model)
    if group:
        yield group


def _generations(models: list[Model]) -> Iterator[list[Model]]:
    group: list[Model] = []
    for model in models:
        started = model.row.text(_START)
        if group and (started != group[0].row.text(_START) or model.parent in {other.key for other in group}):
            yield group
            group = []
        group.append(model)
    if group:
        yield group


@dataclass(frozen=True)
class DraftGeneration:
    """A generation without the ids of its models and their parents, which only writing gives."""

    record: GenerationRecord
    models: list[Model]  # of the children, in their order

    def with_ids(self, known: Mapping[Key, str]) -> GenerationRecord:
        """With the ids of those models and parents that were imported; of others only the path is kept."""
        children: list[ChildRecord] = [
            {**child, "model": known.get(model.key), "parent": known.get(model.parent) if model.parent else None}
            for child, model in zip(self.record["children"], self.models, strict=True)
        ]
        return {**self.record, "children": children}


def draft_records(state: State, names: Mapping[str, str], unread: list[str]) -> Iterator[DraftGeneration]:
    """Every generation, one at a time, for there are tens of thousands of models in a large system.

    What a row says wrongly is put in `unread`, and the row left out: only history is lost.
    """
    known = {model.key: model for model in [*state.paths, *state.population]}
    for task, iteration, generation, siblings in sampled(state):
        children, models = list[ChildRecord](), list[Model]()
        for number, model in enumerate(siblings):
            try:
                children.append(_child(state, number, model, names, known))
                models.append(model)
            except InputError as error:
                unread.append(str(error))
        yield DraftGeneration(generation_record(names[task], iteration, generation, children), models)


def _child(
    state: State, number: int, model: Model, names: Mapping[str, str], known: Mapping[Key, Model]
) -> ChildRecord:
    row, parent = model.row, known.get(model.parent) if model.parent else None
    cycles, kept = accuracies(model, earlier=state.format == "munet")
    settings = hyperparameters(model)
    before = hyperparameters(parent) if parent else {}
    changed = [name for name in sorted(settings) if name in before and before[name] != settings[name]]
    record = child_record(
        number,
        verdict(
            accepted=bool(row.flag("metrics.improved")),
            reason=None,
            accuracy=row.number("metrics.quality"),
            score=model.score,
            parent_score=parent.score if parent else None,
            parameters=row.whole("metrics.num_params"),
            trainable_parameters=row.whole("metrics.num_trainable_params"),
            accounted_parameters=row.number("metrics.training_accounted_params") or model.accounted,
            flops=row.number("metrics.flops"),
        ),
        parent=None,
        parent_task=names.get(parent.task) if parent and parent.task else None,
        mutations=[{"kind": "set", "name": n, "old": before[n], "new": settings[n]} for n in changed],
        hyperparameters=settings,
        cloned=None,
        cycle=kept,
        accuracies=cycles,
        # munet spent nothing on it, and what the published code spent is not in its tables
        samples=0,
        flops_spent={"train": 0, "validation": 0},
        stream=[],
        device=None,
        seconds=_seconds(model),
        started=row.text("metrics.start_time"),
    )
    record["finished"] = row.text("metrics.end_time")
    record["path"] = key_text(model.key)
    record["parent_path"] = key_text(model.parent) if model.parent else None
    return record


def _seconds(model: Model) -> Seconds:
    spent = {name: model.row.number(f"metrics.{name}_time") or 0.0 for name in ("train", "eval", "compile", "prep")}
    return {"train": spent["train"], "validation": spent["eval"], "other": spent["compile"] + spent["prep"]}
