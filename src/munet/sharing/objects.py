"""A system in an object store, through the library obstore: S3, GCS, Azure, and read only what a web server holds.

Objects are created, records are replaced on condition that they are still those that were read. A store that does not
keep such conditions would lose what others wrote, so it is tried before it is written to.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import cast

from munet.errors import DamagedError, MunetError, StoreError
from munet.fs.bucket import Bucket, DamagedObject
from munet.fs.decoding import BYTES, DecodingError, decode_json
from munet.sharing.exclusion import Push
from munet.sharing.place import TASKS, Held, put_back
from munet.store import FORMAT, manifests
from munet.store.called import Withheld
from munet.store.creation import MARKER
from munet.store.layer_file import LayerFormatError, id_of_bytes, refuse_infinite
from munet.store.objects import is_id
from munet.store.records import DamagedMarkerError, NewerError, RecordError, canonical, marker_of, parse, seal, unseal
from munet.store.retained import heads, history_of
from munet.store.schema import Manifest, TaskRecord
from munet.store.task_files import is_task_name, task_file
from munet.store.typed import wrong_type

INDEX = "index.json"  # names of the tasks, for those who can only read over HTTP
_AT_ONCE = 16
_SMALL_AT_ONCE = 64  # records and manifests, of which each takes a round trip and little else
_AHEAD = 10_000  # manifests


class ObjectPlace:
    """A system in a bucket: `open` says whether there is one, `mark` makes one."""

    near = False

    def __init__(self, bucket: Bucket, *, listed: bool = True) -> None:
        self.bucket = bucket
        self.name = bucket.name
        self.root = ""
        self.listed = listed  # False: a web server, which cannot list
        self._manifests: dict[str, Manifest] = {}  # that were read ahead
        self._push: Push | None = None
        self._ahead: dict[str, Held | MunetError] = {}  # records that were read when the tasks were listed

    # -- the place ----------------------------------------------------------------------------------------------------

    def open(self) -> bool:
        """Whether there is a system; then its root is known. StoreError where it cannot be read."""
        data, _ = self.bucket.get(MARKER, BYTES)
        if data is None:
            return False
        try:
            marker = parse(data)
        except RecordError as error:
            raise DamagedMarkerError(f"{self.name}/{MARKER}", str(error)) from error
        except NewerError as error:
            raise StoreError(f"{self.name}/{MARKER} {error}", kind="newer-format") from error
        if marker.get("format") != FORMAT or not is_id(marker.get("root")):
            reason = f"should hold format {FORMAT} and a root id, and does not"
            raise DamagedMarkerError(f"{self.name}/{MARKER}", reason)
        self.root = marker["root"]
        return True

    def mark(self, root: str) -> None:
        """Make it a system around a root that is there already."""
        self._create(MARKER, marker_of(root))
        self.open()

    # -- tasks --------------------------------------------------------------------------------------------------------

    def tasks(self) -> list[str]:
        names = self.names()
        with ThreadPoolExecutor(_SMALL_AT_ONCE) as pool:
            self._ahead = dict(zip(names, pool.map(self._read_leniently, names), strict=True))
        return names

    def private(self) -> set[str]:
        return set()

    def withheld(self) -> Withheld:
        return lambda model, manifest: None

    def task(self, name: str) -> Held:
        found = self._ahead.pop(name, None) or self._read_task(name)
        if isinstance(found, MunetError):
            raise found
        return found

    def _read_leniently(self, name: str) -> "Held | MunetError":
        """What is wrong with a record is said when its task is asked for, so that all others can be."""
        try:
            return self._read_task(name)
        except MunetError as error:
            if isinstance(error, DamagedError) or error.kind == "newer-format":
                return error
            raise

    def _read_task(self, name: str) -> Held:
        key = f"tasks/{task_file(name)}"
        data, mark = self.bucket.get(key, BYTES)
        if data is None:
            return Held(None, None)
        try:
            record = unseal(data)
        except RecordError as error:
            raise DamagedObject(self.name, key, str(error)) from error
        except NewerError as error:
            raise StoreError(f"{self.name}/{key} {error}", kind="newer-format") from error
        fault = wrong_type(record, TaskRecord) or next(
            (f"'{key}' is missing" for key in TaskRecord.__required_keys__ if key not in record), None
        )
        if fault is None and record["name"] != name:
            fault = f"it is the record of task {record['name']!r}"
        if fault is not None:
            raise DamagedObject(self.name, key, f"is no such record: {fault}")
        return Held(cast("TaskRecord", record), mark)

    def hold(self) -> None:
        if not self.bucket.removes:
            return
        if self._push is None:
            self._push = Push(self.bucket)
        self._push.begin()

    def release(self) -> None:
        if self._push is not None:
            with suppress(StoreError):  # what stays behind counts for a day only
                self._push.end()
            self._push = None

    def settle(self) -> bool:
        if self.bucket.settle():
            return True
        root = self.root
        if not self.open():
            self.mark(root)
        if self.root != root:
            raise StoreError(
                f"{self.name}: somebody else has just made it, with root {self.root[:10]}", kind="other-root"
            )
        return False

    def swap(self, record: TaskRecord, held: Held) -> bool:
        if self._push is not None and not self._push.lasts():
            self.release()  # others may take it for dead, so what it counted on has to be looked for again
            return False
        key = f"tasks/{task_file(record['name'])}"
        data = seal(record, f"the record of task {record['name']!r}")
        done = self.bucket.put(key, data, "create" if held.mark is None else held.mark) is not None
        if done and held.mark is None:
            self._write_index()
        return done

    def next_added(self) -> int:
        return 1  # nobody orders the tasks of a store but by name

    def names(self) -> list[str]:
        """Names of the tasks, as they are listed now; their records are not read."""
        if not self.listed:
            data, _ = self.bucket.get(INDEX, BYTES)
            if data is None:
                why = f"{self.name} has no {INDEX}, by which a web server tells its tasks"
                way = 'write the list of their names there, such as ["flowers"], as docs/sharing.md says'
                raise StoreError(f"{why}: {way}", kind="remote")
            try:
                names = decode_json(data)
            except DecodingError as error:
                raise DamagedError(f"{self.name}/{INDEX} is garbled ({error})") from error
            found = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        else:
            files = self.bucket.names("tasks")
            found = [file.removesuffix(".json") for file in files if file.endswith(".json")]
        if len(found) > TASKS:
            raise DamagedError(f"{self.name} has {len(found)} tasks: at most {TASKS} are read")
        return sorted(name for name in found if is_task_name(name))

    def _write_index(self) -> None:
        names = list[str]()
        while (now := self.names()) != names:  # who writes last has looked again afterwards
            names = now
            self.bucket.put(INDEX, canonical(names, "the names of the tasks") + b"\n", "overwrite")

    # -- objects ------------------------------------------------------------------------------------------------------

    def look_ahead(
        self, tasks: Sequence[str], known: Callable[[str], bool], taken: Callable[[TaskRecord], bool]
    ) -> dict[str, Manifest]:
        found = (self._ahead.get(task) for task in tasks)
        records = [held.record for held in found if isinstance(held, Held) and held.record is not None]
        first = {head for record in records if taken(record) for head in heads(history_of(record))}
        models = sorted(first)
        with ThreadPoolExecutor(_SMALL_AT_ONCE) as pool:
            while models and len(self._manifests) < _AHEAD:
                new = [model for model in dict.fromkeys(models) if model not in self._manifests and not known(model)]
                found = [one for one in pool.map(self._leniently, new) if one is not None]
                self._manifests |= dict(found)
                models = [parent for _, manifest in found if (parent := manifests.parent_of(manifest)) is not None]
        return {model: manifest for model, manifest in self._manifests.items() if model not in first}

    def _leniently(self, model: str) -> tuple[str, Manifest] | None:
        with suppress(DamagedError):  # it is said when the model is asked for
            manifest = self.manifest(model)
            return None if manifest is None else (model, manifest)
        return None

    def first_missing(self, model: str | None) -> str | None:
        """A manifest that is there has all its ancestors there: `collecting` sees to it."""
        return model if model is not None and self.manifest(model) is None else None

    def manifest(self, model: str) -> Manifest | None:
        if model in self._manifests:
            return self._manifests[model]
        key = model_key(model)
        data, _ = self.bucket.get(key, BYTES)
        if data is None:
            return None
        try:
            if manifests.id_of_manifest(data) != model:
                raise DamagedObject(self.name, key, "holds other content than its name says")
            return manifests.decode(data)
        except RecordError as error:
            raise DamagedObject(self.name, key, str(error)) from error
        except NewerError as error:
            raise StoreError(f"{self.name}/{key} {error}", kind="newer-format") from error

    def lacking(self, layers: list[str]) -> list[str]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            there = list(pool.map(self._has, layers))
        return [layer for layer, has in zip(layers, there, strict=True) if not has]

    def _has(self, layer: str) -> bool:
        return self.bucket.modified(layer_key(layer)) is not None

    def layer(self, id: str, most: int) -> bytes:
        key = layer_key(id)
        data, _ = self.bucket.get(key, most)
        if data is None:
            raise DamagedObject(self.name, key, "is missing", put_back(self.name, key))
        try:
            if id_of_bytes(data) != id:
                raise DamagedObject(self.name, key, "holds other content than its name says")
            refuse_infinite(data)
        except LayerFormatError as error:
            raise DamagedObject(self.name, key, f"is no layer: {error}") from error
        return data

    def postpone(self, layers: Mapping[str, int]) -> bool:
        return False

    def put_layer(self, id: str, data: bytes) -> None:
        self._create(layer_key(id), data)

    def put_model(self, id: str, manifest: Manifest, *, whole: bool) -> None:
        self._create(model_key(id), manifests.encode(manifest))

    def _create(self, key: str, data: bytes) -> None:
        self.bucket.put(key, data, "create")  # what has this name already holds the same


def model_key(id: str) -> str:
    """Where a manifest lies. DamagedError for what is no id."""
    return _key("models", id, ".json")


def layer_key(id: str) -> str:
    """Where a layer lies. DamagedError for what is no id."""
    return _key("layers", id, ".safetensors")


def _key(folder: str, id: str, suffix: str) -> str:
    if not is_id(id):
        raise DamagedError(f"{id[:70]!r} is no id")
    return f"{folder}/{id[:2]}/{id[2:]}{suffix}"


def id_of_key(key: str) -> str | None:
    """The id of the manifest or layer that lies there; None for keys of other things."""
    id = key.partition("/")[2].partition(".")[0].replace("/", "")
    return id if is_id(id) and key in (model_key(id), layer_key(id)) else None


def path_of(address: str) -> Path | None:
    """The folder that an address names, or None for other addresses."""
    if address.startswith("file://"):
        return Path(address.removeprefix("file://").removeprefix("localhost"))
    return None if "://" in address else Path(address)
