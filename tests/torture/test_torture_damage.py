"""Damage to every kind of file: what is read afterwards is right to the bit, or is refused, and fsck finds it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from munet.allocation.runs.folder import RunFolder
from munet.allocation.training.trainer import train
from munet.errors import MunetError
from munet.store import Store, reading
from munet.store.fsck import fsck
from munet.store.objects import Objects
from munet.store.records import parse
from munet.tasks.cache.disk import DecodedFolder
from run_tools import QUICK, image_network, image_tasks, learned
from torture_tools import SHARES, SILENT, Tally, answers, damaged, kept, kinds_of, outcome, tiny_system

FLIPS, SWAPS, DECODED, CHECKPOINTS = 50_000, 5_000, 5_000, 5_000


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Path:
    return tiny_system(tmp_path_factory.mktemp("torture") / "s", tiny_npz).path


def found_by_fsck(path: Path) -> bool:
    """Whether a check tells of anything."""
    try:
        report = fsck(Store.open(path))
    except MunetError as error:
        return str(path) in str(error)
    return bool(report.damaged or report.strays)


def flip(path: Path, cases: int, seed: int = 1) -> Tally:
    """Damage one file after the other, each kind as often as every other."""
    draw, tally, expected = random.Random(seed), Tally("flips and truncations of every kind of file"), answers(path)
    kinds = kinds_of(path)
    records = ["end", "finished", "munet", "run", "runs", "tasks", "tasks.json"]
    assert sorted(kinds) == sorted(["layers", "listings", "models", *records])
    for number in range(cases):
        kind = sorted(kinds)[number % len(kinds)]
        file = draw.choice(kinds[kind])
        with kept(file):
            file.write_bytes(damaged(file.read_bytes(), draw))
            fault = outcome(lambda: answers(path), expected)
            if fault is None and not found_by_fsck(path):
                fault = "is not found by fsck"
        tally.judge(fault and f"{file.relative_to(path)}, case {number}: {fault}")
    return tally


def exchange(path: Path, cases: int, kinds: tuple[str, ...], seed: int = 2) -> Tally:
    """Swap two files of a kind, put one over the other, or remove one."""
    draw, tally, expected = random.Random(seed), Tally("files swapped, copied over others, removed"), answers(path)
    found = {kind: files for kind, files in kinds_of(path).items() if kind in kinds}
    for number in range(cases):
        kind = draw.choice(sorted(found))
        one, other = draw.sample(found[kind], 2)
        with kept(one, other):
            first, second = one.read_bytes(), other.read_bytes()
            match draw.randrange(3):
                case 0:
                    one.write_bytes(second)
                    other.write_bytes(first)
                case 1:
                    one.write_bytes(second)
                case _:
                    one.unlink()
            fault = outcome(lambda: answers(path), expected)
            if fault is None and first != second and not found_by_fsck(path):
                fault = "is not found by fsck"
        tally.judge(fault and f"{one.relative_to(path)}, {other.relative_to(path)}, case {number}: {fault}")
    return tally


@SHARES
@pytest.mark.timeout(0)
def test_a_damaged_file_never_answers_otherwise(system: Path, share: float):
    assert flip(system, int(FLIPS * share)).told().failures == []


@SHARES
@pytest.mark.timeout(0)
def test_exchanged_files_never_answer_otherwise(system: Path, share: float):
    assert exchange(system, int(SWAPS * share), ("layers", "models", "tasks", "runs", "end")).told().failures == []


@pytest.mark.slow
def test_a_store_that_trusts_what_it_reads_would_fail(system: Path, monkeypatch: pytest.MonkeyPatch):
    """Without checksums the same cases go wrong, so the campaign would tell."""
    monkeypatch.setattr(Objects, "_mismatch", lambda self, id, data: None)
    monkeypatch.setattr(reading, "unseal", parse)
    assert len(flip(system, 200).failures) > 20
    assert len(exchange(system, 50, ("layers",)).failures) > 5


def decoded_damage(folder: Path, cases: int, seed: int = 3) -> Tally:
    """Damage the decoded splits in a cache: what is opened afterwards is right, or is none."""
    draw, tally, whole = random.Random(seed), Tally("damage to decoded splits"), DecodedFolder(folder)
    names = sorted({file.name.partition(".")[0] for file in folder.glob("*.npz")})
    files = [file for file in folder.iterdir() if file.suffix in (".npz", ".npy")]
    right = {name: split for name in names if (split := whole.open(name)) is not None}
    right = {name: (np.array(split.images), split.labels) for name, split in right.items()}
    assert len(right) >= 2
    for number in range(cases):
        file = draw.choice(files)
        name = file.name.partition(".")[0]
        with kept(*[other for other in files if other.name.startswith(name)]):
            file.write_bytes(damaged(file.read_bytes(), draw))
            try:
                split = whole.open(name)
            except Exception as error:
                tally.judge(f"{file.name}, case {number}: {error!r}")
                continue
            same = split is None or all(map(np.array_equal, right[name], (split.images, split.labels)))
        tally.judge(None if same else f"{file.name}, case {number}: gave another image or label")
    return tally


@SHARES
@pytest.mark.timeout(0)
def test_a_damaged_decoded_split_is_never_used(tmp_path: Path, share: float):
    draw = np.random.default_rng(4)
    folder = DecodedFolder(tmp_path)
    for number in range(3):
        rows = folder.rows(30, (24, 24, 1))
        for _ in range(30):
            rows.append(draw.integers(0, 255, (24, 24, 1), dtype=np.uint8))
        folder.keep(f"{number}" * 40, rows, draw.integers(0, 3, 30), [], None)
    assert decoded_damage(tmp_path, int(DECODED * share)).told().failures == []


def run_damage(folder: RunFolder, cases: int, seed: int = 5) -> Tally:
    """Damage the files of a run of an allocation: its state and checkpoints come back as they were, or are refused."""
    draw, tally = random.Random(seed), Tally("damage to runs of an allocation")
    files = [file for file in folder.path.rglob("*") if file.is_file()]

    def read() -> list[str]:
        held = [folder.state(), *map(folder.checkpoint, folder.rounds()), folder.config(), folder.metrics()]
        return [repr(part) for part in held]

    with torch_prints_all():
        expected = read()
        for number in range(cases):
            file = draw.choice(files)
            with kept(file):
                file.write_bytes(damaged(file.read_bytes(), draw))
                fault = outcome(read, expected)
            if file.name == "metrics.jsonl" and fault == SILENT:
                fault = None  # a torn line at its end is left out, which its page says
            tally.judge(fault and f"{file.relative_to(folder.path)}, case {number}: {fault}")
    return tally


@contextmanager
def torch_prints_all() -> Iterator[None]:
    """So that the text of a tensor tells every value to the bit."""
    torch.set_printoptions(threshold=10**9, precision=17)
    try:
        yield
    finally:
        torch.set_printoptions(profile="default")


@SHARES
@pytest.mark.timeout(0)
def test_a_damaged_run_never_goes_on_otherwise(tmp_path: Path, share: float):
    train(image_network(), learned(), image_tasks(), QUICK, tmp_path)
    assert run_damage(RunFolder(tmp_path), int(CHECKPOINTS * share)).told().failures == []
