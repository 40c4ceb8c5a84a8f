"""Sources in object stores and on web servers, copied to the cache folder: `s3://`, `gs://`, `az://`, `https://`.

A copy is `sources/<key>/…` below the cache folder, its objects by their names, and `<key>.json`, which says how large
each was and by which mark its store tells that it changed. Whoever opens the source asks the store again: what changed
is fetched again, and without a network the copy serves. Copies that were used least lately make room.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any
from urllib.parse import unquote

from munet.errors import InputError
from munet.fs import locks
from munet.fs.atomic import TEMPORARY, explained, make_folder, write_atomic
from munet.fs.cache import cache_folder, cache_limit
from munet.fs.object_store import first_line, library, store_at
from munet.fs.refusals import refusal_of
from munet.tasks.image_files import image_suffixes
from munet.tasks.sources.table.columns import choose
from munet.tasks.sources.table.read import read_table
from munet.tasks.sources.walk import is_hidden

_ADDRESS = re.compile(r"(?P<scheme>s3|gs|az|https?)://(?P<host>[^/?#]*)/?(?P<path>[^?#]*)(?P<query>.*)", re.DOTALL)
_FOLDERS = ("folder", "idx", "cifar")  # sources that are never one file
_AT_ONCE = 16
_PIECE = 1 << 20  # bytes
_FRESH = 60.0  # seconds after which a store is asked again

Objects = dict[str, list[Any]]
"""By the path below the copy: size, and the mark of its content."""


def is_remote(location: str) -> bool:
    """Whether a location is the address of a store or web server."""
    return _ADDRESS.fullmatch(location) is not None


def seen_from(location: str, root: str) -> str:
    """`root=` that is an address, seen from the table at `location`; empty where it is the table's folder.

    InputError where it does not lie below that folder.
    """
    folder = location.rpartition("/")[0]
    below = root.rstrip("/").removeprefix(folder)
    if not root.startswith(folder) or below[:1] not in ("", "/"):
        raise InputError(f"root={root}: must lie below {folder}, the folder of the table, which alone is fetched")
    return below.strip("/")


@dataclass
class _Copy:
    """A copy that this process uses. `held`: descriptor of the file whose lock keeps it from removal."""

    folder: Path
    path: Path  # of what the location names
    asked: float  # when its store was asked last
    held: int


_copies: dict[str, _Copy] = {}


class _NoAnswerError(Exception):
    """The store cannot be reached."""


def fetch(
    location: str, scheme: str, options: Mapping[str, str], progress: Callable[[int, int], None] | None = None
) -> tuple[Path, Path]:
    """The folder of the copy, and in it what `location` names, of all that a source of this `scheme` needs.

    `progress` gets the megabytes that were fetched, and all that have to be. InputError: no such object, no
    credentials, no network and no copy, larger than the cache may be.
    """
    wanted = _Wanted(location, scheme, options)
    copy = _copies.get(wanted.key)
    if copy is None or time.monotonic() - copy.asked > _FRESH or not copy.path.exists():
        base = cache_folder() / "sources"
        make_folder(base)
        with locks.exclusive(base / f".lock-{wanted.key[:2]}"):
            _refresh(wanted, base, progress)
            index = os.open(base / f"{wanted.key}.json", os.O_RDONLY)
            fcntl.flock(index, fcntl.LOCK_SH)
        before, folder = copy, base / wanted.key
        copy = _copies[wanted.key] = _Copy(folder, folder / wanted.name, time.monotonic(), index)
        if before is not None:
            os.close(before.held)
    return copy.folder, copy.path


class _Wanted:
    """What of a store makes a source."""

    def __init__(self, location: str, scheme: str, options: Mapping[str, str]) -> None:
        match = _ADDRESS.fullmatch(location)
        assert match is not None
        if "@" in match["host"] or match["query"]:
            raise InputError(f"{match['scheme']}://…: no passwords, signatures or queries: addresses are recorded")
        self.location, self.scheme, self.options = location, scheme, dict(options)
        self.web = match["scheme"].startswith("http")
        self.store = f"{match['scheme']}://{match['host']}"
        if self.web and scheme in _FOLDERS:
            raise InputError(
                f"{location}: a web server does not list its files, as {scheme}: needs: name one file, such as "
                "npz:https://…/x.npz or csv:https://…/train.csv"
            )
        path = (unquote(match["path"]) if self.web else match["path"]).strip("/")
        self.folder, _, self.name = path.rpartition("/")
        root = options.get("root", "") if scheme == "csv" else ""
        if ".." in PurePosixPath(root).parts:
            raise InputError(f"root={root}: must lie below the table, whose folder alone is fetched")
        self.root = None if root.startswith(("/", "~")) else root.strip("/")
        self.fetched: set[str] = set()  # what had to be read to know what there is
        chosen = [scheme == "csv", self.root, options.get("image") if self.web else None]
        self.key = hashlib.sha256(json.dumps([location, *chosen]).encode()).hexdigest()[:40]

    def find(self, ask: Callable[[Callable[[Any], Any]], Any], local: Path) -> Objects:
        """What there is. Where it is a folder, `name` becomes empty."""
        path = _joined(self.folder, self.name)
        head = ask(lambda store: _head(store, path)) if self.name else None
        if head is None:
            found = {} if self.web else ask(lambda store: _list(store, path))
            if not found:
                what = "file" if self.web else "object, nor any below it"
                raise InputError(f"{self.location}: there is no such {what}", kind="missing-file")
            self.folder, self.name = path, ""
            return found
        found = {self.name: head}
        root = self.root
        if self.scheme != "csv" or root is None:
            return found
        if self.web:
            return found | ask(lambda store: self._named(store, head, local))
        below = ask(lambda store: _list(store, _joined(self.folder, root)))
        return found | {_joined(root, name): entry for name, entry in below.items()}

    def _named(self, store: Any, head: list[Any], local: Path) -> Objects:
        """The files that a table on a web server names, which cannot list its own."""
        file = local / self.name
        _download(store, _joined(self.folder, self.name), file, head)
        self.fetched.add(self.name)
        table = read_table(file, image_suffixes())
        image, label, split = (self.options.get(role) for role in ("image", "label", "split"))
        column = choose(table, image, label, split, lambda name: False).image
        names = [_joined(self.root or "", name) for name in dict.fromkeys(table.columns[column]) if _is_plain(name)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            heads = pool.map(lambda name: _head(store, _joined(self.folder, name)), names)
            return {name: head for name, head in zip(names, heads, strict=True) if head is not None}


def _refresh(wanted: _Wanted, base: Path, progress: Callable[[int, int], None] | None) -> None:
    """Bring a copy to what the store holds now."""
    local, index = base / wanted.key, base / f"{wanted.key}.json"
    known = _known(index)

    def ask(request: Callable[[Any], Any], *, patient: bool = False) -> Any:
        return _asked(wanted.location, lambda: request(store_at(wanted.store, patient=patient)))

    try:
        found = wanted.find(ask, local)
    except _NoAnswerError as error:
        if not known or not all(_is_there(local / path, entry) for path, entry in known["objects"].items()):
            raise InputError(str(error), kind="remote") from error
        wanted.name = known["name"]
        os.utime(index)
        return
    before = known["objects"] if known else {}
    old = {path for path, entry in found.items() if before.get(path) == entry and _is_there(local / path, entry)}
    new = [path for path in found if path not in old | wanted.fetched]
    _make_room(base, wanted, sum(entry[0] for entry in found.values()))

    count = _Count(sum(found[path][0] for path in new), progress)

    def download(store: Any) -> None:
        def one(path: str) -> None:
            _download(store, _joined(wanted.folder, path), local / path, found[path], count.add)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(one, new))

    with explained("write", local):
        index.unlink(missing_ok=True)  # until all is there
        for path in set(before) - set(found):
            (local / path).unlink(missing_ok=True)
        try:
            ask(download, patient=True)
        except _NoAnswerError as error:
            raise InputError(str(error), kind="remote") from error
    about = {"location": wanted.location, "name": wanted.name, "objects": found}
    write_atomic(index, json.dumps(about).encode())


class _Count:
    """Bytes that several threads fetch, told as megabytes."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._total, self._progress, self._done, self._lock = total, progress, 0, Lock()

    def add(self, size: int) -> None:
        if self._progress is None:
            return
        with self._lock:
            before, self._done = self._done, self._done + size
            if self._done >= self._total or self._done // 1_000_000 > before // 1_000_000:
                self._progress(ceil(self._done / 1e6), ceil(self._total / 1e6))


