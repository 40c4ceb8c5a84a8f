"""The rows of each table for one system, as columns of plain values."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from munet.analysis import columns as c
from munet.analysis.authors import author_of
from munet.analysis.child_fields import CHILDREN
from munet.analysis.children import Run
from munet.analysis.snapshot import Snapshot
from munet.model.cost import accounted_parameters
from munet.model.slots import blocks_in, parse, slot_order
from munet.store.claimed import is_claimed
from munet.store.schema import TaskRecord
from munet.store.signatures import signed_by

Row = tuple[Any, ...]


def tasks(one: Snapshot) -> c.Columns:
    def row(order: int, record: TaskRecord) -> Row:
        splits, test = record.get("splits") or {}, record.get("test")
        examples = [(splits.get(split) or {}).get("examples") for split in ("train", "validation", "test")]
        facts = (len(record.get("classes") or ()), *examples, record.get("iterations", 0), record.get("model"))
        author = (author_of(record), " and ".join(signed_by(one.store, record, record.get("model"))) or None)
        author = (*author, is_claimed(record))
        place = (one.label, record["name"], order, bool(record.get("private")))
        tested = test["accuracy"] if test and test["model"] == record.get("model") else None
        model = one.retained.get(record["name"])
        if model is None:
            return (*place, *facts, *author, None, tested, *[None] * 6)
        metrics = model.metrics
        accounted = accounted_parameters(model.sizes, model.layers, one.owners, record["name"])
        measures = (metrics.get("validation_accuracy"), tested, metrics.get("score"), sum(model.sizes.values()))
        shape = (blocks_in(model.layers), model.hyperparameters.get("image_size"))
        return (*place, *facts, *author, *measures, accounted, metrics.get("flops"), *shape)

    return c.filled(c.TASKS, (row(order, record) for order, record in enumerate(one.records)))


def children(one: Snapshot) -> c.Columns:
    sampled = one.sampled
    best, retained = one.marks
    found = {name: values for name, values in sampled.columns.items() if name in CHILDREN or name.startswith("hp.")}
    blocks = [None if shape is None else shape.blocks for shape in one.shapes]
    places: c.Columns = {"system": [one.label] * len(sampled), "step": list(range(len(sampled)))}
    return (
        found
        | places
        | {
            "parent_step": one.parent_steps,
            "best": best,
            "retained": retained,
            "num_blocks": blocks,
        }
    )


def cycles(one: Snapshot) -> c.Columns:
    columns = one.sampled.columns
    sampled_rows = enumerate(zip(columns["task"], columns["accuracies"], strict=True))
    rows = ((one.label, s, task, k, value) for s, (task, values) in sampled_rows for k, value in enumerate(values))
    return c.filled(c.CYCLES, rows)


def mutations(one: Snapshot) -> c.Columns:
    columns = one.sampled.columns
    sampled_rows = enumerate(zip(columns["task"], columns["mutations"], strict=True))
    return c.filled(
        c.MUTATIONS, ((one.label, s, task, *mutation) for s, (task, made) in sampled_rows for mutation in made)
    )


def models(one: Snapshot) -> c.Columns:
    retained = {model.id for model in one.retained.values()}
    rows = (
        (
            *(one.label, model.id, model.task, model.parent, model.method, model.generation),
            *(model.metrics.get("validation_accuracy"), one.tests.get(model.id), model.metrics.get("score")),
            *(one.alive(model), model.id in retained, one.step_of.get(model.id)),
        )
        for model in one.models.values()
    )
    return c.filled(c.MODELS, rows)


def layers(one: Snapshot) -> c.Columns:
    def each() -> Iterator[Row]:
        for task, model in one.retained.items():
            makers = one.trained_by(model.id)
            for slot in sorted(model.layers, key=slot_order):
                layer = model.layers[slot]
                others = one.owners[layer] - {task}
                place = (one.label, task, model.id, slot, layer, *parse(slot)[:2])
                trainers = (makers[slot], one.trunks.get(layer, ()))
                yield (*place, model.sizes.get(slot), *trainers, 1 + len(others), tuple(sorted(others)))

    return c.filled(c.LAYERS, each())


def probabilities(one: Snapshot) -> c.Columns:
    def each() -> Iterator[Row]:
        for task, model in one.retained.items():
            for mutation, probability in model.mutation_probabilities.items():
                kind, _, what = mutation.partition(":")
                yield one.label, task, model.id, mutation, kind, parse(what).number, probability

    return c.filled(c.PROBABILITIES, each())


def iterations(one: Snapshot) -> c.Columns:
    sampled, total = one.sampled, 0.0
    spent = [total := total + (samples or 0) for samples in sampled.columns["samples"]]
    order = {run.name: number for number, run in enumerate(sampled.runs)}

    def row(place: tuple[str, str, int]) -> Row:
        end, steps = sampled.ends[place], sampled.steps.get(place)
        test, whole = end.get("test"), end.get("system") or {}
        last = steps[-1] if steps else None
        means = [whole.get(name) for name in list(c.ITERATIONS)[10:16]]
        facts = (end["order"], end["model"], end.get("validation_accuracy"), test["accuracy"] if test else None)
        return (one.label, last, *place, *facts, None if last is None else spent[last], *means, end.get("finished"))

    places = sorted(sampled.ends, key=lambda place: (order.get(place[0], 0), sampled.ends[place]["order"]))
    return c.filled(c.ITERATIONS, map(row, places))


def runs(one: Snapshot) -> c.Columns:
    finished = one.sampled.columns["finished"]

    def row(run: Run) -> Row:
        config, request = run.config, run.request
        over = run.finished["finished"] if run.finished else None
        asked = (len(request.get("tasks") or ()), request.get("seed"), request.get("precision"))
        where = (config.get("device"), config.get("threads"))
        last = over or max((time for time in finished[run.steps.start : run.steps.stop] if time), default=None)
        times = (config.get("started"), over, run.abandoned, seconds_between(config.get("started"), last))
        system = (len(run.steps), config.get("machine"), config.get("versions"))
        return (one.label, run.name, run.method, run.imported, *asked, *where, *times, *system)

    return c.filled(c.RUNS, map(row, one.sampled.runs))


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Seconds from one time of a run record to another; None where they are not recorded in munet's form."""
    try:
        return (datetime.fromisoformat(end or "") - datetime.fromisoformat(start or "")).total_seconds()
    except (ValueError, TypeError):
        return None
