"""Models of a task that came from elsewhere, measured on the validation images of this system.

Of several heads the better one replaces the others. That is one more entry in what systems tell each other, so whoever
hears of it retains the same. Where two people judge differently, each replaced the other's, and the order of
`munet.sharing.task` decides as if nobody had. An accuracy that is borne out is a claim no more.
"""

from typing import TYPE_CHECKING, NamedTuple

from munet.errors import StoreError
from munet.sharing.task import accuracy_in, order_of
from munet.store.claimed import claims_of, measured
from munet.store.retained import heads, history_of
from munet.store.run_records import unfinished_of
from munet.store.schema import RetainedModel, TaskRecord

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader

_SAME = 1 / 200  # of the images: machines and number formats differ in a few answers


class Judged(NamedTuple):
    """What came of it."""

    task: str
    images: int
    accuracies: dict[str, float]  # model -> accuracy here, the best first, which is the one that is retained now
    claimed: dict[str, float | None]  # what others claim, of those models that the images here do not bear out


def judge(models: "ModelLoader", task: str, device: str = "auto") -> Judged | None:
    """Let the heads of a task be measured here; None where there is one at most, and that is no claim. InputError where
    its images are not here, or may not be read; StoreError where somebody evolves it."""
    from munet.inference.candidates import counts_of
    from munet.tasks.trust import refuse_received

    store = models.store
    before = store.read_task(task)
    first = heads(history_of(before))
    if len(first) < 2 and not claims_of(before).intersection(first):
        return None
    refuse_received(before)
    correct, images = counts_of(models, before, first, device)
    order = sorted(first, key=lambda model: (-correct[model], order_of(model, models.manifest(model))))
    with store.evolving(task), store.commit():
        record = store.read_task(task)
        if unfinished_of(store, [task]) or heads(history_of(record)) != first:
            raise StoreError(f"task '{task}' went on while its models were measured: do this again", kind="busy")
        said = {model: accuracy_in(order_of(model, models.manifest(model))) for model in claims_of(record) & {*order}}
        false = {model: claim for model, claim in said.items() if not _holds(claim, correct[model], images)}
        store.write_task(measured(_decided(record, order[0], order[1:]), [one for one in order if one not in false]))
    return Judged(task, images, {model: correct[model] / images for model in order}, false)


def _holds(claim: float | None, correct: int, images: int) -> bool:
    return claim is not None and abs(claim * images - correct) <= max(1, _SAME * images)


def _decided(record: TaskRecord, best: str, others: list[str]) -> TaskRecord:
    known = history_of(record)
    entry: RetainedModel = {**known[best], "replaces": sorted({*known[best]["replaces"], *others})}
    return {**record, "model": best, "test": entry["test"], "retained": {**known, best: entry}}