def _asked(location: str, ask: Callable[[], Any]) -> Any:
    errors = library().exceptions
    try:
        return ask()
    except FileNotFoundError as error:
        raise InputError(f"{location}: {first_line(error)}", kind="missing-file") from error
    except ValueError as error:  # of a path with an empty or a forbidden part
        raise InputError(f"{location}: no such address: {first_line(error)}", kind="missing-file") from error
    except (errors.PermissionDeniedError, errors.UnauthenticatedError) as error:
        raise InputError(_refused(error, location), kind="remote") from error
    except (RuntimeError, errors.BaseError) as error:
        raise _NoAnswerError(_refused(error, location)) from error


def _refused(error: Exception, location: str) -> str:
    question = "is the address right, and are there credentials for it in the environment?"
    return str(refusal_of(error, location, "read") or f"{location}: cannot be read: {first_line(error)}; {question}")


def _head(store: Any, path: str) -> list[Any] | None:
    try:
        return _entry(library().head(store, path))
    except FileNotFoundError:
        return None


def _list(store: Any, folder: str) -> Objects:
    """All objects below a folder, by the path from there."""
    found: Objects = {}
    for some in library().list(store, prefix=folder or None):
        for meta in some:
            path = str(meta["path"])[len(folder) + 1 if folder else 0 :]
            if _is_plain(path):
                found[path] = _entry(meta)
    above = {str(parent) for path in found for parent in PurePosixPath(path).parents}
    return {path: entry for path, entry in found.items() if path not in above}  # some stores have objects for folders


