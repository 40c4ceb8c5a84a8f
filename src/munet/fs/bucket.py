"""An object store as keys and bytes, through the library obstore: all that a system in one asks of it."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from munet.errors import DamagedError, StoreError
from munet.fs.object_store import first_line, library
from munet.fs.refusals import is_no_bucket, refusal_of

_Result = TypeVar("_Result")


class DamagedObject(DamagedError):
    """An object that is missing or does not hold what it should."""

    def __init__(self, place: str, key: str, reason: str, way: str | None = None) -> None:
        super().__init__(f"{place}/{key} {reason}{f': {way}' if way else ''}")
        self.key = key
        self.reason = reason


class Listed(NamedTuple):
    """An object as a listing tells it."""

    key: str
    size: int  # bytes
    modified: datetime  # by the store's clock


class Bucket:
    """The store that obstore knows as `store`, whose address is `name`. StoreError where a request fails."""

    removes = True  # whether anything can ever be removed from it

    def __init__(self, store: Any, name: str) -> None:
        self._store = store
        self._obstore = library()
        self.name = name

    def get(self, key: str, most: int) -> tuple[bytes | None, dict[str, str]]:
        """An object of at most so many bytes, and its mark; None where there is none."""
        found = self._asked(lambda: self._obstore.get(self._store, key))
        if found is None:
            return None, {}
        if found.meta["size"] > most:
            raise DamagedObject(self.name, key, f"has {found.meta['size']} bytes: at most {most} belong there")
        data = self._asked(lambda: bytes(found.bytes()))
        return data, _mark(found.meta)

    def modified(self, key: str) -> datetime | None:
        """When an object was put, by the store's clock; None where there is none."""
        found = self._asked(lambda: self._obstore.head(self._store, key))
        return None if found is None else found["last_modified"]

    def put(self, key: str, data: bytes, mode: Any) -> dict[str, str] | None:
        """Write an object: "create", "overwrite", or the mark of what is there. Its new mark; None where it was not
        written, because somebody else had written."""
        errors = self._obstore.exceptions
        try:
            put = self._obstore.put(self._store, key, data, mode=mode, use_multipart=False)
        except (errors.AlreadyExistsError, errors.PreconditionError):
            return None
        except (NotImplementedError, errors.NotSupportedError) as error:
            way = "add it with --read-only, and push to another address"
            raise StoreError(f"{self.name} can only be read: {way}", kind="remote") from error
        except (OSError, errors.BaseError) as error:
            raise self._failed("write", key, error) from error
        return _mark(put)

    def names(self, folder: str) -> list[str]:
        """Names of the objects in a folder, without those in folders of it."""
        listing = self._asked(lambda: self._obstore.list_with_delimiter(self._store, folder))
        return [str(entry["path"]).rpartition("/")[2] for entry in (listing or {}).get("objects", ())]

    def list(self, folder: str) -> Iterator[Listed]:
        """All objects below a folder, as they come."""
        chunks = iter(self._obstore.list(self._store, folder))
        while chunk := self._asked(lambda: next(chunks, None)):
            for entry in chunk:
                yield Listed(str(entry["path"]), entry["size"], entry["last_modified"])

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are gone already."""
        for key in keys:
            self._asked(lambda key=key: self._obstore.delete(self._store, key))

    def settle(self) -> bool:
        """Whether all that was put is there to stay; False: somebody else came between, look at everything again."""
        return True

    def refuse_unconditional(self) -> None:
        """StoreError for a store that does not keep the conditions by which several people can write at once."""
        key = f"probe-{secrets.token_hex(8)}"
        why = "ignores conditions: it writes what it was asked to write only if nobody else had: use another store"
        ignored = StoreError(f"{self.name} {why}, or only read it (--read-only)", kind="remote")
        try:
            first = self.put(key, b"1", "create")
            if first is None or self.put(key, b"2", "create") is not None:
                raise ignored
            if self.put(key, b"3", first) is None or self.put(key, b"4", first) is not None:
                raise ignored
        finally:
            with suppress(StoreError):
                self.delete([key])

    def clock(self) -> datetime:
        """What time it is, by the store's clock."""
        key = f"probe-{secrets.token_hex(8)}"
        self.put(key, b"1", "create")
        try:
            now = self.modified(key)
        finally:
            with suppress(StoreError):
                self.delete([key])
        if now is None:
            raise StoreError(f"{self.name} lost what was just written to it: use another store", kind="remote")
        return now

    def _asked(self, ask: Callable[[], _Result]) -> _Result | None:
        """What a request answers; None where there is no such object."""
        try:
            return ask()
        except FileNotFoundError as error:
            if is_no_bucket(error):
                raise self._failed("read", "", error) from error
            return None
        except (OSError, RuntimeError, self._obstore.exceptions.BaseError) as error:
            raise self._failed("read", "", error) from error

    def _failed(self, action: str, key: str, error: Exception) -> StoreError:
        where = f"{self.name}/{key}" if key else self.name
        if (refusal := refusal_of(error, self.name, action)) is not None:
            return StoreError(str(refusal), kind="remote")
        return StoreError(
            f"cannot {action} {where}: {first_line(error)}; is the address right, and are there credentials for it?",
            kind="remote",
        )


def _mark(meta: Any) -> dict[str, str]:
    """What a condition needs: on some stores it is the tag that counts, on others the version."""
    return {key: meta[key] for key in ("e_tag", "version") if meta.get(key) is not None}
