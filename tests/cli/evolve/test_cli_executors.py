"""Options of evolve that say where children are trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import munet
import munet.cli as cli
from munet.errors import InputError
from munet.evolution.estimate import Estimate, Speed
from munet.fs.sizes import parse_size

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, tiny_npz: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `munet evolve` with some options on a small system: (exit code, standard error)."""
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{tiny_npz}")

    def go(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["evolve", str(system.path), "--device", "cpu", *words])
        assert system.store.runs() == [], "nothing was begun"
        return int(ended.value.code or 0), capsys.readouterr().err

    return go


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--executor rai", "unknown executor 'rai' (did you mean 'ray'?); known: auto, local, processes, ray"),
        ("--executor local --workers 2", "the local executor has 1 worker, not 2: add --executor processes"),
        ("--address auto", "an address and GPUs per child belong to the ray executor: add --executor ray"),
        ("--executor ray --gpus-per-child 0.5", "0.5 GPUs per child, but the device is cpu: add --device cuda"),
        ("--cache-memory much", "--cache-memory much: give a size such as 2GB, 512MB or 0"),
        ("--precision half", "unknown precision 'half'; known: auto, fp32, bf16"),
    ],
)
def test_what_contradicts_itself_is_one_line(words: str, line: str, run: Run) -> None:
    code, err = run(*words.split())
    assert (code, err.count("\n")) == (2, 1)
    assert line in err


def test_options_reach_the_evolution(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def evolve(*arguments: Any, observer: Any, **options: Any) -> list[Any]:
        seen.update(options)
        return []

    monkeypatch.setattr(munet, "evolve", evolve)
    monkeypatch.setattr(munet, "estimate", lambda *_, **__: Estimate(1, 0, Speed(1.0, 1), 1))
    words = "--executor ray --workers 3 --address here:1 --gpus-per-child 0.25 --cache-memory 1.5GB --no-reuse"
    assert run(*words.split()) == (0, "")
    asked = {"executor": "ray", "workers": 3, "address": "here:1", "gpus_per_child": 0.25, "reuse": False}
    assert seen["where"] == munet.Where(device="cpu", cache_memory=1_500_000_000, **asked)
    assert run() == (0, "")
    assert seen["where"] == munet.Where(device="cpu")
    assert seen["budget"] == munet.Budget()


@pytest.mark.parametrize(
    ("word", "size"),
    [("0", 0), ("1000", 1000), ("512MB", 512_000_000), ("2 gb", 2 * 10**9), ("1.5g", 15 * 10**8), ("4KiB", 4096)],
)
def test_sizes(word: str, size: int) -> None:
    assert parse_size(word, f"--cache-memory {word}") == size


@pytest.mark.parametrize("word", ["", "GB", "-1", "1e9", "2XB", "2GBs", "٣GB", "1,5GB", "2GB 3", "8bit"])
def test_what_is_no_size_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="--cache-memory"):
        parse_size(word, f"--cache-memory {word}")
