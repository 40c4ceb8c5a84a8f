"""Checking a system in an object store: every object against its id, every record against its seal; only read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import cast

from munet.errors import DamagedError
from munet.fs.bucket import DamagedObject
from munet.sharing.copying import Progress
from munet.sharing.objects import ObjectPlace, id_of_key, layer_key, model_key
from munet.sharing.reaching import Reached, reached
from munet.store.fsck import Damage, Report
from munet.store.reachability import Use

_AT_ONCE = 4  # layers in memory
_LAYER = 4 << 30  # bytes


def check(place: ObjectPlace, progress: Progress | None = None) -> Report:
    """Read and hash all that is there, and see that each record reaches all it needs. Layers are held one by one.

    Where a store cannot be listed, only what is reached is checked. What others remove meanwhile is no damage.
    """
    found = reached(place)
    sizes = _listed(place)
    every = sorted({*map(layer_key, found.layers), *map(model_key, found.models), *filter(id_of_key, sizes)})
    report = Report(tasks=len(found.tasks), strays=sorted(key for key in sizes if id_of_key(key) is None))
    faults, done = dict[str, str](), 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        keys = iter(every)
        while part := list(islice(keys, _AT_ONCE)):
            for key, (size, fault) in zip(part, pool.map(lambda key: _examined(place, key), part), strict=True):
                report.bytes += size
                if fault is not None:
                    faults[key] = fault
            done += len(part)
            if progress is not None:
                progress(done, len(every))
    report.models = sum(key.startswith("models/") for key in sizes or every)
    report.layers = sum(key.startswith("layers/") for key in sizes or every)
    report.damaged = [*_records(found), *_objects(place, found, faults)]
    return report


def _listed(place: ObjectPlace) -> dict[str, int]:
    if not place.listed:
        return {}
    return {one.key: one.size for folder in ("models", "layers") for one in place.bucket.list(folder)}


def _examined(place: ObjectPlace, key: str) -> tuple[int, str | None]:
    """(bytes read, what is wrong)"""
    id = cast("str", id_of_key(key))
    try:
        if key.startswith("layers/"):
            return len(place.layer(id, _LAYER)), None
        return 0, None if place.manifest(id) is not None else "is missing"
    except DamagedError as error:
        return 0, error.reason if isinstance(error, DamagedObject) else str(error)


def _records(found: Reached) -> Iterator[Damage]:
    for task, error in found.faults:
        key = error.key if isinstance(error, DamagedObject) else ""
        if not key.startswith("models/"):  # manifests are told with all other objects
            reason = error.reason if isinstance(error, DamagedObject) else str(error)
            hurt = (task,) if task is not None else ()
            yield Damage(key or f"tasks/{task}.json", "task", task or "", reason, hurt, task is None, True)


def _objects(place: ObjectPlace, found: Reached, faults: dict[str, str]) -> Iterator[Damage]:
    if any(fault == "is missing" for fault in faults.values()):
        found = reached(place)  # what others let go meanwhile is reached no more
    for key, fault in faults.items():
        id, is_layer = cast("str", id_of_key(key)), key.startswith("layers/")
        use = (found.layers if is_layer else found.models).get(id)
        if use is not None or fault != "is missing":
            use = use or Use()
            kind = "layer" if is_layer else "model"
            yield Damage(key, kind, id, fault, tuple(sorted(use.tasks)), use.root, use.weights)
