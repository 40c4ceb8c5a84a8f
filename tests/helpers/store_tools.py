"""Small systems for the store's tests, made without torch or numpy so that processes that get killed start fast."""

import json
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from munet.store import Store
from munet.store.schema import Manifest, TaskRecord

Record = TypeVar("Record", Manifest, TaskRecord)

SYSCALLS = ("open", "write", "fsync", "replace", "link", "mkdir", "unlink")


def layer_bytes(tag: str, size: int = 4) -> bytes:
    """A safetensors file with a uint8 tensor of `size` values, and one that holds `tag`, which is not empty."""
    text = tag.encode()
    values = (text * (size // len(text) + 1))[:size]
    header = {
        "w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]},
        "t": {"dtype": "U8", "shape": [len(text)], "data_offsets": [size, size + len(text)]},
    }
    return safetensors_bytes(header, values + text)


def safetensors_bytes(header: dict[str, Any], data: bytes) -> bytes:
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def manifest(layers: dict[str, str], **changes: Any) -> Manifest:
    """No more of a manifest than the store looks at."""
    part = {"format": 1, "task": None, "parent": None, "layers": layers, "momentum": {}, "mutations": []}
    return cast("Manifest", part | changes)


def write_root(store: Store) -> str:
    layers = {slot: store.put_layer_bytes(layer_bytes(f"root {slot}")) for slot in ("embedding", "block.0", "norm")}
    native = store.put_layer_bytes(layer_bytes("native posembed"))
    root = {"source": "test", "native_posembed": {"image_size": 224, "layer": native}}
    return store.put_model(manifest(layers, root=root))


def make_store(path: Path) -> Store:
    return Store.create(path, write_root)


def task_record(name: str, added: int = 1, **changes: Any) -> TaskRecord:
    """No more of a task's record than the store looks at."""
    part = {"format": 1, "name": name, "added": added, "model": None, "active": None, "last": None}
    return cast("TaskRecord", part | changes)


def changed(record: Record, **changes: Any) -> Record:
    """A copy of a record with other values, which may also be wrong ones."""
    return cast("Record", {**record, **changes})


def model_of(store: Store, task: str) -> str:
    """The model that a task retains."""
    model = store.read_task(task)["model"]
    assert model is not None
    return model


def population_of(store: Store, task: str) -> list[str]:
    """The open population of a task."""
    active = store.read_task(task)["active"]
    assert active is not None
    return active["population"]


def parent_of(store: Store, model: str) -> str:
    parent = store.get_model(model)["parent"]
    assert parent is not None
    return parent


def native_layer(root: Manifest) -> str:
    """The root's position embedding before it was resized."""
    origin = root.get("root", {}).get("native_posembed")
    assert origin is not None
    return origin["layer"]


def put_child(store: Store, task: str, parent: str, tag: str, size: int = 4) -> str:
    """Store a model for a task: its own head and momentum, the parent's other layers."""
    shared = store.get_model(parent)["layers"]
    head = store.put_layer_bytes(layer_bytes(f"head {tag}", size))
    momentum = store.put_layer_bytes(layer_bytes(f"momentum {tag}", size))
    layers = {**shared, "head": head}
    return store.put_model(manifest(layers, task=task, parent=parent, momentum={"head": momentum}))


def grown_store(path: Path) -> Store:
    """Root; task `a` with a retained child; `b` in the middle of a run, its population descending from a's model."""
    store = make_store(path)
    store.create_task(task_record("a", 1))
    store.create_task(task_record("b", 2))
    with store.commit():
        first = put_child(store, "a", store.root, "a0")
        store.write_task(task_record("a", 1, model=first))
    with store.commit():
        run = store.new_run({"method": "test"})
        second = put_child(store, "b", first, "b0")
        third = put_child(store, "b", second, "b1")
        store.write_run(run, "b-0000-0000", generation(("b", 0, 0), [second, third]))
        active = {"run": run, "iteration": 0, "generation": 1, "population": [third]}
        store.write_task(task_record("b", 2, active=active))
    return store


def generation(place: tuple[str, int, int], models: Sequence[str | None]) -> dict[str, Any]:
    children = [{"child": i, "accepted": model is not None, "model": model} for i, model in enumerate(models)]
    return {"format": 1, "task": place[0], "iteration": place[1], "generation": place[2], "children": children}


def files_of(store: Store) -> list[Path]:
    """Every file of a system that holds something that counts: in a lock nothing does."""
    files = (path for path in store.path.rglob("*") if path.is_file() and path.name not in (".lock", ".turn"))
    return sorted(path for path in files if path.stat().st_size)


def temporary_files_in(path: Path) -> list[Path]:
    return [file for file in path.rglob(".tmp-*") if file.is_file()]


class Faults:
    """Counts the system calls that change a disk, and those that open a folder to list or flush it, and makes the k-th
    (or each from the k-th on) fail. `changing` leaves out the latter.

    Those to fsync that do not fail do nothing: no power is cut here, and they take most of the time.
    """

    def __init__(
        self, k: int | None = None, error: int = 0, sticky: bool = False, die: bool = False, changing: bool = False
    ):
        self.calls = 0
        self.opening = os.O_WRONLY | os.O_RDWR | os.O_CREAT | (0 if changing else os.O_DIRECTORY)
        self.k, self.error, self.sticky, self.die = k, error, sticky, die
        self.fired = False

    def strike(self, name: str, *arguments: Any) -> None:
        if name == "open" and (arguments[1] & os.O_PATH or not arguments[1] & self.opening):
            return
        self.calls += 1
        if self.k is None or self.calls < self.k or (self.calls > self.k and not self.sticky):
            return
        self.fired = True
        if self.die:
            if name == "write":  # the worst moment: half of it is on disk
                descriptor, data = arguments[0], bytes(arguments[1])
                REAL["write"](descriptor, data[: len(data) // 2])
            os._exit(7)
        raise OSError(self.error, os.strerror(self.error), str(arguments[0]))

    @contextmanager
    def injected(self) -> Iterator["Faults"]:
        def wrap(name: str):
            real = REAL[name]

            def call(*arguments: Any, **named: Any) -> Any:
                self.strike(name, *arguments)
                return None if name == "fsync" else real(*arguments, **named)

            return call

        try:
            for name in SYSCALLS:
                setattr(os, name, wrap(name))
            yield self
        finally:
            for name in SYSCALLS:
                setattr(os, name, REAL[name])


REAL = {name: getattr(os, name) for name in SYSCALLS}
