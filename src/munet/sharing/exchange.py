"""Tasks from one place to another: push and pull are the same in two directions.

For each task: what both know is joined, the models that the target lacks are copied, then its record is replaced, if it
is still the one that was read; else again. A record that was replaced without our hearing of it needs no mark: it is
read again, and knows what we wanted to tell. So all of this may be cut off anywhere, and done again.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any

from munet.errors import InputError, MunetError, StoreError, suggest
from munet.sharing.copying import Copied, Progress, copy_ancestors, copy_model, is_whole, refuse_other_root
from munet.sharing.place import Held, Place, PrivateTaskError, others_damage
from munet.sharing.renaming import Naming, under
from munet.sharing.signing import Required
from munet.sharing.task import Order, SharedTask, accuracy_in, order_of, refuse_senseless
from munet.store.claimed import claims_of, with_claims
from munet.store.retained import history_of
from munet.store.schema import TaskRecord

_ATTEMPTS = 30
_MANY = 8  # tasks
_LONGEST = 2.0  # seconds between two of them
_TOLD = ("model", "iterations", "retained", "signatures", "called")  # of a record, to others
_AS_THERE = Naming()


@dataclass(frozen=True)
class Outcome:
    """What became of a task at the place that was to hear of it."""

    task: str
    what: str  # new, same, ahead (it knew more), taken (it knew less), joined (both knew something), refused
    model: str | None = None  # that it retains now
    over: tuple[str, ...] = ()  # heads that are kept beside it
    accuracy: float | None = None  # of the model, on validation
    claimed: bool = False  # the accuracy was not measured in this system
    by: tuple[str, ...] = ()  # who evolved it
    layers: int = 0
    bytes: int = 0
    refused: str | None = None
    kind: str | None = None  # of the error, where it was refused
    source: str | None = None  # what the task is called where this comes from, if otherwise
    aside: str | None = None  # what the task is called now that had this name there

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Told = Callable[[Outcome], None]


class Refused(InputError):
    """Some tasks could not be exchanged, all others were. `outcomes` says what became of each."""

    def __init__(self, message: str, kind: str, outcomes: Sequence[Outcome]) -> None:
        super().__init__(message, kind=kind)
        self.outcomes = list(outcomes)


def exchange(
    source: Place,
    target: Place,
    tasks: Sequence[str] | None = None,
    *,
    skip: Iterable[str] = (),
    naming: Naming = _AS_THERE,
    only_look: bool = False,
    required: Required | None = None,
    progress: Progress | None = None,
    told: Told | None = None,
) -> list[Outcome]:
    """Let the target know what the source knows: of these tasks, or of all that are shared there.

    `naming` says what they are called at the target; `tasks` and `skip` name them as the source does. `only_look`
    copies the models and moves no record; with `required` only what is signed comes. Raises Refused at the end, after
    all that could be done is done.
    """
    refuse_other_root(source, target)
    copied, at_once = Copied(progress), told if told is not None and target.near else _nobody
    for attempt in _attempts():
        with others_damage():
            chosen = _chosen(source, tasks, set(skip))
        if not target.near and len(chosen) > _MANY:
            target.tasks()  # which reads their records at once, before they are asked for one by one
        ahead = source.look_ahead(
            chosen,
            lambda model: target.manifest(model) is not None,
            partial(_is_taken, source, target, naming, required),
        )
        copy_ancestors(ahead, target)
        try:
            outcomes = [_outcome(task, source, target, copied, naming, only_look, required, at_once) for task in chosen]
        finally:
            target.release()
        if target.settle():
            break
        time.sleep(random.uniform(0, min(_LONGEST, 0.02 * 2**attempt)))
    else:
        raise _moved(target, "tasks")
    if told is not None and not target.near:
        for outcome in outcomes:
            told(outcome)
    refused = [outcome for outcome in outcomes if outcome.refused is not None]
    if refused:
        first, rest = refused[0], [outcome.task for outcome in refused[1:]]
        more = f"; also refused: {', '.join(rest)}" if rest else ""
        raise Refused(f"{first.refused}{more}", first.kind or "input", outcomes)
    return outcomes


def _outcome(
    task: str,
    source: Place,
    target: Place,
    copied: Copied,
    naming: Naming,
    only_look: bool,
    required: Required | None,
    told: Told,
) -> Outcome:
    try:
        outcome = bring(task, source, target, copied, naming=naming, only_look=only_look, required=required)
    except MunetError as error:
        outcome = Outcome(naming.at_target(task), "refused", refused=str(error), kind=error.kind)
    if outcome.task != task:
        outcome = replace(outcome, source=task)
    told(outcome)
    return outcome


def _is_taken(source: Place, target: Place, naming: Naming, required: Required | None, record: TaskRecord) -> bool:
    """Whether anything is taken of a record that was read ahead; why not is said when its turn comes."""
    try:
        refuse_senseless(record, source.name)
        if required is None:
            return True
        held = target.task(naming.at_target(record["name"])).record
    except MunetError:
        return False
    return required.passes(SharedTask.of(record), None if held is None else SharedTask.of(held), source.name)


def _nobody(outcome: Outcome) -> None:
    """Outcomes at a place that may not settle are told when it has."""


def bring(
    task: str,
    source: Place,
    target: Place,
    copied: Copied,
    *,
    naming: Naming = _AS_THERE,
    only_look: bool = False,
    required: Required | None = None,
) -> Outcome:
    """Let the target know what the source knows of a task."""
    order, name = _order(target, source), naming.at_target(task)
    for attempt in _attempts():
        read = given(source, task)
        told = SharedTask.of(read)
        makes_room = naming.aside is not None and naming.aside.wanted(told, name)
        held = Held(None, None) if makes_room else _held(source, target, task, naming)
        known = None if held.record is None else SharedTask.of(held.record)
        if required is not None:
            told = required.accepted(told, known, source.name)
        told = under(told, name, source)
        if known is not None:
            known.refuse_other_data(told, naming.ways(task, name))
        joined = told if known is None else known.joined(told)
        before = (copied.layers, copied.bytes)
        # What its record names is there, by the order of writing.
        news = [model for model in joined.heads if known is None or model not in known.heads]
        if news:
            target.hold()
        for model in news:
            if not is_whole(target, model):
                copy_model(told.names, model, source, target, copied)
        record = joined.record(held.record, order, target.next_added() if held.record is None else 0)
        if target.near:
            record = with_claims(record, held.record)
        model = record["model"]
        outcome = Outcome(
            name,
            _what(known, told, joined),
            model,
            tuple(head for head in joined.heads if head != model),
            accuracy=None if model is None else accuracy_in(order(model)),
            claimed=model is not None and not _is_measured(model, read if naming.giving else record),
            by=() if model is None else tuple(joined.retained[model]["by"]),
            layers=copied.layers - before[0],
            bytes=copied.bytes - before[1],
        )
        if only_look or (held.record is not None and _says(held.record, record)):
            return outcome
        # What was copied to a folder may have been collected while the rest came; elsewhere `hold` keeps it.
        whole = not target.near or all(is_whole(target, model) for model in news)
        aside = naming.aside.make_room(name) if makes_room and whole and naming.aside is not None else None
        if whole and target.swap(record, held):
            return replace(outcome, aside=aside)
        time.sleep(random.uniform(0, min(_LONGEST, 0.02 * 2**attempt)))
    raise _moved(target, f"task '{task}'")


def _is_measured(model: str, record: TaskRecord) -> bool:
    """Whether the system whose record this is has measured a model itself."""
    return model in history_of(record) and model not in claims_of(record)


def _held(source: Place, target: Place, task: str, naming: Naming) -> Held:
    """The record of a task at the target. InputError where a private one has its name there."""
    try:
        return target.task(naming.at_target(task))
    except PrivateTaskError as error:
        name = naming.at_target(task)
        raise InputError(
            f"task '{name}' of {target.name} is private, and {source.name} shares another of that name: "
            f"{naming.ways(task, name)}",
            kind="other-data",
        ) from error


def _moved(target: Place, what: str) -> StoreError:
    return StoreError(
        f"{target.name}: others moved {what} {_ATTEMPTS} times while this tried to: do it again", kind="remote"
    )


def _attempts() -> Iterator[int]:
    return iter(range(_ATTEMPTS))


def _says(before: TaskRecord, after: TaskRecord) -> bool:
    """Whether a record names the model and history that it should: older ones have no history yet."""
    return all(before.get(key) == after.get(key) for key in _TOLD)


def _what(known: SharedTask | None, told: SharedTask, joined: SharedTask) -> str:
    if known is None:
        return "new"
    learned, both = joined != known, joined.retained != known.retained and joined.retained != told.retained
    ahead = (joined.retained, joined.signatures, joined.called) != (told.retained, told.signatures, told.called)
    return "joined" if both else "taken" if learned else "ahead" if ahead else "same"


def given(source: Place, task: str) -> TaskRecord:
    """The record of a task. InputError where there is none, or it is private; DamagedError."""
    record = source.task(task).record
    if record is None:
        raise InputError(f"{source.name} has no task '{task}'{suggest(task, source.tasks())}", kind="unknown-task")
    refuse_senseless(record, source.name)
    return record


def _chosen(source: Place, tasks: Sequence[str] | None, skip: set[str]) -> list[str]:
    there = source.tasks()
    unknown = skip - set(there)
    if unknown:
        name = min(unknown)
        raise InputError(f"--skip {name}: {source.name} shares no such task{suggest(name, there)}", kind="unknown-task")
    return [task for task in (there if tasks is None else dict.fromkeys(tasks)) if task not in skip]


def _order(*places: Place) -> Order:
    """The order of models whose manifests lie in one of the places."""
    places = tuple(sorted(places, key=lambda place: not place.near))

    @cache
    def order(model: str) -> tuple[Any, ...]:
        found = next((manifest for place in places if (manifest := place.manifest(model)) is not None), None)
        if found is None:
            raise StoreError(
                f"{places[0].name} lacks model {model[:10]}, which a record names: `munet fsck {places[0].name}` "
                "says more"
            )
        return order_of(model, found)

    return order
