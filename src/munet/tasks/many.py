"""Many tasks named at once: by the sub-folders of a folder, or in a TOML file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from munet.errors import InputError, suggest
from munet.tasks.sources.base import absolute, split_address
from munet.tasks.sources.walk import files_in, folders_in

_OPTIONS: dict[str, type] = {
    **dict.fromkeys(("source", "train", "validation", "test", "rare"), str),
    **dict.fromkeys(("private", "skip_bad", "allow_overlap", "allow_duplicates"), bool),
}
_TABLES = {"train.csv", "train.tsv", "train.jsonl", "train.parquet", "labels.csv", "metadata.csv", "metadata.jsonl"}
_HERE = ("folder", "csv", "npz", "idx", "cifar", "wds")  # schemes whose location is a path, or in a store


@dataclass(frozen=True)
class Wanted:
    """A task to add: its name, the address of its source, options of `System.add_task`."""

    name: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)


def tasks_in(folder: Path) -> list[Wanted]:
    """A task for each sub-folder, called as it is, with `_` for what no name may hold. InputError where there is none.

    A sub-folder with `train.npz` is read as `npz:`, one with a table as `csv:`, any other as `folder:`.
    """
    folder = absolute(str(folder))
    found = [Wanted(_name(path.name), _address(path)) for path in folders_in(folder)]
    if not found:
        raise InputError(f"{folder}: there is no sub-folder, of which each would be a task: give the folder above")
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{folder}: two sub-folders would be called '{twice}': rename one, or name them in a --list")
    return found


def _name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "_", text).lstrip(".-") or "_"


def _address(path: Path) -> str:
    names = {file.name: file for file in files_in(path)}
    if "train.npz" in names:
        return f"npz:{path}"
    tables = sorted(_TABLES & names.keys())
    if tables and not any(folders_in(folder) for folder in folders_in(path)):  # no class folders in split folders
        return f"csv:{path}" if tables[0].startswith("train") and _has_others(names) else f"csv:{names[tables[0]]}"
    return f"folder:{path}"


def _has_others(names: Mapping[str, Path]) -> bool:
    """Whether there are tables of other splits beside that of train."""
    return any(name.split(".")[0] in ("val", "valid", "validation", "test") for name in names)


def tasks_of(path: Path) -> list[Wanted]:
    """The tasks of a TOML file: a table for each, with `source` and any option of `munet add`.

    Paths are seen from the file. InputError that names the file and what is wrong.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}", kind="missing-file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}") from error
    if not tables:
        raise InputError(f'{path}: no task is in it: write [NAME] and below it source = "folder:DIR"')
    return [_wanted(path, name, table) for name, table in tables.items()]


def _wanted(path: Path, name: str, table: Any) -> Wanted:
    if not isinstance(table, dict):
        raise InputError(f"{path}: '{name}' stands outside a task: write [NAME] above it")
    for option, value in table.items():
        if option not in _OPTIONS:
            raise InputError(f"{path}: [{name}] {option}{suggest(option, _OPTIONS)}: use {', '.join(_OPTIONS)}")
        if not isinstance(value, _OPTIONS[option]):
            what = "true or false" if _OPTIONS[option] is bool else "a text in quotes"
            raise InputError(f"{path}: [{name}] {option} = {value!r}: write {what}")
    if "source" not in table:
        raise InputError(f'{path}: [{name}] has no source: add one, for instance source = "folder:{name}"')
    if table.get("rare", "keep") not in ("keep", "drop"):
        raise InputError(f"{path}: [{name}] rare = '{table['rare']}': write keep or drop")
    options = {option: value for option, value in table.items() if option != "source"}
    return Wanted(name, _seen_from(absolute(str(path)).parent, table["source"]), options)


def _seen_from(folder: Path, address: str) -> str:
    scheme, colon, rest = address.partition(":")
    if not colon or scheme not in _HERE or "://" in rest or Path(rest).expanduser().is_absolute():
        return address
    return f"{scheme}:{folder / rest}"


def is_same(address: str, recorded: str) -> bool:
    """Whether a recorded source is the one that an address names; what was guessed or chosen is in its options."""
    scheme, _, rest = address.partition(":")
    other, _, there = recorded.partition(":")
    return scheme == other and _place(scheme, rest) == _place(other, there)


def _place(scheme: str, rest: str) -> str:
    location = split_address(rest)[0]
    return str(absolute(location)) if scheme in _HERE and "://" not in location else location
