"""Power cuts: every prefix of what was written is replayed with whatever was not flushed lost in part.

`kill -9` cannot show a missing fsync, for the kernel keeps what a dead process wrote. So the system calls of a few
commits are logged, and a disk is rebuilt from each prefix: file content that was not flushed is whole, cut or absent,
and each name that was made in a folder that was not flushed since is there or not, independently of the others.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from store_driver import check_steps, one_of_each
from store_tools import make_store, task_record


@dataclass
class File:
    flushed: bytes = b""
    now: bytes = b""


@dataclass
class Folder:
    flushed: dict[str, "File | Folder"] = field(default_factory=dict)
    pending: list[dict[str, "File | Folder | None"]] = field(default_factory=list)  # each applies whole or not at all

    def now(self) -> dict[str, "File | Folder"]:
        return _apply(self.flushed, self.pending)


def _apply(names: dict, changes: list[dict]) -> dict:
    merged = dict(names)
    for change in changes:
        merged |= change
    return {name: node for name, node in merged.items() if node is not None}


class Disk:
    """What is on the medium and what is only in memory, kept beside a real folder."""

    def __init__(self, path: Path):
        self.path = path
        self.root = _import(path)
        self.open: dict[int, tuple[Path, File]] = {}

    def find(self, path: Path) -> "File | Folder | None":
        node: File | Folder | None = self.root
        for part in path.relative_to(self.path).parts:
            node = node.now().get(part) if isinstance(node, Folder) else None
        return node

    def change(self, path: Path, changes: dict[str, "File | Folder | None"]) -> None:
        folder = self.find(path)
        assert isinstance(folder, Folder)
        folder.pending.append(changes)

    def cut_power(self, target: Path, draw: Callable[[str], float]) -> None:
        """Write what a medium might hold after a power cut. `draw` gives a number from 0 (lost) to 1 (kept)."""
        _export(self.root, target, draw)


def _import(path: Path) -> Folder:
    nodes = {e.name: _import(e) if e.is_dir() else File(e.read_bytes(), e.read_bytes()) for e in path.iterdir()}
    return Folder(nodes)


def _export(folder: Folder, target: Path, draw: Callable[[str], float]) -> None:
    target.mkdir()
    kept = [change for change in folder.pending if draw("name") >= 0.5]
    for name, node in _apply(folder.flushed, kept).items():
        if isinstance(node, Folder):
            _export(node, target / name, draw)
        elif node.now == node.flushed:
            (target / name).write_bytes(node.flushed)
        else:
            (target / name).write_bytes(node.now[: int(len(node.now) * draw("content"))])


@contextmanager
def logged(disk: Disk, after_each: Callable[[], None]) -> Iterator[None]:
    """Let the system calls happen, repeat them on the model of the disk, and stop after each."""
    names = ("open", "write", "fsync", "close", "replace", "link", "mkdir", "unlink")
    real = {name: getattr(os, name) for name in names}

    def whole(entry: str, folder: int | None) -> Path:
        return Path(entry) if folder is None else disk.open[folder][0] / entry

    def fake_open(entry: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        path = whole(entry, dir_fd)
        new = flags & os.O_CREAT and not os.path.exists(path)
        descriptor = real["open"](entry, flags, mode, dir_fd=dir_fd)
        if new:
            disk.change(path.parent, {path.name: File()})
        node = disk.find(path)
        if node is not None:
            disk.open[descriptor] = (path, node)  # type: ignore[assignment]
        return descriptor

    def write(descriptor: int, data: bytes) -> int:
        count = real["write"](descriptor, data)
        if descriptor in disk.open:
            disk.open[descriptor][1].now += bytes(data)[:count]
        after_each()
        return count

    def fsync(descriptor: int) -> None:
        node = disk.open[descriptor][1]
        if isinstance(node, Folder):
            node.flushed, node.pending = node.now(), []  # pyright: ignore[reportCallIssue]
        else:
            node.flushed = node.now
        after_each()

    def close(descriptor: int) -> None:
        disk.open.pop(descriptor, None)
        real["close"](descriptor)

    def replace(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        assert src_dir_fd == dst_dir_fd
        folder = disk.open[dst_dir_fd][0]
        disk.change(folder, {old: None, new: disk.find(folder / old)})
        real["replace"](old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        after_each()

    def link(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        folder = disk.open[dst_dir_fd][0]
        node = disk.find(folder / old)
        real["link"](old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        disk.change(folder, {new: node})
        after_each()

    def mkdir(entry: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        real["mkdir"](entry, mode, dir_fd=dir_fd)
        path = whole(entry, dir_fd)
        disk.change(path.parent, {path.name: Folder()})
        after_each()

    def unlink(entry: str, *, dir_fd: int | None = None) -> None:
        real["unlink"](entry, dir_fd=dir_fd)
        path = whole(entry, dir_fd)
        disk.change(path.parent, {path.name: None})
        after_each()

    fakes = [fake_open, write, fsync, close, replace, link, mkdir, unlink]
    try:
        for name, fake in zip(names, fakes, strict=True):
            setattr(os, name, fake)
        yield
    finally:
        for name in names:
            setattr(os, name, real[name])


def outcomes(rng: random.Random, count: int) -> Iterator[Callable[[str], float]]:
    """All lost, all kept, names without content, content without names, and random mixtures."""
    yield lambda what: 0.0
    yield lambda what: 1.0
    yield lambda what: 1.0 if what == "name" else 0.0
    yield lambda what: 1.0 if what == "name" else 0.5
    for _ in range(count):
        yield lambda what: rng.choice([0.0, 0.3, 1.0])


def cut_everywhere(folder: Path, mixtures: int = 4) -> tuple[int, list[str]]:
    """(power cuts, what was wrong after them) over every prefix of one of each kind of commit."""
    store = make_store(folder / "s")
    store.create_task(task_record("a"))
    disk, rng = Disk(store.path), random.Random(5)
    said: list[str] = []
    wrong: list[str] = []
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        with _real_calls(calls):
            for draw in outcomes(rng, mixtures):
                target = folder / "cut"
                disk.cut_power(target, draw)
                wrong.extend(_judge(target, said))
                shutil.rmtree(target)
                cuts += 1

    calls = {
        name: getattr(os, name) for name in ("open", "write", "fsync", "close", "replace", "link", "mkdir", "unlink")
    }
    with logged(disk, cut):
        one_of_each(store.path, said.append)
    cut()
    return cuts, wrong


@contextmanager
def _real_calls(calls: dict[str, Callable]) -> Iterator[None]:
    present = {name: getattr(os, name) for name in calls}
    for name, call in calls.items():
        setattr(os, name, call)
    try:
        yield
    finally:
        for name, call in present.items():
            setattr(os, name, call)


def _judge(path: Path, said: list[str]) -> list[str]:
    try:
        # A removal that was not flushed may be undone, also of a model without its layers: no ref reaches it.
        return [line for line in check_steps(path, [line.split() for line in said]) if not line.startswith("gc ")]
    except Exception as error:
        return [repr(error)]
