"""What a person does with a system that others have too: the methods that `System` has of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from munet.errors import InputError, StoreError
from munet.model.loader import ModelLoader
from munet.sharing import cloning
from munet.sharing.copying import AT_ONCE, Progress
from munet.sharing.exchange import Outcome, Told, exchange
from munet.sharing.folder import FolderPlace
from munet.sharing.hub_card import carry_card
from munet.sharing.judging import Judged, judge
from munet.sharing.remote_log import Retained, remote_log
from munet.sharing.remotes import DEFAULT, existing, ready_to_write, remote
from munet.store import Store
from munet.store.schema import TaskRecord


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
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> Self:
        """Make a system of what is at an address: a path, file:, s3:, gs:, az: or https:. All shared tasks, or some.
        Without `weights` layers stay there until they are used."""
        place = Path(path) if path is not None else cloning.folder_for(url)
        cloning.clone(url, place, tasks, weights=weights, progress=progress, told=told)
        return cls.open(place)

    def push(
        self,
        tasks: Sequence[str] | None = None,
        *,
        remote: str = DEFAULT,
        skip: Iterable[str] = (),
        publish: bool = False,
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let a remote know what this system knows of its public tasks, or of some. With `publish` a named task that is
        private is made public first, for good. To the hub the model card goes too."""
        known = self._remote(remote)
        if known.get("read_only"):
            raise StoreError(f"remote '{remote}' ({known['url']}) was added to be read only", kind="remote")
        if publish:
            self._publish(tasks)
        place = ready_to_write(known["url"], self.store, progress)
        outcomes = exchange(FolderPlace(self.store), place, tasks, skip=skip, progress=progress, told=told)
        carry_card(place, self.store, outcomes)
        return outcomes

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
        progress: Progress | None = None,
        told: Told | None = None,
    ) -> list[Outcome]:
        """Let this system know what another one in a folder knows."""
        store = other.store if isinstance(other, Sharing) else Store.open(other)
        return exchange(FolderPlace(store), FolderPlace(self.store), tasks, skip=skip, progress=progress, told=told)

    def judge(self, task: str, *, device: str = "auto") -> Judged | None:
        """Where a task has several heads, measure them on its validation images here; the best replaces the others."""
        return judge(self.models, task, device)

    def remote_log(self, tasks: Sequence[str] | None = None, *, remote: str = DEFAULT) -> list[Retained]:
        """What a remote tells of its tasks, or of some: each model that they retained, by whom, whether known here."""
        return remote_log(existing(self._remote(remote)["url"]), FolderPlace(self.store), tasks)

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
        return exchange(source, target, wanted, skip=skip, only_look=only_look, progress=progress, told=told)

    def _remote(self, name: str):
        return remote(self.store, name)

    def _publish(self, tasks: Sequence[str] | None) -> None:
        if not tasks:
            raise InputError("--publish makes private tasks public for good: name them")
        with self.store.evolving(*tasks), self.store.commit():
            for name in tasks:
                record: TaskRecord = {**self.store.read_task(name), "private": False}
                self.store.write_task(record)
