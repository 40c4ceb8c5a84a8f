"""One system on disk. Objects never change, refs are replaced whole, and readers need neither lock nor repair."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from munet.errors import InputError, StoreError, suggest
from munet.fs import locks
from munet.fs.atomic import create_exclusive, explained, remove_file, sync_folder, write_atomic
from munet.store import creation, manifests
from munet.store import layer_file as layer_format
from munet.store.creation import MARKER
from munet.store.objects import Objects, is_id, sha256_of
from munet.store.records import FORMAT, DamagedFile, NewerError, RecordError, canonical, parse, seal, unseal
from munet.store.relations import Facts
from munet.store.run_files import CONFIG, FINISHED, in_order, models_of_generation, models_of_task
from munet.store.schema import Manifest, TaskRecord
from munet.store.task_files import is_task_file, refuse_no_file_name

if TYPE_CHECKING:
    import torch

_Read = TypeVar("_Read", bound=Mapping[str, Any])
_WRITERS = 8  # layers written at once


class Store:
    """The directory of one system. Make it with `Store.create` or `Store.open`."""

    FORMAT = FORMAT

    def __init__(self, path: Path, root: str):
        self.path = path
        self.root = root  # id of the root model
        self.layers = Objects(path / "layers", "layer", ".safetensors", layer_format.id_of_bytes)
        self.models = Objects(path / "models", "model", ".json", manifests.id_of_manifest)
        self.listings = Objects(path / "listings", "listing", ".bin", sha256_of)  # of the images of splits
        self.facts = Facts(path, self.get_model)

    # -- the directory ------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path | str, root_writer: "Callable[[Store], str]") -> "Store":
        """Make a system. `root_writer` puts the root's layers and manifest and returns the manifest's id.

        `munet.json` is written last: a directory without it is no system, and `create` may be called on it again.
        Whatever `root_writer` raises passes, and leaves nothing behind. Raises StoreError when the directory is taken.
        """
        path = Path(path).absolute()
        with creation.place_for_system(path):
            store = cls(path, root="")
            store.root = root_writer(store)
            store.get_model(store.root)
            write_atomic(path / MARKER, canonical({"format": FORMAT, "root": store.root}, "the root's id") + b"\n")
        return store

    @classmethod
    def open(cls, path: Path | str) -> "Store":
        """Open a system for reading and writing; takes no lock and repairs nothing. Raises StoreError."""
        path = Path(path).absolute()
        marker = path / MARKER
        try:
            record = parse(marker.read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreError(f"{path} is no munet system: `munet init {path}` makes one", kind="no-system") from error
        except OSError as error:
            raise StoreError(f"cannot read {marker}: {error.strerror}; have its owner run this") from error
        except (RecordError, NewerError) as error:
            kind = "newer-format" if isinstance(error, NewerError) else "store"
            raise StoreError(f"{marker} {error}", kind=kind) from error
        if record.get("format") != FORMAT or not is_id(record.get("root")):
            raise StoreError(
                f"{marker} should hold format {FORMAT} and a root id: it is damaged, take it from a backup"
            )
        return cls(path, record["root"])

    def commit(self) -> AbstractContextManager[None]:
        """Hold off gc: what is put inside stays until a ref or a run record that is written inside reaches it.

        Any number of commits run at once, and they nest. Do not train inside, for gc waits.
        """
        return locks.shared(self.path / ".lock")

    def collecting(self) -> AbstractContextManager[None]:
        """Wait for the running commits, then hold off new ones. Deadlocks inside a commit of the same process."""
        return locks.exclusive(self.path / ".lock")

    def evolving(self) -> AbstractContextManager[None]:
        """Be the one process that evolves this system, or raise StoreError naming the one that does."""
        return locks.alone(self.path / ".evolving", "evolving")

    # -- layers -------------------------------------------------------------------------------------------------------

    def put_layer(self, tensors: "Mapping[str, torch.Tensor]") -> str:
        """Keep a layer and return its id. Storing it again costs no space."""
        return self.put_layer_bytes(layer_format.serialize(tensors))

    def put_layer_bytes(self, data: bytes) -> str:
        """Keep a layer that is already the bytes of a safetensors file; needs no torch."""
        with self.commit():
            try:
                return self.layers.put(data)
            except layer_format.LayerFormatError as error:
                raise InputError(f"these {len(data)} bytes are no layer: {error}") from error

    def put_layer_files(self, groups: Sequence[Mapping[str, bytes]]) -> list[dict[str, str]]:
        """Keep groups of layers (slot -> bytes of a safetensors file) and return their ids (slot -> id).

        They are flushed side by side: a disk joins flushes that wait for it at the same time.
        """
        with self.commit(), ThreadPoolExecutor(_WRITERS) as pool:
            waiting = [
                {slot: pool.submit(self.put_layer_bytes, data) for slot, data in group.items()} for group in groups
            ]
            return [{slot: future.result() for slot, future in group.items()} for group in waiting]

    def get_layer(self, id: str, verify: bool = True) -> "dict[str, torch.Tensor]":
        """A layer's tensors, on the CPU, in memory of their own. Raises DamagedError."""
        data = self.layers.get(id, verify)
        from safetensors import SafetensorError

        try:
            return layer_format.deserialize(data)
        except SafetensorError as error:
            raise DamagedFile(self.layers.path(id), f"is garbled ({error})", self.path) from error

    def get_layer_bytes(self, id: str, verify: bool = True) -> bytes:
        """A layer's safetensors file. Raises DamagedError."""
        return self.layers.get(id, verify)

    def has_layer(self, id: str) -> bool:
        """Whether a layer is stored."""
        return self.layers.has(id)

    def layer_path(self, id: str) -> Path:
        """The file of a layer."""
        return self.layers.path(id)

    # -- models -------------------------------------------------------------------------------------------------------

    def put_model(self, manifest: Manifest) -> str:
        """Keep a model and return its id. Raises InputError unless its layers, momentum and parent are stored."""
        data = manifests.encode(manifest)
        with self.commit():
            for what, id in manifests.layers_of(manifest):
                if not self.layers.has(id):
                    raise InputError(f"{what} is layer {id}, which {self.path} does not hold: put the layer first")
            parent = manifests.parent_of(manifest)
            if parent is not None and not self.models.has(parent):
                raise InputError(f"the parent {parent} is not in {self.path}: put the parent first")
            return self.models.put(data)

    def get_model(self, id: str, verify: bool = True) -> Manifest:
        """A model's manifest. Raises DamagedError."""
        data = self.models.get(id, verify)
        return self._read_as(manifests.decode, data, self.models.path(id))

    def has_model(self, id: str) -> bool:
        """Whether a model's manifest is stored."""
        return self.models.has(id)

    def resolve_model(self, prefix: str) -> str:
        """The one model id that starts with at least 4 given digits. Raises InputError when it is none or several."""
        wanted = prefix.lower()
        if not re.fullmatch(r"[0-9a-f]{4,64}", wanted):
            raise InputError(
                f"{prefix!r} is no model id: give 4 or more of its hexadecimal digits; `munet log` lists ids",
                kind="unknown-model",
            )
        found = self.models.starting_with(wanted)
        if not found:
            raise InputError(
                f"no model id in {self.path} starts with {prefix!r}: `munet log` lists them", kind="unknown-model"
            )
        if len(found) > 1:
            names = ", ".join(id[: len(wanted) + 6] + "…" for id in found[:4])
            raise InputError(f"{prefix!r} is the start of {len(found)} model ids ({names}): give more digits")
        return found[0]

    # -- tasks: the refs ----------------------------------------------------------------------------------------------

    def tasks(self) -> list[str]:
        """Names of the tasks, in the order in which they were added."""
        return [record["name"] for record in self.task_records()]

    def task_records(self) -> list[TaskRecord]:
        """Records of all tasks, in the order in which they were added. Raises DamagedError."""
        records = [self.read_task(name) for name in self.task_names()]
        return sorted(records, key=lambda record: (record.get("added", 0), record["name"]))

    def next_added(self) -> int:
        """What `added` should be in the record of a new task, so that it comes after all others."""
        return 1 + max((record.get("added", 0) for record in self.task_records()), default=0)

    def task_names(self) -> list[str]:
        """Names of the tasks by alphabet, without reading them; what no task can be named is left out."""
        names = [name.removesuffix(".json") for name in os.listdir(self.path / "tasks") if name.endswith(".json")]
        return sorted(name for name in names if is_task_file(name))

    def has_task(self, name: str) -> bool:
        """Whether there is a task of this name; its record is not looked at. False for what is no task name."""
        try:
            return self.task_path(name).exists()
        except InputError:
            return False

    def task_path(self, name: str) -> Path:
        """The file of a task's record. Raises InputError for a name that is no file name."""
        refuse_no_file_name(name)
        return self.path / "tasks" / f"{name}.json"

    def read_task(self, name: str) -> TaskRecord:
        """A task's record. Raises InputError for an unknown task, DamagedError for a damaged record."""
        path = self.task_path(name)
        record = self._read_record(path)
        if record is None:
            raise InputError(f"{self.path} has no task {name!r}{suggest(name, self.task_names())}", kind="unknown-task")
        if record.get("name") != name:
            raise DamagedFile(path, f"is the record of task {record.get('name')!r}", self.path)
        return cast("TaskRecord", record)

    def create_task(self, record: TaskRecord) -> None:
        """Add a task under `record["name"]`. Raises InputError when the name is taken."""
        path = self.task_path(record["name"])
        with self.commit():
            self._refuse_unknown(models_of_task(record))
            try:
                create_exclusive(path, seal(record, f"the record of task {record['name']!r}"))
            except FileExistsError as error:
                raise InputError(f"{self.path} already has a task {record['name']!r}: choose another name") from error

    def write_task(self, record: TaskRecord) -> None:
        """Replace a task's record: the commit point. Raises InputError when it names a model that is not stored."""
        path = self.task_path(record["name"])
        if not path.exists():
            raise InputError(
                f"{self.path} has no task {record['name']!r}{suggest(record['name'], self.task_names())}",
                kind="unknown-task",
            )
        with self.commit():
            self._refuse_unknown(models_of_task(record))
            write_atomic(path, seal(record, f"the record of task {record['name']!r}"))

    def remove_task(self, name: str) -> None:
        """Remove the record of a task, whose models may become garbage. Raises InputError for an unknown task."""
        self.read_task(name)
        remove_file(self.task_path(name))

    # -- runs: what was tried -----------------------------------------------------------------------------------------

    def runs(self) -> list[str]:
        """Names of the runs, oldest first. A run that was killed before its config was written is none."""
        return [name for name in self._run_folders() if os.path.exists(f"{self.path}/runs/{name}/{CONFIG}")]

    def new_run(self, config: Mapping[str, Any]) -> str:
        """Begin a run with this config and return its name: 0001, 0002, …"""
        with self.commit():
            names = self._run_folders()
            number = int(names[-1]) + 1 if names else 1
            while True:
                folder = self.path / "runs" / f"{number:04d}"
                try:
                    with explained("make", folder):
                        os.mkdir(folder)
                        sync_folder(folder.parent)
                    break
                except FileExistsError:  # another process took this number
                    number += 1
            self.write_run(folder.name, CONFIG, config)
        return folder.name

    def write_run(self, run: str, file: str, record: Mapping[str, Any]) -> None:
        """Write or replace one record of a run. `file` is its name, with or without `.json`."""
        path = self.run_path(run, file)
        with self.commit():
            self._refuse_unknown(models_of_generation(record))
            write_atomic(path, seal(record, f"the run record {file!r}"))

    def read_run(self, run: str, file: str) -> dict[str, Any]:
        """One record of a run. Raises InputError when there is none, DamagedError for a damaged one."""
        record = self._read_record(self.run_path(run, file))
        if record is None:
            raise InputError(f"run {run!r} of {self.path} has no record {file!r}{suggest(file, self.run_files(run))}")
        return record

    def has_run_file(self, run: str, file: str) -> bool:
        """Whether a run has this record. Unlike `run_files` it does not take longer in a long run."""
        return self.run_path(run, file).exists()

    def is_finished(self, run: str) -> bool:
        """Whether a run ended, by itself or because a new one was started in its place."""
        return self.has_run_file(run, FINISHED)

    def run_files(self, run: str) -> list[str]:
        """Names of a run's records, `.json` included, counting upwards: generation 10 after generation 9."""
        names = [name for name in os.listdir(self.run_path(run, CONFIG).parent) if name.endswith(".json")]
        return in_order(names)

    def _run_folders(self) -> list[str]:
        return sorted((name for name in os.listdir(self.path / "runs") if re.fullmatch("[0-9]+", name)), key=int)

    def run_path(self, run: str, file: str) -> Path:
        """The file of a run's record. Raises InputError for an unknown run and for a name that is no file name."""
        if not (self.path / "runs" / run).is_dir() or not re.fullmatch("[0-9]+", run):
            raise InputError(f"{self.path} has no run {run!r}{suggest(run, self._run_folders())}")
        stem = file.removesuffix(".json")
        if not stem or "/" in stem or stem.startswith("."):
            raise InputError(f"{file!r} is no name for a run record: use a plain file name")
        return self.path / "runs" / run / f"{stem}.json"

    def _refuse_unknown(self, models: list[str]) -> None:
        for model in models:
            if not self.models.has(model):
                raise InputError(f"model {model} is not in {self.path}: put the model before the record that names it")

    def _read_record(self, path: Path) -> dict[str, Any] | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}; have its owner run this") from error
        return self._read_as(unseal, data, path)

    def _read_as(self, decode: Callable[[bytes], _Read], data: bytes, path: Path) -> _Read:
        try:
            return decode(data)
        except RecordError as error:
            raise DamagedFile(path, str(error), self.path) from error
        except NewerError as error:
            raise StoreError(f"{path} {error}", kind="newer-format") from error


class HasStore(Protocol):
    """Whoever holds a store: a `System`."""

    @property
    def store(self) -> Store: ...
