"""Two heads of a task measured on the validation images of this system: the better one replaces the others.

That is one more entry in what systems tell each other, so whoever hears of it retains the same. Where two people judge
differently, each replaced the other's, and the order of `munet.sharing.task` decides as if nobody had.
"""

from typing import TYPE_CHECKING, NamedTuple

from munet.errors import StoreError
from munet.sharing.task import order_of
from munet.store.claimed import measured
from munet.store.retained import heads, history_of
from munet.store.run_records import unfinished_of
from munet.store.schema import RetainedModel, TaskRecord

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


class Judged(NamedTuple):
    """What came of it: model -> accuracy here, the best first, which is the one that is retained now."""

    task: str
    images: int
    accuracies: dict[str, float]


def judge(models: "ModelLoader", task: str, device: str = "auto") -> Judged | None:
    """Let the heads of a task be measured here; None where there is one at most. InputError where its images are not
    here, or may not be read; StoreError where somebody evolves it."""
    from munet.inference.candidates import counts_of
    from munet.tasks.trust import refuse_received

    store = models.store
    before = store.read_task(task)
    first = heads(history_of(before))
    if len(first) < 2:
        return None
    refuse_received(before)
    correct, images = counts_of(models, before, first, device)
    order = sorted(first, key=lambda model: (-correct[model], order_of(model, models.manifest(model))))
    with store.evolving(task), store.commit():
        record = store.read_task(task)
        if unfinished_of(store, [task]) or heads(history_of(record)) != first:
            raise StoreError(f"task '{task}' went on while its models were measured: do this again", kind="busy")
        store.write_task(measured(_decided(record, order[0], order[1:]), order))
    return Judged(task, images, {model: correct[model] / images for model in order})


def _decided(record: TaskRecord, best: str, others: list[str]) -> TaskRecord:
    known = history_of(record)
    entry: RetainedModel = {**known[best], "replaces": sorted({*known[best]["replaces"], *others})}
    return {**record, "model": best, "test": entry["test"], "retained": {**known, best: entry}}
