"""Small systems that are shared, made without torch: what evolution leaves behind, without evolution."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from munet.sharing.folder import FolderPlace
from munet.sharing.task import order_of
from munet.store import Store
from munet.store.retained import history_of, noted
from munet.store.schema import TaskRecord, model_test, task_data, task_record
from store_tools import layer_bytes, make_store, manifest

SECRET = "/home/alice/secret-pictures"


def place(store: Store) -> FolderPlace:
    """A store as a place, whose toy models nobody checks."""
    return FolderPlace(store, check=None, patience=0.3)


def new_task(
    store: Store, name: str, *, private: bool = False, fingerprint: str = "same", classes: Sequence[str] = ("a", "b")
) -> TaskRecord:
    data = task_data(name, f"npz:{SECRET}", private=private, classes=classes, splits={}, fingerprint=fingerprint)
    record = task_record(data, added=store.next_added())
    store.create_task(record)
    return record


def retain(
    store: Store, name: str, tag: str, accuracy: float = 0.5, *, by: str = "alice", parent: str | None = None,
    examples: int = 10,
) -> str:  # fmt: skip
    """A new model of a task, which replaces what the task retained: what the end of a task iteration writes."""
    record = store.read_task(name)
    parent = parent or record["model"] or store.root
    shared = {slot: id for slot, id in store.get_model(parent)["layers"].items() if slot != "head"}
    with store.commit():
        layers = {**shared, "head": store.put_layer_bytes(layer_bytes(f"head {tag}"))}
        metrics = {"validation_accuracy": accuracy, "validation_examples": examples}
        model = store.put_model(manifest(layers, task=name, parent=parent, metrics=metrics, sizes={}))
        test = model_test(model, accuracy, 10)
        known = noted(history_of(record), model, test, by)
        changes: Mapping[str, Any] = {"model": model, "test": test, "retained": known}
        store.write_task(cast("TaskRecord", {**record, **changes, "iterations": record["iterations"] + 1}))
    return model


def fleet(path: Path, *tasks: str) -> Store:
    store = make_store(path)
    for task in tasks:
        new_task(store, task)
    return store


def shared_state(store: Store) -> dict[str, Any]:
    """What two systems that know the same hold alike."""
    keys = ("model", "test", "iterations", "retained")
    return {record["name"]: {key: record.get(key) for key in keys} for record in store.task_records()}


def best(store: Store, *models: str) -> str:
    return min(models, key=lambda model: order_of(model, store.get_model(model)))
