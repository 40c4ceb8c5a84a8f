"""A system made from a remote: its root first, then its tasks. Cut off anywhere, the same call goes on."""

from collections.abc import Sequence
from pathlib import Path

from munet.errors import InputError, StoreError
from munet.fs import ssh_keygen
from munet.sharing.copying import Progress, refuse_other_root
from munet.sharing.exchange import Outcome, Told, exchange, given
from munet.sharing.folder import FolderPlace
from munet.sharing.place import Place, others_damage
from munet.sharing.remotes import DEFAULT, add_remote, address, existing, make, remote, remotes, required_by
from munet.sharing.signing import Required
from munet.sharing.task import SharedTask, refuse_senseless
from munet.store import Store
from munet.store.creation import MARKER


def clone(
    url: str,
    path: Path,
    tasks: Sequence[str] | None = None,
    *,
    weights: bool = True,
    require_signed: Path | None = None,
    progress: Progress | None = None,
    told: Told | None = None,
) -> list[Outcome]:
    """Make a system of what is at an address, all shared tasks or some, with the address as its remote `origin`.

    Without `weights` layers stay there until they are used. With `require_signed`, a file of allowed signers, nothing
    is made unless somebody of it signed the heads of all of these tasks.
    """
    url = address(url)
    place = existing(url)
    allowed = None if require_signed is None else ssh_keygen.signers_file(require_signed)
    if allowed is not None:
        with others_damage():
            _refuse_unsigned(place, tasks, Required(allowed, place.root))
    if not weights:
        _refuse_partial(place)
    _refuse_unknown(place, tasks or ())
    from_there = None if weights else url
    with others_damage():
        store = _begun(path, url, place) or make(path, place, progress, from_there)
    if DEFAULT not in remotes(store):
        wanted = None if tasks is None else list(tasks)
        add_remote(store, DEFAULT, url, tasks=wanted, on_use=not weights, require_signed=allowed)
    required = Required(allowed, store.root) if allowed is not None else required_by(remote(store, DEFAULT), store)
    target = FolderPlace(store, on_use_from=from_there)
    return exchange(place, target, tasks, required=required, progress=progress, told=told)


def _refuse_unsigned(place: Place, tasks: Sequence[str] | None, required: Required) -> None:
    for task in place.tasks() if tasks is None else tasks:
        record = place.task(task).record
        if record is not None:
            refuse_senseless(record, place.name)
            required.accepted(SharedTask.of(record), None, place.name)


def _refuse_unknown(place: Place, tasks: Sequence[str]) -> None:
    """Before anything is made: the tasks of a clone are what it pulls from then on."""
    with others_damage():
        there = place.tasks() if tasks else []
    unknown = next((task for task in tasks if task not in there), None)
    if unknown is not None:
        given(place, unknown)  # which says why: there is none, or it is private


def _refuse_partial(place: Place) -> None:
    if isinstance(place, FolderPlace) and place.store.promises.places:
        others = " and ".join(place.store.promises.places)
        raise StoreError(f"{place.name} has not all of its layers itself, they lie at {others}: clone that")


def _begun(path: Path, url: str, place: Place) -> Store | None:
    """The clone of the same place that was cut off before. StoreError where another system is."""
    if not (path / MARKER).exists():
        return None
    store = Store.open(path)
    known = remotes(store)
    if known.get(DEFAULT, {}).get("url") != url and (known or store.task_names()):
        raise StoreError(
            f"{path} is already a munet system: `munet pull {path}` brings what is new, or choose another path",
            kind="exists",
        )
    refuse_other_root(place, FolderPlace(store))
    return store


def followed(url: str, path: Path, tasks: Sequence[str] | None = None, told: Told | None = None) -> str:
    """The name of the remote at an address that the system at a path has; the system is cloned where there is none yet.

    `url` may be the name itself. StoreError where another system is.
    """
    if (path / MARKER).exists():
        known = remotes(Store.open(path))
        if url in known:
            return url
        for name, one in known.items():
            if one["url"] == address(url):
                return name
        if known:
            way = f"`munet remote add {path} NAME {url}` adds it"
            raise InputError(f"{path} has no remote {url}, its remotes are {', '.join(known)}: {way}", kind="remote")
    clone(url, path, tasks, told=told)
    return DEFAULT


def folder_for(url: str) -> Path:
    """The folder that a clone gets where none is named: the last part of the address."""
    return Path(url.rstrip("/").rpartition("/")[2] or "fleet")
