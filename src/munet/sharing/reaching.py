"""What is reached in an object store: its root, the heads of each task, and the manifests of all their ancestors.

It tells who needs an object, as `munet.store.reachability` does for a system in a folder.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from munet.errors import DamagedError
from munet.fs.bucket import DamagedObject
from munet.sharing.objects import ObjectPlace, layer_key, model_key
from munet.sharing.task import refuse_senseless
from munet.store.manifests import layers_of, parent_of
from munet.store.reachability import Use
from munet.store.retained import heads, history_of
from munet.store.run_files import models_of_task
from munet.store.schema import Manifest, TaskRecord

_AT_ONCE = 16


@dataclass
class Reached:
    """Everything that is reached, by id. Complete only without `faults`."""

    tasks: list[str] = field(default_factory=list)
    models: dict[str, Use] = field(default_factory=dict)
    layers: dict[str, Use] = field(default_factory=dict)
    faults: list[tuple[str | None, DamagedError]] = field(default_factory=list)  # with the task; None: the root


def reached(place: ObjectPlace) -> Reached:
    """Follow every record, past damage as far as that is possible. StoreError where the store does not answer."""
    found = Reached()
    wanted: list[tuple[str | None, str]] = [(None, place.root)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found.tasks = place.names()
        for task, record in zip(found.tasks, pool.map(lambda name: _record(place, name), found.tasks), strict=True):
            if isinstance(record, DamagedError):
                found.faults.append((task, record))
            elif record is not None:
                models = {*models_of_task(record), *heads(history_of(record))}
                wanted += [(task, model) for model in sorted(models)]
        _follow(place, wanted, found, pool)
    return found


def _record(place: ObjectPlace, task: str) -> TaskRecord | DamagedError | None:
    try:
        record = place.task(task).record
        if record is not None:
            refuse_senseless(record, place.name)
        return record
    except DamagedError as error:
        return error


def _follow(place: ObjectPlace, wanted: list[tuple[str | None, str]], found: Reached, pool: ThreadPoolExecutor) -> None:
    """Mark these models with their layers, then their ancestors without, generation by generation."""
    weights, known, seen = True, dict[str, Manifest | DamagedError](), set[tuple[str | None, str]]()
    while wanted:
        new = sorted({model for _, model in wanted} - set(known))
        known |= dict(zip(new, pool.map(lambda model: _manifest(place, model), new), strict=True))
        above = dict[tuple[str | None, str], None]()
        for task, model in wanted:
            manifest = known[model]
            _mark(found.models, model, task, weights)
            if isinstance(manifest, DamagedError):
                found.faults.append((task, manifest))
                continue
            for _, layer in layers_of(manifest) if weights else ():
                _mark(found.layers, layer, task, weights=True)
            parent = parent_of(manifest)
            if parent is not None:
                above[task, parent] = None
        seen.update(wanted)
        wanted, weights = [one for one in above if one not in seen], False


def _manifest(place: ObjectPlace, model: str) -> Manifest | DamagedError:
    try:
        manifest = place.manifest(model)
    except DamagedError as error:
        return error
    return manifest if manifest is not None else DamagedObject(place.name, model_key(model), "is missing")


def _mark(uses: dict[str, Use], id: str, task: str | None, weights: bool) -> None:
    use = uses.setdefault(id, Use())
    use.root |= task is None
    use.weights |= weights
    use.tasks |= {task} if task is not None else set()


def keys_of(found: Reached) -> set[str]:
    """The keys of all that is reached."""
    return {*map(model_key, found.models), *map(layer_key, found.layers)}