def _entry(meta: Any) -> list[Any]:
    return [meta["size"], meta.get("e_tag") or meta.get("version") or str(meta.get("last_modified"))]


def _download(
    store: Any, key: str, to: Path, entry: list[Any], tell: Callable[[int], None] = lambda size: None
) -> None:
    """Copy an object, whole or not at all; `tell` gets the size of each piece."""
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        with temporary.open("wb") as file:
            for piece in library().get(store, key).stream(min_chunk_size=_PIECE):
                file.write(piece)
                tell(len(piece))
                if file.tell() > entry[0]:
                    break
            if file.tell() != entry[0]:
                raise InputError(f"{key}: changed while it was fetched: say it again", kind="remote")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, to)
    finally:
        temporary.unlink(missing_ok=True)


def _make_room(base: Path, wanted: _Wanted, needed: int) -> None:
    """Remove copies that nobody uses until `needed` bytes fit. InputError where they cannot."""
    indexes = [path for path in base.glob("*.json") if path.stem != wanted.key]
    sizes = {path: _size(_known(path)) for path in indexes}
    own = _size(_known(base / f"{wanted.key}.json"))
    limit = cache_limit(sum(sizes.values()) + own + shutil.disk_usage(base).free)
    if needed > limit:
        raise InputError(
            f"{wanted.location}: {needed / 1e9:.3g} GB, but the cache {base} may hold {limit / 1e9:.3g} GB: "
            "MUNET_CACHE_SIZE allows more, or copy it here and name the copy"
        )
    for folder in base.iterdir():  # what a killed process began
        if folder.is_dir() and not folder.with_suffix(".json").exists() and folder.name != wanted.key:
            with (base / f".lock-{folder.name[:2]}").open("a") as lock, suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
    total = sum(sizes.values())
    for index in sorted(indexes, key=lambda path: path.stat().st_mtime):
        if total + needed <= limit:
            break
        if _remove(index):
            total -= sizes[index]


def _remove(index: Path) -> bool:
    """Remove a copy unless a process uses it."""
    with index.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        index.unlink(missing_ok=True)
        shutil.rmtree(index.with_suffix(""), ignore_errors=True)
    return True


def _known(index: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        return json.loads(index.read_bytes())
    return None


def _size(known: dict[str, Any] | None) -> int:
    return sum(entry[0] for entry in known["objects"].values()) if known else 0


def _is_there(path: Path, entry: list[Any]) -> bool:
    with suppress(OSError):
        return path.stat().st_size == entry[0]
    return False


def _is_plain(path: str) -> bool:
    """Whether a name can be a file below the copy, and is meant to be read."""
    parts = path.split("/")
    return "://" not in path and "\\" not in path and not any(part in ("", "..") or is_hidden(part) for part in parts)


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)
