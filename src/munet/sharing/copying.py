"""A model with all that it needs, from one place to another: layers, then ancestors from the oldest, then the model.

So whatever a place names is there, and a copy that was cut off goes on where it stopped.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from munet.errors import DamagedError, InputError, StoreError
from munet.sharing.objects import model_key
from munet.sharing.place import Place, put_back
from munet.sharing.task import layer_ids, refuse_senseless_model
from munet.store.called import Withheld
from munet.store.layer_file import BEGINNING
from munet.store.manifests import encode, id_of_manifest, parent_of
from munet.store.schema import Manifest

AT_ONCE = 8  # layers
_FLUSHED_AT_ONCE = 32  # manifests
_VALUE = 8  # bytes of the widest number
_LAYER = 4 << 30  # bytes, of those that no size is known of: position embeddings of the root
_ANCESTORS = 1_000_000

Progress = Callable[[int, int], None]


class Copied:
    """Counts what was copied, for whoever shows it."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.layers = 0
        self.bytes = 0
        self.expected = 0
        self._progress = progress or (lambda done, total: None)

    def expect(self, layers: int) -> None:
        self.expected += layers
        self._progress(self.layers, self.expected)

    def add(self, size: int) -> None:
        self.layers += 1
        self.bytes += size
        self._progress(self.layers, self.expected)


def is_whole(place: Place, model: str) -> bool:
    """Whether a place has a model's manifest, all its layers, and the manifests of its ancestors."""
    manifest = place.manifest(model)
    if manifest is None or place.lacking(list(layer_ids(manifest))):
        return False
    return place.first_missing(parent_of(manifest)) is None


def copy_root(source: Place, target: Place, copied: Copied) -> str:
    """The root with its layers; returns its id."""
    return copy_model([None], source.root, source, target, copied)


def copy_model(names: Collection[str | None], model: str, source: Place, target: Place, copied: Copied) -> str:
    """A model of the task that has or had these names, or the root. DamagedError for what is missing or wrong there,
    InputError for what is whole and cannot be used. What is there already is not sent again."""
    withheld = source.withheld()
    manifest = _manifest(source, model, withheld)
    if manifest.get("task") not in names:
        of = "the root" if None in names else f"one of task '{min(filter(None, names))}', whose record names it"
        raise DamagedError(f"{source.name}: model {model[:10]} is not {of}")
    line = _missing_ancestors(manifest, source, target, withheld)
    _copy_layers(manifest, source, target, copied)
    for ancestor, its in reversed(line):
        target.put_model(ancestor, its, whole=False)
    try:
        target.put_model(model, manifest, whole=True)
    except InputError as error:
        raise InputError(f"model {model[:10]} of {source.name} cannot be used: {error}", kind="damaged") from error
    return model


def copy_ancestors(found: Mapping[str, Manifest], target: Place) -> None:
    """Manifests without weights, side by side, but none before its own ancestors among them: a disk flushes many files
    in little more time than one."""
    left = dict(found)
    with ThreadPoolExecutor(_FLUSHED_AT_ONCE) as pool:
        while oldest := {model: manifest for model, manifest in left.items() if parent_of(manifest) not in left}:
            list(pool.map(lambda one: target.put_model(*one, whole=False), oldest.items()))
            left = {model: manifest for model, manifest in left.items() if model not in oldest}


def _manifest(source: Place, model: str, withheld: Withheld) -> Manifest:
    manifest = source.manifest(model)
    if manifest is None:
        way = put_back(source.name, model_key(model))
        raise DamagedError(f"{source.name} names model {model[:10]}, which is not there: {way}")
    if id_of_manifest(encode(manifest)) != model:
        raise DamagedError(f"{source.name}: model {model[:10]} is not written as manifests are, so its id would change")
    refuse_senseless_model(manifest, model, source.name)
    if (private := withheld(model, manifest)) is not None:
        raise InputError(
            f"model {model[:10]} is one of task '{private}', which is private in {source.name}, so "
            "nothing that descends from it leaves"
        )
    return manifest


def _missing_ancestors(
    manifest: Manifest, source: Place, target: Place, withheld: Withheld
) -> list[tuple[str, Manifest]]:
    """(id, manifest) of the ancestors that the target lacks, nearest first, above those that it has, too."""
    line = list[tuple[str, Manifest]]()
    missing = target.first_missing(parent_of(manifest))
    while missing is not None:
        if len(line) >= _ANCESTORS:
            raise DamagedError(f"{source.name}: a model with more than {_ANCESTORS} ancestors")
        line.append((missing, _manifest(source, missing, withheld)))
        missing = target.first_missing(parent_of(line[-1][1]))
    return line


def _copy_layers(manifest: Manifest, source: Place, target: Place, copied: Copied) -> None:
    slots = layer_ids(manifest)
    lacking, sizes = target.lacking(list(slots)), manifest.get("sizes") or {}
    # A size is known before a byte is asked for: as many numbers as the manifest says, and a header.
    most = {id: BEGINNING + (_LAYER if (size := sizes.get(slots[id])) is None else size * _VALUE) for id in lacking}
    if target.postpone(most):
        return
    copied.expect(len(lacking))

    def copy(id: str) -> int:
        data = source.layer(id, most[id])
        target.put_layer(id, data)
        return len(data)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(copy, id) for id in lacking]
        try:
            for done in waiting:
                copied.add(done.result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def refuse_other_root(source: Place, target: Place) -> None:
    """StoreError unless both grew from the same root."""
    if source.root != target.root:
        raise StoreError(
            f"{source.name} grew from root {source.root[:10]}, {target.name} from {target.root[:10]}: "
            "`munet clone` makes a system that can exchange with it",
            kind="other-root",
        )
