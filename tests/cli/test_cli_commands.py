"""Every command on a small real system, as a person would give them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import munet.cli as cli
from cli_tools import SOURCES, Run

BUDGET = (
    "--method mu2net-plus --task-iterations 1 --generations 1 --children 2 --cycles 2 --samples-per-cycle 64 "
    "--batch-size 32 --threads 1"
)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Path:
    """A system with the tasks `shapes` and `বাংলা`, both evolved, and `fresh`, which is not."""
    folder = tmp_path_factory.mktemp("commands") / "fleet"

    def go(*words: str | Path) -> None:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        assert not ended.value.code

    go("init", folder, "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32")
    for name in ("shapes", "বাংলা"):
        go("add", folder, name, f"npz:{tiny_npz}")
    go("evolve", folder, *BUDGET.split(), "--set", "validation_cap=30")
    go("add", folder, "fresh", f"npz:{tiny_npz}", "--private")
    return folder


@pytest.fixture
def copied(grown: Path, tmp_path: Path) -> Path:
    """A copy of `grown` that a test may change."""
    return Path(shutil.copytree(grown, tmp_path / "copy"))


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    import numpy as np
    from PIL import Image

    files = [tmp_path / "a.png", tmp_path / "b [red].png"]
    for seed, file in enumerate(files):
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)).save(file)
    return files


def test_init_and_add_say_what_was_made_and_what_comes_next(tmp_path: Path, tiny_npz: Path, run: Run):
    fleet = tmp_path / "fleet"
    _, out, _ = run("init", fleet, "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32")
    assert "1 block, 32 px, 594,048 parameters" in out
    assert f"Next: munet add {fleet} NAME SOURCE" in out
    _, out, _ = run("add", fleet, "shapes", f"npz:{tiny_npz}", "--private", "--train", "train[:60]")
    assert "shapes: 3 classes, private; train 60 (train[:60]), validation 30 (validation), test 30 (test)" in out
    assert f"Next: munet evolve {fleet} shapes" in out
    _, out, _ = run("add", fleet, "again", f"npz:{tiny_npz}", "--json")
    assert json.loads(out)["splits"]["train"]["examples"] == 90


def test_bad_input_is_one_line_and_leaves_no_task(copied: Path, tiny_npz: Path, run: Run):
    for words in (
        ("add", copied, "../up", f"npz:{tiny_npz}"),
        ("add", copied, "shapes", f"npz:{tiny_npz}"),
        ("add", copied, "new", "npz:/nowhere"),
        ("add", copied, "new", f"npz:{tiny_npz}", "--train", "train[:900]"),
        ("add", copied, "new", f"npz:{tiny_npz}", "--train", "train", "--validation", "train[:10]"),
        ("evolve", copied, "shapez"),
        ("evolve", copied, "shapes", "--set", "nonsense=1"),
        ("evolve", copied, "--method", "munett"),
        ("log", copied, "fresh"),
        ("show", copied, "abcdef"),
        ("evaluate", copied, "--split", "dev"),
        ("predict", copied, "shapes", "nowhere.png"),
        ("export", copied, "shapes", "out.txt"),
        ("init", copied),
    ):
        code, out, err = run(*words)
        assert (code, out) == (2, ""), words
        assert err.startswith("munet: error: "), words
        assert err.count("\n") == 1, words
    assert len(list((copied / "tasks").glob("*.json"))) == 3


def test_status(grown: Path, run: Run):
    _, out, _ = run("status", grown)
    assert "3 tasks" in out
    assert "fresh private" in out
    _, out, _ = run("status", grown, "--json")
    status = json.loads(out)
    fields = (
        "name validation_accuracy test_accuracy score parameters accounted_parameters flops image_size num_blocks model"
    )
    assert {*fields.split(), "private"} <= set(status["tasks"][0])
    assert {"mean_test_accuracy", "unique_parameters", "parameters_per_task"} <= set(status)
    assert [row["name"] for row in status["tasks"]] == ["shapes", "বাংলা", "fresh"]
    assert status["tasks"][2]["model"] is None


def test_log_show_diff(grown: Path, run: Run):
    _, out, _ = run("log", grown, "shapes")
    assert "the root" in out
    _, out, _ = run("log", grown, "shapes", "--json")
    entries = json.loads(out)
    assert entries[-1]["task"] is None
    _, out, _ = run("show", grown, entries[0]["model"][:8])
    assert entries[0]["model"] in out
    _, out, _ = run("show", grown, "root", "--json")
    assert {layer["trained_by"] for layer in json.loads(out)["layers"]} == {"root"}
    _, out, _ = run("diff", grown, "shapes", "root")
    assert "shared" in out
    _, out, _ = run("diff", grown, "shapes", "shapes")
    assert "No layer and no hyperparameter differs." in out
    _, out, _ = run("diff", grown, "shapes", "বাংলা", "--json")
    assert "head" in [pair["slot"] for pair in json.loads(out)["different"]]


def test_evaluate_agrees_with_status(grown: Path, run: Run):
    _, out, _ = run("status", grown, "--json")
    known = {row["name"]: row["test_accuracy"] for row in json.loads(out)["tasks"] if row["model"]}
    _, out, _ = run("evaluate", grown, "--json", "--device", "cpu")
    assert {name: row["accuracy"] for name, row in json.loads(out).items()} == known
    _, out, _ = run("evaluate", grown, "--task", "shapes", "--split", "validation", "--device", "cpu")
    assert "validation %" in out
    assert "বাংলা" not in out


def test_predict(grown: Path, images: list[Path], run: Run):
    _, out, _ = run("predict", grown, "shapes", *images, "--top", "2", "--device", "cpu")
    assert "b [red].png" in out, "brackets are no markup"
    _, out, _ = run("predict", grown, "shapes", *images, "--top", "9", "--json", "--device", "cpu")
    found = json.loads(out)
    assert [row["file"] for row in found["images"]] == [str(file) for file in images]
    assert all(sum(one["probability"] for one in row["top"]) == pytest.approx(1, abs=1e-5) for row in found["images"])
    assert [len(row["top"]) for row in found["images"]] == [3, 3], "there are only three classes"


def test_export(grown: Path, tmp_path: Path, run: Run):
    _, out, _ = run("export", grown, "shapes", tmp_path / "out.safetensors")
    assert "create_model" in out
    assert (tmp_path / "out.safetensors").is_file()
    _, out, _ = run("export", grown, "shapes", tmp_path / "two.safetensors", "--json")
    assert json.loads(out)["classes"] == ["0", "1", "2"]


def test_the_fields_of_a_task_in_status_are_documented(grown: Path, run: Run):
    docs = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    section = docs.partition("## munet status\n")[2].partition("\n## ")[0]
    fields = json.loads(run("status", grown, "--json")[1])["tasks"][0]
    assert [name for name in fields if not re.search(rf"\b{name}\b", section)] == []


def test_fsck_and_gc(copied: Path, run: Run):
    code, out, _ = run("fsck", copied)
    assert (code, "is whole" in out) == (0, True)
    code, out, _ = run("gc", copied, "--dry-run")
    assert "would remove 0 models" in out
    code, out, _ = run("gc", copied, "--json")
    assert json.loads(out)["layers"] == 0
    code, out, _ = run("show", copied, "shapes", "--json")
    head = next(layer["layer"] for layer in json.loads(out)["layers"] if layer["slot"] == "head")
    file = copied / "layers" / head[:2] / f"{head[2:]}.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    code, out, err = run("fsck", copied)
    said = f"1 damaged object in {copied}: put the damaged files back from a copy of the system"
    assert (code, err) == (3, f"munet: error: {said}\n")
    assert head[2:] in out
    assert "hurts task shapes" in out
    code, out, err = run("fsck", copied, "--json")
    assert (code, json.loads(out)["hurt"]) == (3, ["shapes"])
    assert json.loads(err) == {"error": {"kind": "damaged", "message": said, "exit_code": 3}}
    code, _, err = run("evaluate", copied, "--device", "cpu")
    assert (code, err.count("\n")) == (3, 1)
    assert "munet fsck" in err
    for text in ("", "{", '{"format":1,"root":"x"}'):
        (copied / "munet.json").write_text(text)
        code, _, err = run("fsck", copied)
        assert (code, err.count("\n")) == (3, 1)
        assert "munet.json" in err
        assert "take it from a backup" in err


def test_evolve_prints_lines_and_a_table(copied: Path, run: Run):
    code, out, err = run("evolve", copied, "fresh", *BUDGET.split(), "--set", "validation_cap=30", "--device", "cpu")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("256 images to train on: about a minute at most, at most ")
    assert lines[1].startswith(
        "run 0002: mu2net-plus, 1 task x 1 task iteration x 1 generation x 2 children x 2 cycles"
    )
    assert sum("generation 1/1 child" in line for line in lines) == 2
    assert any(line.startswith("fresh 1/1 done: ") for line in lines)
    assert any(line.startswith("fresh ") and line.endswith(" -") for line in lines), "the row of the final table"
    assert lines[-1].startswith("mean test accuracy")


def test_evolve_as_json_lines(copied: Path, run: Run):
    code, out, _ = run("evolve", copied, "fresh", *BUDGET.split(), "--json", "--device", "cpu")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [rows[0]["event"], rows[-1]["event"]] == ["run_started", "run_finished"]
    children = [row for row in rows if row["event"] == "child_finished"]
    assert sorted(row["child"] for row in children) == [0, 1]  # as they finish
    assert children[0]["record"]["accuracies"]


def test_an_interrupt_says_that_the_same_command_goes_on(copied: Path):
    words = ["evolve", str(copied), "fresh", "--device", "cpu", "--threads", "1", "--children", "40", "--cycles", "5"]
    words += [
        "--batch-size",
        "32",
        "--task-iterations",
        "1",
        "--generations",
        "1",
        "--samples-per-cycle",
        "90",
        "--method",
        "munet",
    ]
    # tests in the background of a shell ignore SIGINT, and so would what they start
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heed}; from munet.cli import main; main()"
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-c", code, *words]
    with subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "child 2/40" in line:
                process.send_signal(signal.SIGINT)
                break
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert err.startswith(f"munet: interrupted; the same command goes on: munet evolve {copied} fresh")
    assert err.count("\n") == 1
    status = subprocess.run(
        [sys.executable, "-c", code, "status", str(copied)], env=env, capture_output=True, text=True
    )
    assert re.search(r"Run 0002 of \S+@\S+\s+is\s+not\s+finished", status.stdout)
