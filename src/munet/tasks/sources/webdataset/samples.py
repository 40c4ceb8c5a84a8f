"""The source `wds:`. A sample is an image and its label, files of one name.

Labels are in `.cls`, a number or a name, or in `.json`, under `label`, `class` and the like. Options: `label=` names
another kind of file (`txt`) or another key of the JSON, `image=` the kind of image file where there are several. A file
`classnames.txt` beside the shards names the classes. Examples keep the order of the shards and of what is in them.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from munet.errors import InputError, suggest
from munet.tasks.image_files import image_suffixes
from munet.tasks.sources.base import Item, Source, Unusable, absolute, train_first
from munet.tasks.sources.numbering import Label, name_labels, number_labels, plain_labels
from munet.tasks.sources.webdataset.index import Shard, read_index
from munet.tasks.sources.webdataset.shards import find_shards

_KEYS = ("label", "cls", "class", "class_id", "category", "target", "label_id", "y")
_LARGEST_LABEL = 1 << 20  # bytes of a file that says a label


class WebDatasetSource(Source):
    """WebDataset shards. See the module for the options."""

    scheme = "wds"
    options_known = ("image", "label", "order", "white")
    packed = True

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        super().__init__(str(path), options)
        found = {split: [read_index(file) for file in files] for split, files in find_shards(path).items()}
        self._shards = {split: kept for split, shards in found.items() if (kept := [s for s in shards if s.names])}
        if not self._shards:
            raise InputError(f"{path}: the shards hold no sample: files such as 000.jpg and 000.cls")
        self._ends = {split: list(accumulate(len(s.names) for s in shards)) for split, shards in self._shards.items()}
        self._kinds = list(dict.fromkeys(kind for shards in self._shards.values() for s in shards for kind in s.files))
        self._images = self._image_kinds()
        self._label, self._key = self._label_kind()
        columns = {
            split: plain_labels(self._stored(shards), partial(self.stored_name, split), self._label)
            for split, shards in self._shards.items()
        }
        names = _class_names(path if path.is_dir() else path.parent)
        if names is not None and not any(isinstance(value, str) for column in columns.values() for value in column):
            columns = name_labels(columns, dict.fromkeys(columns, names), self.stored_name)
        self._numbered = number_labels(columns, self.address, names or ())

    def _image_kinds(self) -> list[str]:
        """The kinds of file that hold the images; each sample has one of them."""
        wanted = self.options.get("image")
        if wanted is not None:
            if wanted not in self._kinds:
                hint = suggest(wanted, self._kinds)
                raise InputError(f"{self.address}: no file .{wanted}{hint}: there is {self._listed()}")
            return [wanted]
        kinds = [kind for kind in self._kinds if f".{kind.rpartition('.')[2]}" in image_suffixes()]
        if not kinds:
            raise InputError(f"{self.address}: no image in the shards: there is {self._listed()}")
        for shard in (shard for shards in self._shards.values() for shard in shards):
            held = [shard.files[kind][:, 0] > 0 for kind in kinds if kind in shard.files]
            if held and np.any(np.sum(held, axis=0) > 1):
                raise InputError(f"{self.address}: samples have several images ({', '.join(kinds)}): say ?image=")
        return kinds

    def _label_kind(self) -> tuple[str, str]:
        """Kind of file of the labels, and key of its JSON or ""."""
        wanted = self.options.get("label")
        if wanted is not None and wanted in self._kinds:
            return wanted, ""
        if wanted is None and "cls" in self._kinds:
            return "cls", ""
        keys = self._json_keys() if "json" in self._kinds else []
        for key in _KEYS if wanted is None else [wanted]:
            if key in keys:
                return "json", key
        what = "no .cls file, and no label in .json" if wanted is None else f"no '{wanted}'"
        there = f"{self._listed()}{'; in .json ' + ', '.join(keys[:20]) if keys else ''}"
        raise InputError(f"{self.address}: {what}: say which holds the class, such as ?label=txt; there is {there}")

    def _json_keys(self) -> list[str]:
        """Keys of the first JSON."""
        shard = next(s for shards in self._shards.values() for s in shards if "json" in s.files)
        row = int(np.argmax(shard.files["json"][:, 0] > 0))
        with _opened(shard.path) as file:
            content = _read(file, *shard.files["json"][row].tolist())
        return list(_parsed(content, f"{shard.path} {shard.names[row]}"))

    def _stored(self, shards: Sequence[Shard]) -> Iterator[Any]:
        """The stored label of each sample."""
        for shard in shards:
            places = shard.files.get(self._label, np.zeros((len(shard.names), 2), np.int64))
            with _opened(shard.path) as file:
                for name, (offset, size) in zip(shard.names, places.tolist(), strict=True):
                    if not offset or size > _LARGEST_LABEL:
                        yield None
                    elif self._key:
                        yield _parsed(_read(file, offset, size), f"{shard.path} {name}").get(self._key)
                    else:
                        yield _number_or_name(_read(file, offset, size))

    def _listed(self) -> str:
        return ", ".join(f".{kind}" for kind in self._kinds[:12])

    @property
    def classes(self) -> tuple[str, ...]:
        return self._numbered.classes

    def counts(self) -> dict[str, int]:
        return train_first({split: ends[-1] for split, ends in self._ends.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        return self._numbered.labels[split]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        path, file = None, None
        try:
            for row in rows:
                shard, place = self._found(split, row)
                at = [shard.files[kind][place].tolist() for kind in self._images if kind in shard.files]
                offset, size = max(at, default=(0, 0))
                if not offset:
                    yield Unusable(b"", f"{self.stored_name(split, row)}: no image of this name")
                    continue
                if path != shard.path or file is None:
                    if file is not None:
                        file.close()
                    path, file = shard.path, _opened(shard.path)
                yield _read(file, offset, size)
        finally:
            if file is not None:
                file.close()

    def _found(self, split: str, row: int) -> tuple[Shard, int]:
        """The shard that holds a row, and its place there."""
        number = bisect_right(self._ends[split], row)
        return self._shards[split][number], row - (self._ends[split][number - 1] if number else 0)

    def stored_name(self, split: str, row: int) -> str:
        shard, place = self._found(split, row)
        return f"{shard.path} {shard.names[place]}"

    def files(self, split: str) -> list[Path]:
        return [shard.path for shard in self._shards[split]]

    def notes(self) -> list[str]:
        cut = [shard.path.name for shards in self._shards.values() for shard in shards if shard.cut]
        return [f"{name} has no end mark: it may have been cut short" for name in cut[:3]]


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    try:
        file.seek(offset)
        return file.read(size)
    except OSError as error:
        raise InputError(f"{file.name}: cannot be read: {error.strerror or error}") from error


def _number_or_name(content: bytes) -> Label:
    text = content.decode("utf-8", "replace").strip()
    return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else text or None


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}.json: cannot be read as JSON ({str(error)[:80]})") from error
    if not isinstance(parsed, dict):
        raise InputError(f'{name}.json: must be a JSON object such as {{"label": 3}}')
    return parsed


def _class_names(folder: Path) -> tuple[str, ...] | None:
    """The lines of `classnames.txt`, if it is there."""
    file = folder / "classnames.txt"
    if not file.is_file():
        return None
    try:
        return tuple(line.strip() for line in file.read_text("utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error
