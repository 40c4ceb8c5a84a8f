"""Collecting what nothing reaches in an object store, in two phases: it is marked, and goes with a later call.

An object goes if it was marked for as long as the grace, by the store's clock, was not written again since, and nothing
reaches it as the records are read once more while no push goes on (`munet.sharing.exclusion`). The grace is for those
who pull: they may have read a record before it moved on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from shlex import quote
from typing import Any, TypedDict, cast

from munet.errors import DamagedError, StoreError
from munet.fs.bucket import Bucket, DamagedObject, Listed
from munet.fs.decoding import BYTES
from munet.sharing.exclusion import sweeping
from munet.sharing.objects import ObjectPlace, id_of_key
from munet.sharing.reaching import keys_of, reached
from munet.store.manifests import parent_of
from munet.store.records import FORMAT, RecordError, seal, unseal
from munet.store.typed import wrong_type

MARKS = "gc/marks.json"
GRACE = timedelta(days=7)
_MOST = 50_000  # marks in the record; the rest is marked by later calls


class _Marks(TypedDict):
    format: int
    marked: dict[str, float]  # key -> when it was seen idle first, seconds since 1970 by the store's clock


@dataclass
class Collected:
    """What was removed, or would be."""

    models: int = 0
    layers: int = 0
    bytes: int = 0
    waiting: int = 0  # objects that nothing reaches, whose grace is not over
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def collect(place: ObjectPlace, grace: timedelta = GRACE, *, dry_run: bool = False) -> Collected:
    """Remove what nothing has reached for as long as the grace; mark what nothing reaches now.

    StoreError, kind busy: a push goes on, or another collection. DamagedError where damage hides what has to stay.
    Whenever it is raised, nothing that is reached was removed.
    """
    _refuse_foreign(place)
    marks, mark = _read_marks(place.bucket)
    now = place.bucket.clock()
    idle = _idle(place)
    since = {one.key: marks.get(one.key, now.timestamp()) for one in idle}
    for one in idle:
        if one.modified.timestamp() > since[one.key]:  # somebody wrote it again
            since[one.key] = now.timestamp()
    over = now.timestamp() - grace.total_seconds()
    old = [one for one in idle if one.key in marks and since[one.key] <= over]
    due = _in_order(place, idle, old)
    gone = due if dry_run or not due else _sweep(place, due)
    left = {key: since[key] for key in sorted(since.keys() - {one.key for one in gone})}
    if not dry_run:
        _write_marks(place.bucket, dict(list(left.items())[:_MOST]), mark)
    models = sum(_is_model(one) for one in gone)
    return Collected(models, len(gone) - models, sum(one.size for one in gone), len(left), dry_run)


def _refuse_foreign(place: ObjectPlace) -> None:
    if not place.bucket.removes:
        raise StoreError(f"{place.name}: the hub keeps what was committed, so nothing is removed there", kind="remote")
    if not place.listed:
        raise StoreError(f"{place.name} can only be read, and nothing be removed from it", kind="remote")
    if next(place.bucket.list("runs"), None) is not None:
        raise StoreError(
            f"{place.name} has runs, so it is the copy of a directory, whose unfinished runs count too: `munet gc` "
            "collects in a folder",
            kind="remote",
        )


def _idle(place: ObjectPlace) -> list[Listed]:
    """Objects that nothing reaches; files of others are left alone."""
    stay = _stay(place)
    listed = (one for folder in ("models", "layers") for one in place.bucket.list(folder))
    return [one for one in listed if one.key not in stay and id_of_key(one.key) is not None]


def _stay(place: ObjectPlace) -> set[str]:
    found = reached(place)
    if found.faults:
        error = found.faults[0][1]
        raise DamagedError(
            f"{error}; so what has to stay is not known, and nothing was removed: "
            f"`munet fsck {quote(place.name)}` tells more"
        )
    return keys_of(found)


def _in_order(place: ObjectPlace, idle: Iterable[Listed], old: Sequence[Listed]) -> list[Listed]:
    """Those of the old ones that may go, in this order: models before their ancestors, then layers.

    So a manifest that is there has all its ancestors there, whatever is cut off: who pushes looks no further than the
    first one that is there.
    """
    parents = {cast("str", id_of_key(one.key)): _parent(place, one) for one in idle if _is_model(one)}
    going = {cast("str", id_of_key(one.key)): one for one in old if _is_model(one)}
    stay = parents.keys() - going.keys()
    while stay := {parent for model in stay if (parent := parents[model]) in parents}:
        for ancestor in stay:
            going.pop(ancestor, None)
    oldest_first = dict[str, None]()
    for model in going:
        line, current = list[str](), model
        while current in going and current not in oldest_first:
            line.append(current)
            current = parents[current]
        oldest_first |= dict.fromkeys(reversed(line))
    return [*(going[model] for model in reversed(oldest_first)), *(one for one in old if not _is_model(one))]


def _parent(place: ObjectPlace, one: Listed) -> str | None:
    try:
        manifest = place.manifest(cast("str", id_of_key(one.key)))
    except DamagedError:
        return None
    return None if manifest is None else parent_of(manifest)


def _is_model(one: Listed) -> bool:
    return one.key.startswith("models/")


def _sweep(place: ObjectPlace, due: Sequence[Listed]) -> list[Listed]:
    gone = list[Listed]()
    with sweeping(place.bucket) as sweep:
        stay = _stay(place)
        for one in due:
            if not sweep.lasts():  # the rest goes with the next call
                break
            if one.key not in stay:
                place.bucket.delete([one.key])
                gone.append(one)
    return gone


def _read_marks(bucket: Bucket) -> tuple[dict[str, float], Any]:
    data, mark = bucket.get(MARKS, BYTES)
    if data is None:
        return {}, "create"
    try:
        record = unseal(data)
    except RecordError as error:
        raise DamagedObject(bucket.name, MARKS, f"{error}: remove it, and all is marked anew") from error
    fault = wrong_type(record, _Marks)
    if fault is not None:
        raise DamagedObject(bucket.name, MARKS, f"is no such record: {fault}")
    return cast("_Marks", record).get("marked", {}), mark


def _write_marks(bucket: Bucket, marked: dict[str, float], mark: Any) -> None:
    # Where another collection wrote its own meanwhile, they stay: each removes only what both would.
    bucket.put(MARKS, seal({"format": FORMAT, "marked": marked}, "the marks of a collection"), mark)
