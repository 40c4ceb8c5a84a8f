"""A repository of the Hugging Face hub as keys and bytes: read at one commit, written in one commit.

What is put is kept back until `settle`, which commits all of it on condition that nobody else has committed since the
first look. Layers are uploaded before, so the commit itself is small: a push is one, however many tasks it has.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from munet.errors import InputError, StoreError
from munet.fs.bucket import Bucket, DamagedObject, Listed
from munet.fs.object_store import first_line

SCHEME = "hf://"
_CONFLICT = (409, 412)
_NO_TIME = datetime.fromtimestamp(0, UTC)


class HubBucket(Bucket):
    """The model repository `org/name` behind the address `hf://org/name`. `api` is huggingface_hub's HfApi."""

    removes = False

    def __init__(self, address: str, api: Any = None) -> None:
        self.name = address
        self._repo = address.removeprefix(SCHEME)
        if self._repo.count("/") != 1 or not all(self._repo.split("/")):
            raise InputError(f"{address}: the address of a repository is hf://ORG/NAME")
        self._hub = _library()
        self._api: Any = self._hub.HfApi() if api is None else api
        self._head: str | None = None  # the commit that is read: None before the first look, "" without a repository
        self._sizes: dict[str, int] = {}  # at that commit
        self._put: dict[str, bytes] = {}  # what is not committed yet
        self._uploads: dict[str, Any] = {}  # those of it that are uploaded already

    # -- reading ------------------------------------------------------------------------------------------------------

    def get(self, key: str, most: int) -> tuple[bytes | None, dict[str, str]]:
        self._look()
        if key in self._put:
            return self._put[key], self._mark()
        if key not in self._sizes:
            return None, {}
        if self._sizes[key] > most:
            raise DamagedObject(self.name, key, f"has {self._sizes[key]} bytes: at most {most} belong there")
        file = self._done("read", lambda: self._api.hf_hub_download(self._repo, key, revision=self._head))
        return Path(cast("str", file)).read_bytes(), self._mark()

    def modified(self, key: str) -> datetime | None:
        self._look()
        return _NO_TIME if key in self._put or key in self._sizes else None

    def names(self, folder: str) -> list[str]:
        keys = (one.key for one in self.list(folder))
        return [name for key in keys if "/" not in (name := key.removeprefix(f"{folder}/"))]

    def list(self, folder: str) -> Iterator[Listed]:
        self._look()
        sizes = self._sizes | {key: len(data) for key, data in self._put.items()}
        return (Listed(key, size, _NO_TIME) for key, size in sizes.items() if key.startswith(f"{folder}/"))

    def clock(self) -> datetime:
        return datetime.now(UTC)

    # -- writing ------------------------------------------------------------------------------------------------------

    def put(self, key: str, data: bytes, mode: Any) -> dict[str, str] | None:
        self._look()
        there = key in self._sizes or key in self._put
        if (mode == "create" and there) or (isinstance(mode, dict) and mode != self._mark()):
            return None
        self._put[key] = data
        if key.startswith("layers/"):
            self._upload(key, data)
        return self._mark()

    def delete(self, keys: Iterable[str]) -> None:
        raise StoreError(f"{self.name}: the hub keeps what was committed, so nothing is removed there", kind="remote")

    def refuse_unconditional(self) -> None:
        """The hub keeps the condition that a commit has: its parent."""

    def settle(self) -> bool:
        if not self._put:
            return True
        if not self._head:
            self._make()
        add = self._hub.CommitOperationAdd
        operations = [
            self._uploads.get(key) or add(path_in_repo=key, path_or_fileobj=io.BytesIO(data))
            for key, data in self._put.items()
        ]
        message = f"munet push: {', '.join(sorted(_tasks(self._put))) or self._rest()}"[:200]
        before = self._head
        try:
            self._api.create_commit(self._repo, operations, commit_message=message, parent_commit=before)
        except self._errors() as error:
            self._forget()
            self._look()
            self._put = {key: data for key, data in self._put.items() if key not in self._sizes}
            if self._head == before and _status(error) not in _CONFLICT:
                raise self._failed("write", "", error) from error
            return False  # somebody else was faster, or our answer was lost: what is there now tells which
        self._forget()
        self._put.clear()
        self._uploads.clear()
        return True

    def _rest(self) -> str:
        """What a commit without tasks is."""
        return "the root" if any(key.startswith("models/") for key in self._put) else ", ".join(sorted(self._put))

    def _make(self) -> None:
        """A repository that only its owner sees, until that makes it public."""
        self._done("make", lambda: self._api.create_repo(self._repo, private=True, exist_ok=True))
        self._head = None
        self._look()

    def _upload(self, key: str, data: bytes) -> None:
        if not self._head:
            return  # with the commit that makes the repository
        added = self._hub.CommitOperationAdd(path_in_repo=key, path_or_fileobj=io.BytesIO(data))
        self._done("write", lambda: self._api.preupload_lfs_files(self._repo, [added]))
        self._uploads[key] = added

    def _forget(self) -> None:
        """Look anew; objects that were put stay put, for what has their names is what they are, and records do not."""
        self._head = None
        self._put = {key: data for key, data in self._put.items() if key.startswith(("layers/", "models/"))}

    # -- the commit that is read --------------------------------------------------------------------------------------

    def _mark(self) -> dict[str, str]:
        return {"version": self._head or ""}

    def _look(self) -> None:
        if self._head is not None:
            return
        try:
            self._head = str(self._api.repo_info(self._repo).sha)
            tree = self._api.list_repo_tree(self._repo, recursive=True, revision=self._head)
            self._sizes = {entry.path: entry.size for entry in tree if hasattr(entry, "size")}
        except self._hub.errors.RepositoryNotFoundError:
            self._head, self._sizes = "", {}
        except self._errors() as error:
            self._head = None
            raise self._failed("read", "", error) from error

    def _done(self, action: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except self._errors() as error:
            raise self._failed(action, "", error) from error

    def _errors(self) -> tuple[type[Exception], ...]:
        errors = self._hub.errors
        # The first base is the error of whatever client the library uses, which it passes on where nobody answers.
        return (*errors.HfHubHTTPError.__bases__, errors.HFValidationError, OSError, RuntimeError)

    def _failed(self, action: str, key: str, error: Exception) -> StoreError:
        return StoreError(
            f"cannot {action} {self.name}: {first_line(error)}; is the name right, and is there a token for it "
            "(`hf auth login`)?",
            kind="remote",
        )


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _tasks(keys: Iterable[str]) -> list[str]:
    return [key.removeprefix("tasks/").removesuffix(".json") for key in keys if key.startswith("tasks/")]


def _library() -> Any:
    with suppress(ImportError):
        import huggingface_hub
        import huggingface_hub.errors

        return cast("Any", huggingface_hub)
    raise InputError("hf:// needs huggingface_hub: pip install huggingface_hub", kind="missing-extra")
