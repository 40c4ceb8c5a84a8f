"""What a person does with a system that others have too: the methods that `System` has of it."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import Self

from munet.errors import InputError
from munet.model.loader import ModelLoader
from munet.sharing import cloning, signing
from munet.sharing.copying import AT_ONCE, Progress
from munet.sharing.exchange import Outcome, Told, exchange, given
from munet.sharing.folder import FolderPlace
from munet.sharing.hub_card import carry_card
from munet.sharing.judging import Judged, judge
from munet.sharing.place import Place
from munet.sharing.remote_log import Retained, remote_log
from munet.sharing.remotes import (
    DEFAULT,
    Remote,
    existing,
    keep_names,
    names_here,
    ready_to_write,
    refuse_read_only,
    remembering,
    remote,
    required_by,
)
from munet.sharing.renaming import Naming, Theirs, refuse_impossible, ways_to_give, ways_to_take
from munet.store import Store
from munet.store.schema import TaskRecord
from munet.store.signatures import signed_by

_NONE: Mapping[str, str] = MappingProxyType({})


class Sharing(ABC):
    """A system that is shared. What each call returns says of every task what became of it; what could not be done of
    some tasks is raised, as `munet.sharing.exchange.Refused`, after all else is done."""

    store: Store
    models: ModelLoader

    @classmethod
    @abstractmethod
    def open(cls, path: str | Path) -> Self:
        """Open a system."""

    @classmethod
    def clone(
        cls,
        url: str,
        path: str | Path | None = None,
        *,
        tasks: Sequence[str] | None = None,
        weights: bool = True,
        require_signed: str | Path | None = None,
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> Self:
        """Make a system of what is at an address: a path, file:, s3:, gs:, az: or https:. All shared tasks, or some.
        Without `weights` layers stay there until they are used. `require_signed` is a file of allowed signers, without
        whose signatures nothing comes from there, now and later."""
        place = Path(path) if path is not None else cloning.folder_for(url)
        allowed = None if require_signed is None else Path(require_signed)
        cloning.clone(url, place, tasks, weights=weights, require_signed=allowed, progress=progress, told=told)
        return cls.open(place)

    def push(
        self,
        tasks: Sequence[str] | None = None,
        *,
        remote: str = DEFAULT,
        skip: Iterable[str] = (),
        renamed: Mapping[str, str] = _NONE,
        publish: bool = False,
        sign: str | Path | None = None,
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let a remote know what this system knows of its public tasks, or of some. Those that are `renamed` have
        another name there, from now on. With `publish` a named task that is private is made public first, for good.
        With `sign`, the file of an SSH key, those heads of the tasks that were trained here are signed first. To the
        hub the model card goes too."""
        known = self._remote(remote)
        refuse_read_only(known, remote)
        if publish:
            self._publish(tasks)
        mine = FolderPlace(self.store)
        if tasks and not set(tasks) & set(mine.tasks()):
            given(mine, tasks[0])  # refused before anything is made there
        if sign is not None:
            wanted = [task for task in tasks or mine.tasks() if task not in set(skip)]
            signing.sign(self.store, wanted, Path(sign), only_made_here=True)
        place = ready_to_write(known["url"], self.store, progress)
        refuse_impossible(renamed, (), mine, known.get("names", {}), skip := list(skip))
        ways = ways_to_give(self._command("push", remote), place.tasks)
        there = place.tasks() if known.get("names") else ()
        kept = {here: name for here, name in known.get("names", {}).items() if name in there}
        naming = Naming({**kept, **renamed}, giving=True, ways=ways)
        tasks = None if tasks is None else [*tasks, *renamed]
        with remembering(self.store, remote, lambda: {task: (task, name) for task, name in renamed.items()}):
            outcomes = exchange(mine, place, tasks, skip=skip, naming=naming, progress=progress, told=told)
        carry_card(place, self.store, outcomes)
        return outcomes

    def sign(self, key: str | Path, tasks: Sequence[str] | None = None) -> list[signing.Signed]:
        """Sign the heads of all tasks, or of some, whoever evolved them: `key` is the file of an SSH key. Returns what
        was signed; what this key had signed already is left out."""
        return signing.sign(self.store, self.store.tasks() if tasks is None else tasks, Path(key))

    def pull(
        self,
        tasks: Sequence[str] | None = None,
        *,
        remote: str = DEFAULT,
        skip: Iterable[str] = (),
        renamed: Mapping[str, str] = _NONE,
        theirs: Collection[str] = (),
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let this system know what a remote knows. Tasks that are `renamed` have another name here, from now on.
        Where a name stands for another task here, `theirs` takes theirs under it, and mine stays as NAME-mine."""
        return self._receive(remote, tasks, skip, progress, told, renamed, theirs)

    def fetch(
        self,
        tasks: Sequence[str] | None = None,
        *,
        remote: str = DEFAULT,
        skip: Iterable[str] = (),
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """As `pull`, but only models are copied; what the tasks retain stays, until a pull."""
        return self._receive(remote, tasks, skip, progress, told, only_look=True)

    def fetch_weights(self, progress: Progress = lambda done, total: None) -> int:
        """Bring all layers that would come when they are used; returns how many."""
        missing = [id for id in dict.fromkeys(self.store.promises.layers()) if not self.store.layers.has(id)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done, _ in enumerate(pool.map(self.store.fetch_layer, missing), start=1):
                progress(done, len(missing))
        return len(missing)

    def merge(
        self,
        other: "Sharing | str | Path",
        tasks: Sequence[str] | None = None,
        *,
        skip: Iterable[str] = (),
        renamed: Mapping[str, str] = _NONE,
        theirs: Collection[str] = (),
        require_signed: str | Path | None = None,
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let this system know what another one in a folder knows. `renamed` and `theirs` are those of `pull`, for this
        time. `require_signed` is a file of allowed signers, without whose signatures nothing is taken."""
        store = other.store if isinstance(other, Sharing) else Store.open(other)
        required = None if require_signed is None else signing.required(Path(require_signed), self.store)
        refuse_impossible(renamed, theirs, source := FolderPlace(store), {}, skip := list(skip))
        ways = ways_to_take(f"munet merge {quote(str(self.store.path))} {quote(str(store.path))}", self.store)
        naming = Naming(renamed, Theirs(self.store, theirs), ways=ways)
        tasks = None if tasks is None else [*tasks, *renamed, *theirs]
        how = {"skip": skip, "naming": naming, "required": required, "progress": progress, "told": told}
        return exchange(source, FolderPlace(self.store), tasks, **how)

    def rename_task(self, name: str, new: str) -> TaskRecord:
        """Give a task another name; returns its record. Remotes go on calling it as they do; its models keep the name
        that they were trained under, on which their ids depend."""
        from munet.tasks.changing import rename

        record = rename(self.store, name, new)
        keep_names(self.store, name, new)
        return record

    def judge(self, task: str, *, device: str = "auto") -> Judged | None:
        """Measure the heads of a task on its validation images here: the best replaces the others, and accuracies that
        are borne out are claims no more. None where there is nothing to judge."""
        return judge(self.models, task, device)

    def remote_log(self, tasks: Sequence[str] | None = None, *, remote: str = DEFAULT) -> list[Retained]:
        """What a remote tells of its tasks, or of some: each model that they retained, by whom, whether known here."""
        known = self._remote(remote)
        there = existing(known["url"])
        return remote_log(there, FolderPlace(self.store), tasks, partial(signed_by, self.store), names_here(known))

    def _receive(
        self,
        name: str,
        tasks: Sequence[str] | None,
        skip: Iterable[str],
        progress: Progress | None,
        told: Told | None,
        renamed: Mapping[str, str] = _NONE,
        theirs: Collection[str] = (),
        *,
        only_look: bool = False,
    ) -> list[Outcome]:
        known = self._remote(name)
        on_use_from = known["url"] if known.get("on_use") else None
        source, target = existing(known["url"]), FolderPlace(self.store, on_use_from=on_use_from)
        refuse_impossible(renamed, theirs, source, names_here(known), skip := _there(list(skip), known, source))
        wanted = known.get("tasks") if tasks is None else _there(tasks, known, source)
        if wanted is not None:
            wanted = [*wanted, *renamed, *theirs]
        before, aside = names_here(known), Theirs(self.store, theirs)
        names = {**before, **dict(zip(theirs, theirs, strict=True)), **renamed}
        ways = ways_to_take(self._command("pull", name), self.store)
        # Mine that makes room may have another name there: it is left out until its own new name here is known.
        moving = {there: here for there, here in before.items() if here in theirs and there not in (*renamed, *theirs)}
        left_out = set(moving) & set(source.tasks()) if moving else set[str]()
        how = {"required": required_by(known, self.store), "progress": progress, "told": told}

        def pairs() -> dict[str, tuple[str, str]]:
            moved = {there: (aside.moved[here], there) for there, here in moving.items() if here in aside.moved}
            return {task: (names[task], task) for task in (*renamed, *theirs)} | moved

        with remembering(self.store, name, pairs):
            how |= {"skip": [*skip, *left_out], "naming": Naming(names, aside, ways=ways), "only_look": only_look}
            return exchange(source, target, wanted, **how)

    def _command(self, verb: str, remote: str) -> str:
        """The words of a command that can be given again with more options."""
        return f"munet {verb} {quote(str(self.store.path))}{'' if remote == DEFAULT else f' --remote {remote}'}"

    def _remote(self, name: str):
        return remote(self.store, name)

    def _publish(self, tasks: Sequence[str] | None) -> None:
        if not tasks:
            raise InputError("--publish makes private tasks public for good: name them")
        with self.store.evolving(*tasks), self.store.commit():
            for name in tasks:
                record: TaskRecord = {**self.store.read_task(name), "private": False}
                self.store.write_task(record)


def _there(tasks: Sequence[str], known: Remote, source: Place) -> list[str]:
    """Tasks as they are called there, also those that were named as they are called here."""
    names = known.get("names", {})
    shared = set(source.tasks()) if names.keys() & set(tasks) else set[str]()
    return [task if task in shared else names.get(task, task) for task in tasks]
