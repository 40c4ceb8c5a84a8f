"""What a person does with a system that others have too: the methods that `System` has of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

from munet.errors import InputError, StoreError
from munet.model.loader import ModelLoader
from munet.sharing import cloning, signing
from munet.sharing.copying import AT_ONCE, Progress
from munet.sharing.exchange import Outcome, Told, exchange, given
from munet.sharing.folder import FolderPlace
from munet.sharing.hub_card import carry_card
from munet.sharing.judging import Judged, judge
from munet.sharing.remote_log import Retained, remote_log
from munet.sharing.remotes import DEFAULT, existing, ready_to_write, remote, required_by
from munet.store import Store
from munet.store.schema import TaskRecord
from munet.store.signatures import signed_by


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
        publish: bool = False,
        sign: str | Path | None = None,
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let a remote know what this system knows of its public tasks, or of some. With `publish` a named task that is
        private is made public first, for good. With `sign`, the file of an SSH key, those heads of the tasks that were
        trained here are signed first. To the hub the model card goes too."""
        known = self._remote(remote)
        if known.get("read_only"):
            raise StoreError(f"remote '{remote}' ({known['url']}) was added to be read only", kind="remote")
        if publish:
            self._publish(tasks)
        mine = FolderPlace(self.store)
        if tasks and not set(tasks) & set(mine.tasks()):
            given(mine, tasks[0])  # refused before anything is made there
        if sign is not None:
            wanted = [task for task in tasks or mine.tasks() if task not in set(skip)]
            signing.sign(self.store, wanted, Path(sign), only_made_here=True)
        place = ready_to_write(known["url"], self.store, progress)
        outcomes = exchange(mine, place, tasks, skip=skip, progress=progress, told=told)
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
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let this system know what a remote knows."""
        return self._receive(remote, tasks, skip, progress, told, only_look=False)

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
        require_signed: str | Path | None = None,
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let this system know what another one in a folder knows. `require_signed` is a file of allowed signers,
        without whose signatures nothing is taken."""
        store = other.store if isinstance(other, Sharing) else Store.open(other)
        required = None if require_signed is None else signing.required(Path(require_signed), self.store)
        how = {"skip": skip, "required": required, "progress": progress, "told": told}
        return exchange(FolderPlace(store), FolderPlace(self.store), tasks, **how)

    def judge(self, task: str, *, device: str = "auto") -> Judged | None:
        """Where a task has several heads, measure them on its validation images here; the best replaces the others."""
        return judge(self.models, task, device)

    def remote_log(self, tasks: Sequence[str] | None = None, *, remote: str = DEFAULT) -> list[Retained]:
        """What a remote tells of its tasks, or of some: each model that they retained, by whom, whether known here."""
        there = existing(self._remote(remote)["url"])
        return remote_log(there, FolderPlace(self.store), tasks, partial(signed_by, self.store))

    def _receive(
        self,
        name: str,
        tasks: Sequence[str] | None,
        skip: Iterable[str],
        progress: Progress | None,
        told: Told | None,
        *,
        only_look: bool,
    ) -> list[Outcome]:
        known = self._remote(name)
        wanted = known.get("tasks") if tasks is None else tasks
        on_use_from = known["url"] if known.get("on_use") else None
        source, target = existing(known["url"]), FolderPlace(self.store, on_use_from=on_use_from)
        how = {"required": required_by(known, self.store), "progress": progress, "told": told}
        return exchange(source, target, wanted, skip=skip, only_look=only_look, **how)

    def _remote(self, name: str):
        return remote(self.store, name)

    def _publish(self, tasks: Sequence[str] | None) -> None:
        if not tasks:
            raise InputError("--publish makes private tasks public for good: name them")
        with self.store.evolving(*tasks), self.store.commit():
            for name in tasks:
                record: TaskRecord = {**self.store.read_task(name), "private": False}
                self.store.write_task(record)
