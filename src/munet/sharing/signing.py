"""Heads of tasks that are signed: here before they are told to others, and looked at before they are taken from them.

Nobody has to sign. Who requires it takes of a task only what is known here already or what somebody of his file of
allowed signers signed, and nothing at all where a signature is bad or a head has none.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from munet.errors import InputError, MunetError, StoreError
from munet.fs import ssh_keygen
from munet.sharing.task import SharedTask, joined_entries, united
from munet.store import Store
from munet.store.retained import heads, history_of
from munet.store.run_records import generations, read_generation
from munet.store.schema import RetainedModel, SignedModel, TaskData, TaskRecord
from munet.store.signatures import says_the_same, signatures_of, statement


class Signed(NamedTuple):
    """A model over which a signature was put."""

    task: str
    model: str


def sign(store: Store, tasks: Sequence[str], key: Path, *, only_made_here: bool = False) -> list[Signed]:
    """Sign the heads of these tasks, those that this key has not signed as they are; kept in the tasks' records.

    With `only_made_here` no models but those that a run of this system trained. InputError where the key cannot sign;
    StoreError, kind busy, where somebody evolves such a task.
    """
    mine, done = ssh_keygen.key_of(key), list[Signed]()
    for task in tasks:
        record = store.read_task(task)
        known, new = history_of(record), dict[str, SignedModel]()
        for model in heads(known):
            if not _has_signed(mine, record, store.root, model, known[model]) and (
                not only_made_here or _made_here(store, task, model)
            ):
                text = ssh_keygen.sign(statement(record, store.root, model, known[model]), key)
                new[model] = {**known[model], "signature": text}
        if new:
            _keep(store, task, new)
            done += [Signed(task, model) for model in new]
    return done


def _has_signed(key: str, record: TaskRecord, root: str, model: str, entry: RetainedModel) -> bool:
    said = [one for one in signatures_of(record).get(model, ()) if says_the_same(one, entry)]
    return any(ssh_keygen.key_behind(statement(record, root, model, one), one["signature"]) == key for one in said)


def _keep(store: Store, task: str, new: dict[str, SignedModel]) -> None:
    with store.evolving(task), store.commit():
        record = store.read_task(task)
        known, signed = history_of(record), signatures_of(record)
        if any(model not in known or not says_the_same(one, known[model]) for model, one in new.items()):
            raise StoreError(f"task '{task}' went on while it was signed: do this again", kind="busy")
        signed |= {model: united(signed.get(model, ()), [one]) for model, one in new.items()}
        store.write_task({**record, "signatures": dict(sorted(signed.items()))})


def _made_here(store: Store, task: str, model: str) -> bool:
    """Whether a run of this system trained a model: what others say of who did is no proof."""
    return any(model == made for run in reversed(store.runs()) for made in _made(store, run, task))


def _made(store: Store, run: str, task: str) -> Iterator[str | None]:
    for file, place in generations(store, run):
        if place.task == task:
            yield from (child["model"] for child in read_generation(store, run, file)["children"])


def required(allowed: Path, store: Store) -> "Required":
    """By a file of allowed signers. InputError where it cannot be read."""
    return Required(ssh_keygen.signers_file(allowed), store.root)


class Required:
    """What is taken of tasks whose heads have to be signed by somebody of a file of allowed signers."""

    def __init__(self, allowed: Path, root: str) -> None:
        self._allowed = allowed
        self._root = root
        self._good = dict[tuple[bytes, str], bool]()

    def passes(self, told: SharedTask, known: SharedTask | None, place: str) -> bool:
        """Whether anything is taken at all."""
        try:
            self.accepted(told, known, place)
        except MunetError:
            return False
        return True

    def accepted(self, told: SharedTask, known: SharedTask | None, place: str) -> SharedTask:
        """What is taken of what a place tells: what is known here, or signed. InputError, kind signature."""
        mine = known.retained if known is not None else {}
        taken, signatures, task = dict[str, RetainedModel](), dict[str, list[SignedModel]](), told.data["name"]
        for model, entry in told.retained.items():
            said = told.signatures.get(model, [])
            here = [] if known is None else known.signatures.get(model, [])
            is_known = model in mine and joined_entries([mine[model], entry]) == mine[model]
            good = [one for one in said if (is_known and one in here) or self._signed(told.data, model, one, place)]
            if good:
                signatures[model] = good
            if is_known or good:
                taken[model] = entry if is_known else joined_entries(good)
        for head in told.heads:
            entry, before = told.retained[head], [mine[head]] if head in mine else []
            if head not in taken or joined_entries([*before, taken[head]]) != joined_entries([*before, entry]):
                raise InputError(self._unsigned(task, head, entry, place), kind="signature")
        return SharedTask(told.data, taken, told.iterations, signatures)

    def _signed(self, data: TaskData, model: str, said: SignedModel, place: str) -> bool:
        """Whether somebody allowed signed it; InputError where it says so and is not true."""
        bytes_, text = statement(data, self._root, model, said), said["signature"]
        if (bytes_, text) not in self._good:
            names = ssh_keygen.names_of(text, self._allowed)
            good = any(ssh_keygen.is_by(name, bytes_, text, self._allowed) for name in names)
            if names and not good:
                raise InputError(
                    f"{place}: the signature of {' or '.join(names)} over model {model[:10]} of task '{data['name']}' "
                    "is bad, so nothing of this task is taken: ask them to sign it again, or leave the task out",
                    kind="signature",
                )
            self._good[bytes_, text] = good
        return self._good[bytes_, text]

    def _unsigned(self, task: str, model: str, entry: RetainedModel, place: str) -> str:
        who = " and ".join(entry["by"]) or "who evolved it"
        return (
            f"{place}: model {model[:10]} of task '{task}' is not signed, as it stands there, by anybody in "
            f"{self._allowed}, so nothing of this task is taken: ask {who} to push it with --sign, or leave it out"
        )
