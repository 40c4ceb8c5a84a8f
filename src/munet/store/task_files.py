"""Names of the records of tasks: which names a task may have, and which files of such names are no records.

Other programs leave files among the records. One whose name no task may have is easily told; any other may be what is
left of a damaged record, and then its models must neither be collected nor be forgotten in silence. So a file counts as
a record unless it is certain that it is none.
"""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from munet.errors import InputError, MunetError
from munet.fs.tree import Tree
from munet.store.objects import Objects
from munet.store.records import RecordError, unseal
from munet.store.run_files import CONFIG, generation_of
from munet.store.schema import Manifest
from munet.store.task_list import listed

_BEGINNING = b'{"active":'  # of all records of tasks, whose keys are sorted
_ENDING = b'"sha256":"'
_ENDING_AT = 100  # bytes before the end at most


class Records(Protocol):
    """What is asked of a store."""

    path: Path
    files: Tree
    models: Objects

    def names(self, folder: str, /) -> list[str]: ...
    def task_path(self, name: str, /) -> Path: ...
    def read_task(self, name: str, /) -> Mapping[str, Any]: ...
    def runs(self) -> list[str]: ...
    def run_files(self, run: str, /) -> list[str]: ...
    def read_run(self, run: str, file: str, /) -> dict[str, Any]: ...
    def get_model(self, id: str, /) -> Manifest: ...


def is_task_name(name: str) -> bool:
    """Whether a task may have this name: not the copies and backups that other programs leave beside its record."""
    letters = all(letter in "-_." or unicodedata.category(letter)[0] in "LMN" for letter in name)
    return bool(name) and letters and name[0] not in ".-"


def task_file(name: str) -> str:
    """The file of a task's record, in the folder of tasks. Raises InputError for a name that is no file name."""
    if not name or name[0] in ".~" or any(c in '/\\:*?"<>|' or not c.isprintable() for c in name):
        raise InputError(f"{name!r} is no task name: use letters, digits, '-', '_', and '.' but not first")
    if len(name.encode()) > 100:
        raise InputError(f"the task name {name[:20]!r}… takes {len(name.encode())} bytes: use at most 100")
    return f"{name}.json"


def is_stray(store: Records, name: str) -> bool:
    """Whether the file of this task's name is certainly no record of it: neither the list of tasks nor a run
    nor a model names the task, and the file is a copy of another task's record, or a text that neither begins nor ends
    like one."""
    try:
        data = store.files.read(store.task_path(name))
    except OSError:
        return False
    if data.startswith(_BEGINNING) and f'"name":{json.dumps(name, ensure_ascii=False)}'.encode() in data:
        return False
    try:
        record = unseal(data)
    except RecordError:
        return not _may_be_damaged(data) and not _is_known(store, name)
    except ValueError:  # of a newer munet
        return False
    original = record.get("name")
    if not isinstance(original, str) or original == name or _is_known(store, name):
        return False
    try:
        return store.read_task(original) == record
    except MunetError:
        return False


def _may_be_damaged(data: bytes) -> bool:
    """Whether bytes may once have been a record: they begin or end like one, or are no text."""
    if data.startswith(_BEGINNING) or _BEGINNING.startswith(data) or _ENDING in data[-_ENDING_AT:] or b"\0" in data:
        return True
    try:
        data.decode()
    except ValueError:
        return True
    return False


def _is_known(store: Records, name: str) -> bool:
    """Whether the list of tasks, a run or a model names a task, or one of them cannot be read."""
    try:
        if name in listed(store):
            return True
    except MunetError:
        return True
    for run in store.runs():
        if any((place := generation_of(file)) and place.task == name for file in store.run_files(run)):
            return True
        try:
            request = store.read_run(run, CONFIG).get("request")
        except MunetError:
            return True
        if isinstance(request, dict) and name in (request.get("tasks") or ()):
            return True
    try:
        return any(store.get_model(model)["task"] == name for model in store.models.ids())
    except MunetError:
        return True
