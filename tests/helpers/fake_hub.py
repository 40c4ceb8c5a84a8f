"""The hub as `munet.fs.hub_bucket` asks it, in memory: repositories with commits, each with all of its files."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError


def refusal(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    response: Any = SimpleNamespace(status_code=status, headers={}, request=None)
    return kind(f"{status} from the hub", response=response)


class FakeHub:
    """HfApi. `failing`: statuses of coming commits, each with whether it lands all the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.commits: list[dict[str, bytes]] = []
        self.private: bool | None = None
        self.failing: list[tuple[int, bool]] = []
        self.uploaded: list[str] = []

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[-1]

    def create_repo(self, repo: str, *, private: bool, exist_ok: bool) -> None:
        if not self.commits:
            self.commits.append({".gitattributes": b""})
            self.private = private

    def repo_info(self, repo: str) -> Any:
        if not self.commits:
            raise refusal(RepositoryNotFoundError, 404)
        return SimpleNamespace(sha=str(len(self.commits)))

    def list_repo_tree(self, repo: str, *, recursive: bool, revision: str) -> Iterator[Any]:
        files = self.commits[int(revision) - 1]
        yield from (SimpleNamespace(path=path, size=len(data)) for path, data in files.items())
        yield SimpleNamespace(path="layers")  # a folder

    def hf_hub_download(self, repo: str, path: str, *, revision: str) -> str:
        data = self.commits[int(revision) - 1][path]
        file = self._folder / hashlib.sha256(data).hexdigest()
        file.write_bytes(data)
        return str(file)

    def preupload_lfs_files(self, repo: str, additions: Sequence[CommitOperationAdd]) -> None:
        self.uploaded += [one.path_in_repo for one in additions]

    def create_commit(
        self, repo: str, operations: Sequence[CommitOperationAdd], *, commit_message: str, parent_commit: str
    ) -> None:
        status, lands = self.failing.pop(0) if self.failing else (0, True)
        if parent_commit != str(len(self.commits)):
            raise refusal(HfHubHTTPError, 412)
        if lands:
            self.commits.append({**self.files, **{one.path_in_repo: _data(one) for one in operations}})
        if status:
            raise refusal(HfHubHTTPError, status)


def _data(operation: CommitOperationAdd) -> bytes:
    with operation.as_file() as file:
        return file.read()
