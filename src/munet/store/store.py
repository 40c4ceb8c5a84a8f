"""One system on disk. Objects never change, refs are replaced whole, and readers need neither lock nor repair."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from munet.errors import InputError, StoreError, suggest
from munet.fs import locks
from munet.fs.atomic import explained
from munet.fs.folders import StrangeFileError
from munet.fs.tree import Tree
from munet.store import creation, manifests, turns
from munet.store import layer_file as layer_format
from munet.store.added import Added
from munet.store.called import Called
from munet.store.creation import MARKER
from munet.store.known import Known
from munet.store.objects import MissingObject, Objects, is_id, sha256_of
from munet.store.promised import Promises
from munet.store.reading import decoded, read_record
from munet.store.records import FORMAT, DamagedFile, DamagedMarkerError, NewerError, RecordError, marker_of, parse, seal
from munet.store.relations import Facts
from munet.store.run_files import models_of_task
from munet.store.runs import Runs
from munet.store.schema import Manifest, TaskRecord
from munet.store.task_files import is_stray, is_task_name, task_file
from munet.store.task_list import missing_record, note_tasks, vanished

if TYPE_CHECKING:
    import torch

ModelCheck = Callable[[Manifest, Callable[[str], layer_format.Header]], None]
_WRITERS = 8  # layers written at once


class Store(Runs):
    """The directory of one system. Make it with `Store.create` or `Store.open`."""

    FORMAT = FORMAT

    def __init__(self, path: Path, root: str):
        self.path = path
        self.root = root  # id of the root model
        self.files = Tree(path)
        self.layers = Objects(path / "layers", "layer", ".safetensors", layer_format.id_of_bytes)
        self.models = Objects(path / "models", "model", ".json", manifests.id_of_manifest)
        self.listings = Objects(path / "listings", "listing", ".bin", sha256_of, may_lack=True)
        self.promises = Promises(path)
        self.facts = Facts(path, self.get_model)
        self.called = Called(self)
        self._added = Added(self)
        self._known_tasks, self._known_models = Known(), Known()

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
            store.files.write(path / MARKER, marker_of(store.root))
        return store

    @classmethod
    def open(cls, path: Path | str) -> "Store":
        """Open a system for reading and writing; takes no lock and repairs nothing. Raises StoreError."""
        path = Path(path).absolute()
        marker = path / MARKER
        try:
            record = parse(Tree(path).read(marker))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreError(f"{path} is no munet system: `munet init {path}` makes one", kind="no-system") from error
        except StrangeFileError as error:
            raise DamagedMarkerError(marker, str(error.strerror)) from error
        except OSError as error:
            raise StoreError(f"cannot read {marker}: {error.strerror}; have its owner run this") from error
        except RecordError as error:
            raise DamagedMarkerError(marker, str(error)) from error
        except NewerError as error:
            raise StoreError(f"{marker} {error}", kind="newer-format") from error
        if record.get("format") != FORMAT or not is_id(record.get("root")):
            raise DamagedMarkerError(marker, f"should hold format {FORMAT} and a root id, and does not")
        creation.refuse_strange_folders(path)
        return cls(path, record["root"])

    def commit(self) -> AbstractContextManager[None]:
        """Hold off gc: what is put inside stays until a ref or a run record that is written inside reaches it.

        Any number of commits run at once, and they nest. Do not train inside, for gc waits.
        """
        return locks.shared(self.path / ".lock", self.path / ".turn")

    def collecting(self) -> AbstractContextManager[None]:
        """Wait for the running commits, then hold off new ones. Deadlocks inside a commit of the same process."""
        return locks.exclusive(self.path / ".lock", self.path / ".turn")

    def evolving(self, *tasks: str) -> AbstractContextManager[None]:
        """Be the one process that evolves these tasks, or raise StoreError naming the one that does. Without tasks:
        keep the system from being evolved by versions that know one lock for all tasks."""
        return turns.evolving(self.path, tasks)

    # -- layers -------------------------------------------------------------------------------------------------------

    def put_layer(self, tensors: "Mapping[str, torch.Tensor]") -> str:
        """Keep a layer and return its id. Storing it again costs no space."""
        return self.put_layer_bytes(layer_format.serialize(tensors))

    def put_layer_bytes(self, data: bytes) -> str:
        """Keep a layer that is already the bytes of a safetensors file; needs no torch."""
        with self.commit():
            try:
                layer_format.refuse_infinite(data)
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
        data = self.get_layer_bytes(id, verify)
        from safetensors import SafetensorError

        try:
            return layer_format.deserialize(data)
        except SafetensorError as error:
            raise DamagedFile(self.layers.path(id), f"is garbled ({error})", self.path) from error

    def get_layer_bytes(self, id: str, verify: bool = True) -> bytes:
        """A layer's safetensors file; one that was promised comes from its place and is kept. Raises DamagedError."""
        try:
            return self.layers.get(id, verify)
        except MissingObject:
            if id not in self.promises:
                raise
        return self.fetch_layer(id)

    def fetch_layer(self, id: str) -> bytes:
        """A layer that was promised, from its place; kept here. StoreError where that cannot be read, DamagedError."""
        data = self.promises.fetch(id)
        with suppress(StoreError):  # who may only read the system can use it all the same
            self.put_layer_bytes(data)
        return data

    def layer_header(self, id: str) -> "layer_format.Header":
        """Names, types and shapes of a layer's tensors; its values are not read. Raises DamagedError."""
        path = self.layers.path(id)
        try:
            return layer_format.parse_header(self.files.read(path, layer_format.BEGINNING))
        except FileNotFoundError as error:
            if id in self.promises:
                return layer_format.parse_header(self.get_layer_bytes(id))
            raise MissingObject(path, self.path, "layer", id) from error
        except (OSError, layer_format.LayerFormatError) as error:
            raise DamagedFile(path, f"has no header that can be read ({error})", self.path) from error

    def has_layer(self, id: str) -> bool:
        """Whether a layer is stored, or will come when it is used."""
        return self.layers.has(id) or id in self.promises

    def layer_path(self, id: str) -> Path:
        """The file of a layer."""
        return self.layers.path(id)

    # -- models -------------------------------------------------------------------------------------------------------

    def put_model(self, manifest: Manifest, check: "ModelCheck | None" = None) -> str:
        """Keep a model and return its id. Raises InputError unless its layers, momentum and parent are stored, and
        whatever `check` raises of it: `munet.model.validation.check_stored` knows architectures."""
        data = manifests.encode(manifest)
        with self.commit():
            for what, id in manifests.layers_of(manifest):
                if not self.has_layer(id):
                    raise InputError(f"{what} is layer {id}, which {self.path} does not hold: put the layer first")
            parent = manifests.parent_of(manifest)
            if parent is not None and not self.models.has(parent):
                raise InputError(f"the parent {parent} is not in {self.path}: put the parent first")
            if check is not None:
                check(manifest, self.layer_header)
            return self.models.put(data)

    def get_model(self, id: str, verify: bool = True) -> Manifest:
        """A model's manifest. Raises DamagedError."""
        data = self.models.get(id, verify)
        decode = partial(self._known_models.read, check=manifests.decode)
        return cast("Manifest", decoded(decode, data, self.models.path(id), self.path))

    def local_model(self, id: str) -> Manifest:
        """A model's manifest, with the name that its task has here. Raises DamagedError."""
        return self.called.local(id, self.get_model(id))

    def has_model(self, id: str) -> bool:
        """Whether a model's manifest is stored."""
        return self.models.has(id)

    # -- tasks: the refs ----------------------------------------------------------------------------------------------

    def tasks(self) -> list[str]:
        """Names of the tasks, in the order in which they were added."""
        return [record["name"] for record in self.task_records()]

    def task_records(self) -> list[TaskRecord]:
        """Records of all tasks, in the order in which they were added. Raises DamagedError."""
        records = [self.read_task(name) for name in self.task_names()]
        return sorted(records, key=lambda record: (record.get("added", 0), record["name"]))

    def next_added(self) -> int:
        """What `added` should be of a new task, so that it comes after all others. Raises DamagedError."""
        return 1 + self._added.last()

    def task_names(self) -> list[str]:
        """Names of the tasks by alphabet; files that are certainly no records of tasks are left out."""
        names = (name.removesuffix(".json") for name in self.names("tasks") if name.endswith(".json"))
        return [name for name in names if is_task_name(name) and not is_stray(self, name)]

    def has_task(self, name: str) -> bool:
        """Whether there is a task of this name; its record is not looked at. False for what is no task name."""
        try:
            return self.files.has(self.task_path(name))
        except InputError:
            return False

    def task_path(self, name: str) -> Path:
        """The file of a task's record. Raises InputError for a name that is no file name."""
        return self.path / "tasks" / task_file(name)

    def read_task(self, name: str) -> TaskRecord:
        """A task's record. Raises InputError for an unknown task, DamagedError for a damaged record."""
        path = self.task_path(name)
        try:
            record = read_record(self.files, path, TaskRecord, models_of_task, self._known_tasks)
        except DamagedFile:
            if not is_stray(self, name):
                raise
            record = None
        if record is None and name in vanished(self):
            raise missing_record(path, self.path)
        if record is None:
            raise InputError(f"{self.path} has no task {name!r}{suggest(name, self.task_names())}", kind="unknown-task")
        if record.get("name") != name:
            raise DamagedFile(path, f"is the record of task {record.get('name')!r}", self.path)
        return cast("TaskRecord", record)

    def create_task(self, record: TaskRecord) -> None:
        """Add a task under `record["name"]`. Raises InputError when the name is taken."""
        path = self.task_path(record["name"])
        with self.commit():
            self.refuse_unknown(models_of_task(record))
            try:
                self.files.create(path, seal(record, f"the record of task {record['name']!r}"))
            except FileExistsError as error:
                raise InputError(f"{self.path} already has a task {record['name']!r}: choose another name") from error
            note_tasks(self)

    def write_task(self, record: TaskRecord) -> None:
        """Replace a task's record: the commit point. Raises InputError when it names a model that is not stored."""
        path = self.task_path(record["name"])
        if not self.files.has(path):
            raise InputError(
                f"{self.path} has no task {record['name']!r}{suggest(record['name'], self.task_names())}",
                kind="unknown-task",
            )
        with self.commit():
            self.refuse_unknown(models_of_task(record))
            self.files.write(path, seal(record, f"the record of task {record['name']!r}"))

    def remove_task(self, name: str) -> None:
        """Remove the record of a task, whose models may become garbage. Raises InputError for an unknown task."""
        with self.commit():
            if name in vanished(self):
                note_tasks(self, removed=[name])
                return
            self.read_task(name)
            note_tasks(self, removed=[name])
            self.files.remove(self.task_path(name))

    def names(self, folder: str) -> list[str]:
        """Names in one of the system's folders, sorted. Raises StoreError."""
        with explained("list", self.path / folder):
            return self.files.names(self.path / folder)

    def refuse_unknown(self, models: Sequence[str]) -> None:
        for model in models:
            if not self.models.has(model):
                raise InputError(f"model {model} is not in {self.path}: put the model before the record that names it")


class HasStore(Protocol):
    """Whoever holds a store: a `System`."""

    @property
    def store(self) -> Store: ...
