"""Which shards there are, and of which split each is: `train-0000.tar`, `val/0.tar`, or one split, train."""

import re
from collections.abc import Mapping
from pathlib import Path

from munet.errors import InputError
from munet.tasks.sources.walk import files_in, folders_in
from munet.tasks.split_names import in_grammar, match_splits

_RANGE = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")
_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
_MOST = 100_000  # shards that braces may mean


def find_shards(path: Path) -> Mapping[str, list[Path]]:
    """The shards of each split, by name. InputError where there are none.

    The name of a shard without the number at its end says its split, or the folder that it lies in.
    """
    shards = {file: _meant(file, path) for file in _listed(path)}
    if not shards:
        raise InputError(f"{path}: no shard, such as train-000000.tar, is there", kind="missing-file")
    known = match_splits(shards.values())
    alone = len(set(shards.values())) == 1
    found: dict[str, list[Path]] = {}
    for file, name in shards.items():
        split = known.get(name) or ("train" if alone else in_grammar(name))
        found.setdefault(split, []).append(file)
    return found


def _listed(path: Path) -> list[Path]:
    """Shards below a folder, one file, or those that `{000..009}` counts."""
    if match := _RANGE.search(path.name):
        first, last = int(match[1]), int(match[2])
        if not first <= last < first + _MOST:
            raise InputError(f"{path}: {match[0]} counts from a number to a larger one, at most {_MOST:,} of them")
        names = [
            f"{path.name[: match.start()]}{n:0{len(match[1])}}{path.name[match.end() :]}"
            for n in range(first, last + 1)
        ]
        files = [path.parent / name for name in names]
        if (missing := next((file for file in files if not file.is_file()), None)) is not None:
            raise InputError(f"{missing}: there is no such file", kind="missing-file")
        return files
    if path.is_file():
        return [path]
    folders = [path, *folders_in(path)]
    return [file for folder in folders for file in files_in(folder) if file.name.lower().endswith(_SUFFIXES)]


def _meant(file: Path, root: Path) -> str:
    """What may name the split of a shard."""
    stem = re.sub(r"[-_.]?\d+$", "", file.name.partition(".tar")[0].removesuffix(".tgz"))
    return file.parent.name if file.parent not in (root, root.parent) else stem or "train"
