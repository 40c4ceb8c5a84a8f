"""A split of a recorded task found again in its source; errors where it is missing or has changed."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from munet.errors import InputError, suggest
from munet.store.schema import TaskData
from munet.tasks.form import Form
from munet.tasks.listing import fingerprint_of
from munet.tasks.reading import Progress, Reading, list_images, read
from munet.tasks.sources import open_source
from munet.tasks.sources.base import Source, absolute, split_address
from munet.tasks.sources.view import arranged
from munet.tasks.splits import ALIASES, PARTS, Range, describe

NO_DATA = "none:"
"""Source of an imported task whose images nobody named yet; `munet attach` names them. Where others hold the images,
options may follow that say how these are read; `munet task move` names images that are proved to be those."""

_SETTLED = 2_000_000_000  # nanoseconds; file systems tell times apart by milliseconds to two seconds


def find_split(record: TaskData, split: str) -> "RecordedSplit":
    """Open the source of a recorded task, reading no image. InputError where there is no such split or source, where
    the source holds too few examples, or where its classes are others than when the task was added."""
    split = ALIASES.get(split, split)
    if split not in record["splits"]:
        raise InputError(f"task '{record['name']}' has no split '{split}'{suggest(split, PARTS)}: {', '.join(PARTS)}")
    refuse_missing(record)
    return split_in(open_source(record["source"]), record, split)


def split_in(source: Source, record: TaskData, split: str) -> "RecordedSplit":
    """The recorded split in an open source. InputError as `find_split`."""
    ranges = tuple((str(name), int(start), int(stop)) for name, start, stop in record["splits"][split]["ranges"])
    found = RecordedSplit(record, split, source, ranges)
    found.refuse_other_shape()
    return replace(found, source=arranged(source, record["classes"]))


@dataclass(frozen=True)
class RecordedSplit:
    """Which examples of an open source make a split of a task."""

    record: TaskData
    split: str
    source: Source
    ranges: tuple[Range, ...]

    @property
    def examples(self) -> int:
        """How many there are, unusable ones included."""
        return sum(stop - start for _, start, stop in self.ranges)

    @property
    def recorded(self) -> str:
        """The fingerprint of when the task was added."""
        return self.record["splits"][self.split]["fingerprint"]

    @property
    def identity(self) -> str:
        """One name for the examples of one source that had this fingerprint, the same in every process."""
        return json.dumps([self.source.address, self.ranges, self.recorded])

    def read(
        self, to: Callable[[np.ndarray], None], side: int | None = None, progress: Progress | None = None
    ) -> Reading:
        """Decode every image, in order, as `munet.tasks.reading.read` does; in its form at `side`, if there is one."""
        form = None if side is None else self.form(side)
        return read(self.source, self.ranges, form=form, to=to, skip_bad=self.record["skip_bad"], progress=progress)

    def form(self, side: int) -> Form:
        """What its images come in where larger or mixed ones become (side, side)."""
        return Form.of(self.record, self.split, side)

    def list_images(self) -> bytes:
        """The listing of what is there now; reads every example, decodes no image."""
        return list_images(self.source, self.ranges)

    def fingerprint(self) -> str:
        """The fingerprint of what is there now."""
        return fingerprint_of(self.list_images())

    def refuse_changed(self, now: str) -> None:
        """InputError unless the fingerprint `now` is that of when the task was added."""
        if now != self.recorded:
            raise InputError(
                self._changed(f"{self.split} holds other images or labels, or in another order"), kind="changed-data"
            )

    def refuse_other_shape(self) -> None:
        """InputError where the split cannot be what it was: too few examples, or other classes."""
        record = self.record
        self.source.take_numbers(record["classes"])
        counts = self.source.counts()
        for name, _, stop in self.ranges:
            if stop > counts.get(name, 0):
                text = f"{name}[:{stop}] is needed, but there is {describe(counts)}"
                raise InputError(self._changed(text), kind="changed-data")
        if set(self.source.classes) != set(record["classes"]):
            gone = set(record["classes"]) - set(self.source.classes)
            way_out = "add the data as a new task" if gone else f"munet update SYSTEM {record['name']} --extend"
            raise InputError(
                f"the classes of task '{record['name']}' ({self.source.address}) are no longer those it was added with "
                f"({len(self.source.classes)} now, {len(record['classes'])} then): restore them, or {way_out}",
                kind="changed-data",
            )

    def _changed(self, what: str) -> str:
        return (
            f"the data of task '{self.record['name']}' ({self.record['source']}) changed since it was added: {what}; "
            f"restore it, take what is there now (munet update SYSTEM {self.record['name']}), add it as a new task, or "
            "evolve all the same with --allow-changed"
        )

    @cached_property
    def _files(self) -> list[Path] | None:
        """Every file that the examples come from; None where the source cannot tell."""
        return files_of(self.source, self.ranges)

    def listing(self) -> str | None:
        """`listing_of` the files that the examples come from."""
        return listing_of(self._files)

    def files_hash(self) -> str | None:
        """SHA-256 of packed files as they are, and of what picks the examples from them; None for other sources."""
        if not self.source.packed or self._files is None:
            return None
        names = [path.name for path in self._files]
        state = hashlib.sha256(json.dumps([self.source.scheme, self.source.options, names]).encode())
        for path in self._files:
            try:
                with path.open("rb") as file:
                    state.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        return state.hexdigest()


def files_of(source: Source, ranges: Sequence[Range]) -> list[Path] | None:
    """Every file that the examples of `ranges` come from; None where the source cannot tell."""
    found: list[Path] = []
    for name in dict.fromkeys(name for name, _, _ in ranges):
        files = source.files(name)
        if files is None:
            return None
        found += files
    return found


def listing_of(files: Sequence[Path] | None) -> str | None:
    """A hash of the files' paths, sizes, times and inodes: while it stays, so do they. None where the files are
    not known, or changed so lately that another change might show the same times."""
    if files is None:
        return None
    state, newest = hashlib.sha256(), 0
    for path in files:
        try:
            seen = path.stat()
        except OSError:
            return None  # reading it tells what is wrong
        newest = max(newest, seen.st_mtime_ns, seen.st_ctime_ns)
        # ctime: a program may set a file's mtime back, but not this.
        marks = (str(path), seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_dev, seen.st_ino)
        state.update(repr(marks).encode("utf-8", "surrogateescape"))
    return state.hexdigest() if time.time_ns() - newest > _SETTLED else None


def is_elsewhere(record: TaskData) -> bool:
    """Whether the images of a task are known, and others hold them."""
    return record["source"].startswith(NO_DATA) and not record["fingerprint"].startswith(NO_DATA)


def refuse_missing(record: TaskData) -> None:
    """InputError that names the path, where a task's data has one and nothing is there."""
    address = record["source"]
    name = record["name"]
    if is_elsewhere(record):
        raise InputError(
            f"task '{name}' came without its images, which others hold: where they are here says "
            f"`munet task move SYSTEM {name} SOURCE`"
        )
    if address == NO_DATA:
        raise InputError(f"task '{name}' was imported without images: `munet attach SYSTEM {name} SOURCE` adds them")
    scheme, _, rest = address.partition(":")
    location, options = split_address(rest)
    for text in (location, options.get("data_dir", "")):
        if not text.startswith("/"):
            continue
        # What `idx:` and `wds:` name in a folder may be the beginning of names, or a range of numbers.
        path = absolute(text).parent if scheme in ("idx", "wds") else absolute(text)
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(
                f"{path}: there is no such folder or file on this machine, but task '{record['name']}' ({address}) "
                "reads its images there: mount or copy them to that path, or say where they are, "
                f"munet task move SYSTEM {record['name']} SOURCE",
                kind="missing-file",
            ) from error
        except OSError:
            continue  # no permission, a broken disk: opening the source says which
