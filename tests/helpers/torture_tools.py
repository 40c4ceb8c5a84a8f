"""The campaign: a share of its cases, what came of them, and small systems that it damages."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import munet
from growing import evolve
from munet.errors import MunetError
from munet.store.creation import LOCKS
from munet.store.relations import FILE
from munet.store.turns import is_lock

SHARES = pytest.mark.parametrize(
    "share",
    [
        pytest.param(0.01, marks=pytest.mark.slow, id="part"),
        pytest.param(float(os.environ.get("MUNET_TORTURE_SHARE", "1")), marks=pytest.mark.torture, id="whole"),
    ],
)
"""Ten minutes for the whole campaign, or all of it; MUNET_TORTURE_SHARE=0.1 takes a tenth of that."""

SILENT = "gave another answer in silence"
TALLIES: list["Tally"] = []


@dataclass
class Tally:
    """How many cases were tried, and which went wrong."""

    name: str
    cases: int = 0
    failures: list[str] = field(default_factory=list)

    def judge(self, fault: str | None) -> None:
        self.cases += 1
        if fault is not None:
            self.failures.append(fault)

    def told(self) -> "Tally":
        """Be in the table at the end."""
        TALLIES.append(self)
        return self


def tiny_system(path: Path, images: Path) -> munet.System:
    """Two tasks on the same images, evolved with momentum; another one that was never evolved."""
    system = munet.System.create(path, root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    for name in ("one", "two"):
        system.add_task(name, f"npz:{images}")
    budget: dict[str, Any] = {"task_iterations": 1, "generations": 2, "children": 2, "cycles": 1, "threads": 1}
    evolve(system, samples_per_cycle=40, batch_size=20, **budget)
    system.add_task("new", f"npz:{images}")
    return system


def answers(path: Path) -> dict[str, bytes]:
    """What a system says of two images, to the bit, once its status was read; MunetError where it is refused."""
    system = munet.System.open(path)
    images = np.random.default_rng(0).integers(0, 255, (2, 24, 24), dtype=np.uint8)
    system.status()
    return {name: np.asarray(system.predict(name, images).probabilities).tobytes() for name in ("one", "two")}


def kinds_of(path: Path) -> dict[str, list[Path]]:
    """The files of a system by what they are."""
    kinds: dict[str, list[Path]] = {}
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.name not in (*LOCKS, FILE) and not is_lock(file.name):
            first = file.relative_to(path).parts[0]
            kind = file.stem if file.stem in ("run", "finished", "munet") else first
            kinds.setdefault("end" if file.name.endswith(".end.json") else kind, []).append(file)
    return kinds


@contextmanager
def kept(*files: Path) -> Iterator[None]:
    """Put files back as they were."""
    held = {file: file.read_bytes() for file in files}
    try:
        yield
    finally:
        for file, data in held.items():
            file.write_bytes(data)


def outcome(read: Callable[[], object], expected: object) -> str | None:
    """What is wrong with an answer that was neither refused in one line nor the expected one."""
    try:
        found = read()
    except MunetError as error:
        return None if "\n" not in str(error) else f"said more than a line: {error}"
    except Exception as error:
        return f"ended in {error!r}"
    return None if found == expected else SILENT


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The same bytes with a bit turned, a block of zeros, or cut short; always others."""
    while True:
        changed, place = bytearray(data), draw.randrange(len(data))
        match draw.randrange(5):
            case 0 | 1:
                changed[place] ^= 1 << draw.randrange(8)
            case 2:
                changed[place] = draw.randrange(256)
            case 3:
                changed[place : place + 512] = bytes(len(changed[place : place + 512]))
            case _:
                del changed[place:]
        if changed != data:
            return bytes(changed)
