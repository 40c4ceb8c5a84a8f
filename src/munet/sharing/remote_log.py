"""What a place tells of its tasks: each model that they have retained, who evolved it, whether it is known here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from munet.errors import InputError, MunetError, suggest
from munet.sharing.place import Place, others_damage
from munet.sharing.task import refuse_senseless
from munet.store.retained import History, heads, history_of
from munet.store.schema import TaskRecord

Signers = Callable[[TaskRecord, str], list[str]]
_NONE: Mapping[str, str] = MappingProxyType({})


def _nobody(record: TaskRecord, model: str) -> list[str]:
    return []


class Retained(NamedTuple):
    """A model that a task has retained."""

    task: str
    model: str
    by: list[str]
    test_accuracy: float | None  # as its author says
    state: str  # retained, beside (a head that is not retained), replaced
    known: bool  # here
    signed_by: list[str]  # each signature checked


class Unread(InputError):
    """Some records could not be read. `found` is what all others tell."""

    def __init__(self, message: str, kind: str, found: Sequence[Retained]) -> None:
        super().__init__(message, kind=kind)
        self.found = list(found)


def remote_log(
    there: Place,
    here: Place,
    tasks: Sequence[str] | None = None,
    signers: Signers = _nobody,
    names_here: Mapping[str, str] = _NONE,
) -> list[Retained]:
    """Of all tasks that are shared there, or of some, the newest models first. InputError for a task that is not there,
    and, as Unread, where records are damaged or newer, after all others are read.

    Only records are read: what they say is a claim of whoever wrote them. `signers` says who signed a model,
    `names_here` what tasks are called here that have another name there; `tasks` may say either.
    """
    with others_damage():
        names = there.tasks()
    found, withheld, faults = list[Retained](), here.private(), dict[str, MunetError]()
    for task in names if tasks is None else _called_there(tasks, names, names_here):
        if task not in names:
            raise InputError(f"{there.name} shares no task '{task}'{suggest(task, names)}", kind="unknown-task")
        try:
            record = _record(there, task)
        except MunetError as error:
            if error.kind not in ("damaged", "newer-format"):
                raise
            faults[task] = error
            continue
        if record is not None:  # else it was removed just now
            local = names_here.get(task, task)
            mine = None if local in withheld else here.task(local).record
            found += _of_task(record, {} if mine is None else history_of(mine), signers)
    if faults:
        first, *rest = faults
        more = f"; nor can be read: {', '.join(rest)}" if rest else ""
        raise Unread(f"{faults[first]}{more}", faults[first].kind, found)
    return found


def _called_there(tasks: Sequence[str], names: Sequence[str], names_here: Mapping[str, str]) -> list[str]:
    """Tasks by their names there, also those that were named as they are called here."""
    called = {here: there for there, here in names_here.items()}
    return [task if task in names else called.get(task, task) for task in tasks]


def _record(there: Place, task: str) -> TaskRecord | None:
    with others_damage():
        record = there.task(task).record
        if record is not None:
            refuse_senseless(record, there.name)
        return record


def _of_task(record: TaskRecord, known: History, signers: Signers) -> Iterator[Retained]:
    history = history_of(record)
    first = sorted(heads(history), key=lambda head: head != record["model"])
    for model in [*first, *_below(first, history)]:
        state = "retained" if model == record["model"] else "beside" if model in first else "replaced"
        test = history[model]["test"]
        accuracy = None if test is None else test["accuracy"]
        people = list(history[model]["by"])
        yield Retained(record["name"], model, people, accuracy, state, model in known, signers(record, model))


def _below(models: Sequence[str], history: History) -> list[str]:
    """What these models replaced, and what that had replaced, nearest first."""
    seen, found = set(models), list(models)
    for model in found:  # it grows
        for other in history[model]["replaces"]:
            if other in history and other not in seen:
                seen.add(other)
                found.append(other)
    return found[len(models) :]
