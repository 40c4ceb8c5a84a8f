"""Signatures over the head of a task: what is signed, and by whom it is.

Signed is what the record of a task says of a model that it retained (what that replaced, who evolved it, its test), and
what binds it: the task's name, classes and images, and the root. The model's id stands for its weights and its lineage.
A signature lies in the record, beside the words that it signs, and travels with it; docs/format.md tells other readers.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from munet.errors import InputError
from munet.fs import ssh_keygen
from munet.store.creation import REMOTES
from munet.store.reading import read_record
from munet.store.records import canonical
from munet.store.schema import RetainedModel, SignedModel, TaskData
from munet.store.store import Store

Signatures = dict[str, list[SignedModel]]
"""Model id -> what was said of it under a signature."""


class _Signers(TypedDict):
    require_signed: NotRequired[str]


class _Remotes(TypedDict):
    remotes: dict[str, _Signers]


class Signer(NamedTuple):
    """Who signed."""

    name: str | None  # by a file of allowed signers; None where it has no such key
    key: str | None  # fingerprint; None for a bad signature

    def __str__(self) -> str:
        if self.key is None:
            return "nobody: the signature is bad"
        return self.name or f"the key {self.key}"


def statement(data: TaskData, root: str, model: str, said: Mapping[str, Any]) -> bytes:
    """The bytes that are signed. `said` is an entry of the history, with or without a signature."""
    entry = {key: value for key, value in said.items() if key != "signature"}
    bound = {"root": root, "task": data["name"], "classes": data["classes"], "fingerprint": data["fingerprint"]}
    return canonical({"signs": "munet-head-1", "model": model, "retained": entry, **bound}, "what is signed")


def signatures_of(record: Mapping[str, Any]) -> Signatures:
    """All signatures in the record of a task."""
    return dict(record.get("signatures") or {})


def says_the_same(said: Mapping[str, Any], entry: RetainedModel) -> bool:
    """Whether what was signed is what the history says."""
    return all(said.get(key) == entry[key] for key in ("replaces", "by", "test"))


def signers(
    data: TaskData, root: str, model: str, said: Sequence[SignedModel], allowed: Sequence[Path]
) -> list[Signer]:
    """Who signed what is said of a model; each is checked."""
    files = tuple((file, file.stat().st_mtime_ns) for file in allowed)
    found = [_signer(statement(data, root, model, one), one["signature"], files) for one in said]
    return sorted(set(found), key=str)


@lru_cache(maxsize=10_000)
def _signer(data: bytes, signature: str, allowed: tuple[tuple[Path, int], ...]) -> Signer:
    key = ssh_keygen.key_behind(data, signature)
    for file, _ in allowed if key is not None else ():
        for name in ssh_keygen.names_of(signature, file):
            if ssh_keygen.is_by(name, data, signature, file):
                return Signer(name, key)
    return Signer(None, key)


def signed_by(store: Store, record: Mapping[str, Any], model: str | None) -> list[str]:
    """Who signed a model that a task retained, in words, by the files of allowed signers that the remotes name."""
    said = signatures_of(record).get(model or "")
    if not said:
        return []
    data, files = cast("TaskData", record), [file for file in allowed_signers(store) if file.is_file()]
    try:
        return [str(one) for one in signers(data, store.root, cast("str", model), said, files)]
    except InputError:
        return ["somebody: there is no ssh-keygen here to check by whom"]


def allowed_signers(store: Store) -> list[Path]:
    """The files that the remotes of a system name."""
    record = read_record(store.files, store.path / REMOTES, _Remotes, lambda record: [])
    known = {} if record is None else cast("_Remotes", record)["remotes"]
    return [Path(file) for file in sorted({one["require_signed"] for one in known.values() if "require_signed" in one})]
