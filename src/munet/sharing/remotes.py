"""Which remotes a system knows, and the place behind an address.

`remotes.json` in the system's directory is the only thing that knows them. Credentials are never in it: they are those
of the environment, as the tools of each store have them.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from munet.errors import InputError, StoreError, suggest
from munet.fs import ssh_keygen
from munet.fs.buckets import bucket_at
from munet.fs.opened import remember
from munet.sharing.copying import Copied, Progress, copy_root, refuse_other_root
from munet.sharing.exchange import Refused
from munet.sharing.folder import FolderPlace
from munet.sharing.objects import ObjectPlace, path_of
from munet.sharing.place import Place, others_damage
from munet.sharing.signing import Required
from munet.store import Store
from munet.store.creation import REMOTES
from munet.store.reading import read_record
from munet.store.records import FORMAT, seal

DEFAULT = "origin"
_SCHEMES = ("s3", "gs", "az", "hf", "https", "http", "file")
_PATIENCE = 10.0  # seconds in which somebody else may be making the same remote


class Remote(TypedDict):
    """Where a remote is, and what of it is wanted."""

    url: str
    tasks: NotRequired[list[str]]  # only these are pulled, where somebody cloned a part
    read_only: NotRequired[bool]
    on_use: NotRequired[bool]  # layers come when they are used
    names: NotRequired[dict[str, str]]  # of tasks that are called otherwise there: here -> there
    require_signed: NotRequired[str]  # file of those whose signatures count; nothing else is taken from there


class _Remotes(TypedDict):
    format: int
    remotes: dict[str, Remote]


def remotes(store: Store) -> dict[str, Remote]:
    """The remotes of a system, by name."""
    record = read_record(store.files, store.path / REMOTES, _Remotes, lambda record: [])
    return {} if record is None else cast("_Remotes", record)["remotes"]


def remote(store: Store, name: str) -> Remote:
    """One remote of a system. InputError where there is none of this name."""
    known = remotes(store)
    if name not in known:
        way = f"`munet remote add {store.path} {name} URL` adds it"
        raise InputError(f"{store.path} has no remote '{name}'{suggest(name, known)}: {way}", kind="remote")
    return known[name]


def refuse_read_only(known: Remote, name: str) -> None:
    """StoreError for a remote that nothing is to be pushed to."""
    if known.get("read_only"):
        raise StoreError(f"remote '{name}' ({known['url']}) was added to be read only", kind="remote")


def add_remote(
    store: Store,
    name: str,
    url: str,
    *,
    tasks: list[str] | None = None,
    read_only: bool = False,
    on_use: bool = False,
    require_signed: Path | None = None,
) -> Remote:
    """Remember a remote. InputError for a name that is taken, an address of an unknown kind, or one with a password;
    StoreError where another root is there. With `require_signed` only tasks come from there whose heads somebody of
    that file signed."""
    if not re.fullmatch(r"[\w][\w.-]*", name):
        raise InputError(f"{name!r} is no name for a remote: use letters, digits, '-', '_' and '.'")
    known = remotes(store)
    if name in known:
        raise InputError(f"{store.path} has a remote '{name}' already, {known[name]['url']}: remove it first")
    made: Remote = {"url": address(url)}
    if tasks is not None:
        made["tasks"] = list(tasks)
    if read_only:
        made["read_only"] = True
    if on_use:
        made["on_use"] = True
    if require_signed is not None:
        made["require_signed"] = str(ssh_keygen.signers_file(require_signed))
    _write(store, {**known, name: made})
    remember([made["url"]])
    return made


def names_here(known: Remote) -> dict[str, str]:
    """Of tasks that are called otherwise here: there -> here."""
    return {there: here for here, there in known.get("names", {}).items()}


@contextmanager
def remembering(store: Store, name: str, pairs: Callable[[], Mapping[str, tuple[str, str]]]) -> Iterator[None]:
    """What tasks are called (here, there) from now on is remembered of a remote, by what they are called at the source:
    if the exchange that goes on meanwhile ends well, or refuses other tasks only. `pairs` is asked after it."""
    refused = set[str]()
    try:
        yield
    except Refused as error:
        refused = {one.source or one.task for one in error.outcomes if one.refused is not None}
        _remember(store, name, [pair for task, pair in pairs().items() if task not in refused])
        raise
    _remember(store, name, list(pairs().values()))


def _remember(store: Store, name: str, pairs: Sequence[tuple[str, str]]) -> None:
    if not pairs:
        return
    known = remotes(store)
    told, new = known[name].get("names", {}), dict(pairs)
    kept = {here: there for here, there in told.items() if here not in new and there not in new.values()}
    names = {here: there for here, there in sorted({**kept, **new}.items()) if here != there}
    made: Remote = {**known[name], "names": names}
    if not names:
        made.pop("names")
    _write(store, {**known, name: made})


def keep_names(store: Store, before: str, now: str) -> None:
    """Remember of every remote what a task is called there that has another name here now."""
    known = remotes(store)
    for name in known:
        _remember(store, name, [(now, known[name].get("names", {}).get(before, before))])


def remove_remote(store: Store, name: str) -> Remote:
    """Forget a remote; nothing there changes."""
    gone = remote(store, name)
    _write(store, {key: value for key, value in remotes(store).items() if key != name})
    return gone


def address(url: str) -> str:
    """An address as it is remembered: a path made whole. InputError for what is none."""
    scheme = url.partition("://")[0] if "://" in url else None
    if scheme is not None and scheme not in _SCHEMES:
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise InputError(f"{url}: an address begins with {known}, or is a path{suggest(scheme, _SCHEMES)}")
    if scheme is not None and "@" in url.partition("://")[2].partition("/")[0]:
        raise InputError(
            f"{url.partition('://')[0]}://…: no names or passwords in addresses: put them in the environment"
        )
    if scheme not in (None, "file") and not url.partition("://")[2].strip("/"):
        raise InputError(f"{url}: an address names a bucket, a repository or a host behind {scheme}://")
    path = path_of(url)
    return url.rstrip("/") if path is None else str(path.expanduser().absolute())


def place_at(url: str) -> Place | None:
    """The place behind an address, None where there is nothing yet. StoreError where it cannot be read."""
    path = path_of(url)
    if path is not None:
        if path.is_file():
            raise StoreError(
                f"{path} is a file: name the folder of a system, or one that is not there yet", kind="no-system"
            )
        try:
            return FolderPlace(Store.open(path))
        except StoreError as error:
            if error.kind != "no-system" or (path.is_dir() and any(path.iterdir())):
                raise
            return None
    place = ObjectPlace(bucket_at(url), listed=not url.startswith("http"))
    return place if place.open() else None


def check_remote(store: Store, url: str, *, read_only: bool) -> bool:
    """Whether there is a system behind an address. StoreError where it is of another root, cannot be reached, or,
    unless it is only read, cannot be written by several people at once."""
    url = address(url)
    place = place_at(url)
    if place is not None:
        refuse_other_root(FolderPlace(store), place)
    if not read_only and path_of(url) is None:
        bucket_at(url).refuse_unconditional()
    return place is not None


def existing(url: str) -> Place:
    """The place behind an address. StoreError where there is none."""
    with others_damage():
        place = place_at(url)
    if place is None:
        raise StoreError(
            f"{url} holds no munet system yet: `munet push` from a system that has it as a remote makes one there",
            kind="no-system",
        )
    return place


def required_by(known: Remote, store: Store) -> Required | None:
    """What is asked of the heads that come from a remote."""
    return Required(Path(known["require_signed"]), store.root) if "require_signed" in known else None


def ready_to_write(url: str, store: Store, progress: Progress | None = None) -> Place:
    """The place behind an address, made with the root of `store` where there is none yet. StoreError for one that
    cannot be written by several people at once."""
    mine, path = FolderPlace(store), path_of(url)
    if path is None:
        place = ObjectPlace(bucket_at(url), listed=not url.startswith("http"))
        place.bucket.refuse_unconditional()
        if not place.open():
            place.mark(copy_root(mine, place, Copied(progress)))
    else:
        place = _folder(path, mine, progress)
    refuse_other_root(mine, place)
    return place


def _folder(path: Path, mine: FolderPlace, progress: Progress | None) -> FolderPlace:
    last = time.monotonic() + _PATIENCE
    while True:
        found = place_at(str(path))
        if isinstance(found, FolderPlace):
            return found
        try:
            return FolderPlace(make(path, mine, progress))
        except StoreError as error:
            if error.kind not in ("busy", "exists") or time.monotonic() > last:
                raise
            time.sleep(0.1)


def make(path: Path, source: Place, progress: Progress | None = None, on_use_from: str | None = None) -> Store:
    """A new system in a folder, with the root of a place; with `on_use_from`, without its layers."""
    return Store.create(
        path, lambda made: copy_root(source, FolderPlace(made, on_use_from=on_use_from), Copied(progress))
    )


def _write(store: Store, known: dict[str, Remote]) -> None:
    record = {"format": FORMAT, "remotes": known}
    store.files.write(store.path / REMOTES, seal(record, "the list of remotes"))
