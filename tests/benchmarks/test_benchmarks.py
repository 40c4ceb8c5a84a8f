"""The benchmarks run and say what they should; nothing here looks at a time."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from munet.model.network import Network
from munet.model.weight_init import new_head
from munet.roots import load_root
from munet.training import Preprocessing, Recipe, train
from repo import REPO as ROOT

SCRIPTS = ROOT / "benchmarks"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


def load(name: str) -> ModuleType:
    """A module of benchmarks/, which is no package."""
    return importlib.import_module(name)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *words]
    return subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=300)


def quick(name: str, out: Path) -> dict[str, Any]:
    done = run(f"{name}.py", "--quick", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return json.loads((out / f"{name}.json").read_text())


def test_roofline_and_its_tables(tmp_path: Path):
    found = quick("roofline", tmp_path)
    assert {fact["precision"] for fact in found["facts"]} == {"fp32", "bf16"}
    assert all(fact["flops"] > 0 for fact in found["facts"])
    assert found["machine"]["cores"] >= 1
    assert found["versions"]["torch"] == torch.__version__.split("+")[0]
    shown = run("reporting.py", "--results", str(tmp_path))
    assert "| product | precision | threads | GFLOP/s |" in shown.stdout
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- bench:roofline -->\nold\n<!-- /bench:roofline -->\nz\n")
    for _ in range(2):  # filling twice is filling once
        assert run("reporting.py", "--results", str(tmp_path), "--write", str(page)).returncode == 0
        lines = page.read_text().splitlines()
        assert (lines[0], lines[-1], lines.count("<!-- bench:roofline -->")) == ("a", "z", 1)
        assert "old" not in lines
        assert "| product | precision | threads | GFLOP/s |" in lines


def test_finetuning_trains_the_same_on_both_sides(tmp_path: Path):
    found = quick("finetuning", tmp_path)
    for fact in found["facts"]:
        assert len(fact["seconds"]["munet"]) == len(fact["seconds"]["plain"]) == 2
        assert fact["ratio"]["low"] <= fact["ratio"]["high"]
    peaks = found["tables"][1]["rows"]
    assert all(float(cell) > 0 for cell in peaks[0][1:3])


def test_shared_evaluation_answers_the_same_on_both_sides(tmp_path: Path):
    found = quick("shared_evaluation", tmp_path)
    shares = {fact["clone"]: fact["flops_separate"] / fact["flops_shared"] for fact in found["facts"]}
    assert shares[0.2] >= shares[1.0] > 1


def test_augmentation_against_kornia_and_torchvision(tmp_path: Path):
    for package in ("kornia", "torchvision"):
        pytest.importorskip(package, reason=f"{package} comes with the extra `bench`")
    (fact,) = quick("augmentation", tmp_path)["facts"]
    assert fact["fastest_kornia"].startswith("kornia")
    assert set(fact["ratios"]) == set(fact["seconds"])
    assert fact["ratios"]["munet"]["median"] == 1


@pytest.mark.slow
def test_servers_answer_the_same_and_are_compared(tmp_path: Path):
    found = quick("serving", tmp_path)
    served = next(fact["found"] for fact in found["facts"] if "found" in fact)
    assert {"trie", "one-by-one", "by-task", "timm"} <= set(served)
    assert all(one["requests"] > 0 and not one["wrong"] for rounds in served.values() for one in rounds)
    assert {"several", "latency_ms", "memory_mb"} <= {key for fact in found["facts"] for key in fact}


@pytest.mark.slow
def test_the_soak_compares_every_answer(tmp_path: Path):
    words = ["--minutes", "0.1", "--tasks", "2", "--replace", "2", "--share", "0.2", "--out", str(tmp_path)]
    done = run("serving_soak.py", *words)
    assert done.returncode == 0, done.stderr
    table = json.loads((tmp_path / "serving_soak.json").read_text())["tables"][0]
    row = dict(zip(table["columns"], table["rows"][0], strict=True))
    assert int(row["compared"]) >= int(row["answered"]) > 0
    assert (row["failed"], row["differ"]) == ("0", "0")
    assert int(row["models"]) > 2, "one was replaced"


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "kornia" else found(name))
    monkeypatch.setattr(sys, "argv", ["augmentation.py", "--quick", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=re.escape("pip install 'munet-ml[bench]'")):
        load("augmentation").main()


def test_one_command_runs_parts_and_gathers_tables(tmp_path: Path):
    done = run("", "--quick", "--only", "roofline", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tables.md").read_text().startswith("## roofline")


@pytest.mark.slow
def test_many_who_are_killed_lose_nothing(tmp_path: Path):
    words = ["--count", "2", "--minutes", "0.5", "--out"]
    for part, more in (("directory", []), ("agents", ["--remote", str(tmp_path / "remote")])):
        done = run("together.py", part, *words, str(tmp_path / part), *more)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^[1-9]\d* models acknowledged, 0 of them lost", done.stdout, re.M)


def test_every_benchmark_has_a_place_in_the_page():
    spec = importlib.util.spec_from_file_location("all_benchmarks", SCRIPTS / "__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "performance.md").read_text()
    for part in module.PARTS:
        assert (SCRIPTS / f"{part}.py").exists()
        assert re.search(f"<!-- bench:{part} -->\n(.*\n)*<!-- /bench:{part} -->", page), part


@pytest.mark.parametrize(("nesterov", "clip"), [(False, None), (True, 0.5)])
def test_the_plain_loop_trains_what_munet_trains(nesterov: bool, clip: float | None):
    """Same children, same batches: equal losses and tensors up to rounding, frozen tensors untouched."""
    plain = load("plain")
    root = load_root("random:vit_tiny_patch16_224", depth=2, image_size=32)
    layers = {**root.layers, "head": new_head(root.architecture.width, 3)}
    slots = ("block.1", "head")
    generator = torch.Generator().manual_seed(0)
    momentum = {"head": {name: 0.01 * torch.randn(t.shape, generator=generator) for name, t in layers["head"].items()}}
    pre = Preprocessing(32, crop_area_min=0.5, flip=True, brightness=0.1)
    recipe = Recipe(0.05, pre, 2, 20, 8, nesterov=nesterov, clip_norm=clip)
    images = torch.randint(0, 256, (30, 28, 28, 1), dtype=torch.uint8, generator=generator)
    data = plain.Data(images, torch.arange(30) % 3)
    before = {slot: {name: t.clone() for name, t in layer.items()} for slot, layer in layers.items()}
    child = plain.Child(root.architecture, layers, slots, recipe, ("test",), momentum)
    theirs = plain.train(child, data, data)
    network = Network(root.architecture, before, 32, slots)
    ours = train(network, recipe, data, data, key=("test",), momentum=momentum)
    assert ours.losses == pytest.approx(theirs.losses, rel=1e-4)
    assert ours.accuracies == theirs.accuracies
    assert ours.best_cycle == theirs.best_cycle
    assert {name.partition(".")[0] for name in theirs.state} == {"blocks", "head"}
    torch.testing.assert_close(theirs.state["head.weight"], ours.layers["head"]["weight"], rtol=1e-3, atol=1e-5)
    for slot, layer in before.items():
        assert all(torch.equal(t, layers[slot][name]) for name, t in layer.items())


def test_lora_trains_its_additions_and_the_head_and_nothing_else(monkeypatch: pytest.MonkeyPatch):
    plain, lora = load("plain"), load("lora")
    root = load_root("random:vit_tiny_patch16_224", depth=2, image_size=32)
    layers = {**root.layers, "head": new_head(root.architecture.width, 3)}
    recipe = Recipe(0.05, Preprocessing(32), 1, 20, 10)
    data = plain.Data(torch.randint(0, 256, (30, 32, 32, 1), dtype=torch.uint8), torch.arange(30) % 3)
    child = plain.Child(root.architecture, layers, (*layers,), recipe, ("test",))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "peft", None)
        with pytest.raises(SystemExit, match="pip install peft"):
            lora.train(child, lora.Lora(), data)
    pytest.importorskip("peft")
    before = {slot: {name: t.clone() for name, t in layer.items()} for slot, layer in layers.items()}
    adapted = lora.train(child, lora.Lora(rank=4), data)
    width = root.architecture.width
    assert adapted.own == 2 * 4 * 16 * width + 3 * width + 3, "qkv, proj, fc1 and fc2 of two blocks, and the head"
    assert all(torch.equal(t, before[slot][name]) for slot, layer in layers.items() for name, t in layer.items())


def test_rounds_take_turns_and_ratios_are_paired():
    common = load("common")
    order: list[str] = []

    def contender(name: str, seconds: list[float]) -> Any:
        times = iter([9.0, *seconds])  # the warm-up does not count

        def work(_: None) -> float:
            order.append(name)
            return next(times)

        return common.Contender(name, work)

    found = common.compare([contender("slow", [2.0, 6.0, 3.0]), contender("fast", [1.0, 2.0, 1.0])], 3)
    assert order == ["fast", "slow", "slow", "fast", "fast", "slow", "slow", "fast"]
    assert found.seconds == {"slow": [2.0, 6.0, 3.0], "fast": [1.0, 2.0, 1.0]}
    ratio = found.ratio("slow", "fast")
    assert (ratio.median, ratio.low, ratio.high) == (3.0, 2.5, 3.0)


def test_memory_counts_what_the_work_held(tmp_path: Path):
    memory = load("memory")
    (tmp_path / "holding.py").write_text("def hold(size):\n    return len(bytearray(b'x') * size)\n")
    sys.path.insert(0, str(tmp_path))
    try:
        peak = memory.peak_of("holding:hold", 1, size=200 << 20)
        with pytest.raises(RuntimeError, match="ended without a result"):
            memory.peak_of("os:_exit", 1, status=3)
    finally:
        sys.path.remove(str(tmp_path))
    assert peak.value == 200 << 20
    assert 190 << 20 <= peak.grown <= 300 << 20
