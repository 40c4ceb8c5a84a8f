"""A system in a folder, of this machine or of a shared disk: the same directory that `munet evolve` works in.

The record of a task moves under the lock that its evolution holds, so nobody moves one from under a run. flock has to
work there: on most network disks it does, on some old NFS it does not.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from munet.errors import DamagedError, InputError, StoreError
from munet.fs.decoding import BYTES
from munet.model.validation import check_stored
from munet.sharing.place import TASKS, Held, PrivateTaskError
from munet.store import Store, manifests
from munet.store.called import Withheld, withheld
from munet.store.objects import MissingObject
from munet.store.records import DamagedFile
from munet.store.run_records import unfinished_of
from munet.store.schema import Manifest, TaskRecord
from munet.store.store import ModelCheck

_PATIENCE = 10.0  # seconds: others hold the lock for a moment when they push, and for hours when they evolve


class FolderPlace:
    """The place of a store. `check` says whether a model can be used, as in `Store.put_model`.

    With `on_use_from` layers stay at that address until they are used.
    """

    def __init__(
        self,
        store: Store,
        check: ModelCheck | None = check_stored,
        patience: float = _PATIENCE,
        on_use_from: str | None = None,
    ) -> None:
        self.store = store
        self._check = check
        self._patience = patience
        self._on_use_from = on_use_from

    @property
    def name(self) -> str:
        return str(self.store.path)

    @property
    def root(self) -> str:
        return self.store.root

    @property
    def near(self) -> bool:
        return True

    def tasks(self) -> list[str]:
        found = [(name, self._read(name)) for name in self.names()]
        read = [(name, record) for name, record in found if record is None or not record["private"]]
        return [name for name, record in sorted(read, key=lambda one: (one[1] or {}).get("added", 0))]

    def names(self) -> list[str]:
        """Names of all tasks, also private ones."""
        names = self.store.task_names()
        if len(names) > TASKS:
            raise DamagedError(f"{self.name} has {len(names)} tasks: at most {TASKS} are read")
        return names

    def private(self) -> set[str]:
        # Of a record that cannot be read nobody knows, so nothing that descends from its models leaves.
        return {name for name in self.names() if (record := self._read(name)) is None or record["private"]}

    def withheld(self) -> Withheld:
        return withheld(self.store, [name for name in self.names() if self._read(name) is None])

    def _read(self, name: str) -> TaskRecord | None:
        """None where it is damaged or newer, which is said when the task itself is asked for."""
        try:
            return self.store.read_task(name)
        except (DamagedError, StoreError, InputError):
            return None

    def task(self, name: str) -> Held:
        if not self.store.has_task(name):
            return Held(None, None)
        record = self.store.read_task(name)
        if record["private"]:
            raise PrivateTaskError(
                f"task '{name}' of {self.name} is private, so it is not shared: whoever it belongs to may "
                "share it, for good, with --publish of `munet push`"
            )
        return Held(record, record)

    def next_added(self) -> int:
        return self.store.next_added()

    def hold(self) -> None:
        pass  # `swap` moves a record where no collection goes on, and refuses one that names what is gone

    def release(self) -> None:
        pass

    def settle(self) -> bool:
        return True

    def swap(self, record: TaskRecord, held: Held) -> bool:
        if held.record is None:
            try:
                self.store.create_task(record)
            except InputError:
                if not self.store.has_task(record["name"]):
                    raise
                return False
            return True
        with self._turn(record["name"]), self.store.commit():
            now = self.store.read_task(record["name"])
            if now != held.mark:
                return False
            self._refuse_unfinished(now)
            self.store.write_task(record)
        return True

    def look_ahead(
        self, tasks: Sequence[str], known: Callable[[str], bool], taken: Callable[[TaskRecord], bool]
    ) -> dict[str, Manifest]:
        return {}

    def first_missing(self, model: str | None) -> str | None:
        """What nothing reached may have lost its ancestors: `munet.store.gc.collect` takes whole lines."""
        while model is not None and self.store.has_model(model):
            model = self.store.facts.parent(model)
        return model

    def manifest(self, model: str) -> Manifest | None:
        found = self.store.files.state(self.store.models.file(model))
        if found is not None and found.st_size > BYTES:
            raise DamagedFile(self.store.models.path(model), f"has more than {BYTES} bytes", self.store.path)
        try:
            return self.store.get_model(model)
        except MissingObject:
            return None

    def lacking(self, layers: list[str]) -> list[str]:
        return [layer for layer in layers if not self.store.has_layer(layer)]

    def layer(self, id: str, most: int) -> bytes:
        found = self.store.files.state(self.store.layers.file(id))
        if found is not None and found.st_size > most:
            raise DamagedFile(self.store.layer_path(id), f"has more than {most} bytes", self.store.path)
        return self.store.get_layer_bytes(id)

    def postpone(self, layers: Mapping[str, int]) -> bool:
        if self._on_use_from is None:
            return False
        self.store.promises.add(self._on_use_from, layers)
        return True

    def put_layer(self, id: str, data: bytes) -> None:
        self.store.put_layer_bytes(data)

    def put_model(self, id: str, manifest: Manifest, *, whole: bool) -> None:
        if whole:
            # What is not here yet cannot be looked at: it is when it is used.
            here = all(self.store.layers.has(layer) for _, layer in manifests.layers_of(manifest))
            self.store.put_model(manifest, self._check if here else None)
            return
        with self.store.commit():
            self.store.models.put(manifests.encode(manifest))

    def _refuse_unfinished(self, record: TaskRecord) -> None:
        """A run that was interrupted goes on with the record that it knows: it goes first."""
        open_runs = unfinished_of(self.store, [record["name"]])
        if open_runs:
            raise StoreError(
                f"run {open_runs[0]} of {self.name} is not finished and counts on what '{record['name']}' retains: "
                f"`munet resume {self.name} {open_runs[0]}` goes on with it; then do this again",
                kind="interrupted-run",
            )

    @contextmanager
    def _turn(self, task: str) -> Iterator[None]:
        """Be the one who moves the record of a task, after waiting for those who do it for a moment."""
        last = time.monotonic() + self._patience
        while True:
            lock = self.store.evolving(task)
            try:
                lock.__enter__()
            except StoreError as error:
                if error.kind != "busy" or time.monotonic() > last:
                    raise
                time.sleep(random.uniform(0.01, 0.1))
                continue
            try:
                yield
            finally:
                lock.__exit__(None, None, None)
            return
