"""An imported system is a munet system: it takes its images, is evaluated, grows, and appears whole or not at all."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import munet
import published_tools
from growing import evolve
from munet.analysis import model_history
from munet.cli import main
from munet.errors import InputError, StoreError
from munet.importing import attach, import_published, prepare
from munet.store.staging import staged
from munet.tasks import load
from published_tools import Draws, Published, small_system, write_message, write_mu2net
from repo import SOURCES

BUDGET: dict[str, Any] = {"generations": 1, "children": 2, "cycles": 1, "samples_per_cycle": 60, "batch_size": 16}
SMALL: dict[str, Any] = {**BUDGET, "task_iterations": 1, "threads": 1, "executor": "local"}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return write_mu2net(small_system(), tmp_path / "published")


@pytest.fixture
def fleet(published: Path, tmp_path: Path) -> munet.System:
    import_published(published, tmp_path / "fleet")
    return munet.System.open(tmp_path / "fleet")


def test_without_images_one_line_says_how_to_attach_them(fleet: munet.System):
    for use in (lambda: fleet.evaluate(["mnist"]), lambda: evolve(fleet, ["mnist"], **SMALL)):
        with pytest.raises(InputError, match=r"task 'mnist' was imported without images: `munet attach SYSTEM mnist"):
            use()
    assert fleet.status()["unfinished_run"] is None
    fleet.show("mnist")
    fleet.log("mnist")
    fleet.diff("mnist", "root")
    assert fleet.export("mnist", fleet.path.parent / "mnist.safetensors")["classes"] == [str(k) for k in range(10)]


def test_attached_images_are_evaluated_and_evolved_on(fleet: munet.System, tiny_npz: Path):
    record = attach(fleet, "cmaterdb-bangla", f"npz:{tiny_npz}")
    assert record["private"]
    assert record["splits"]["test"]["examples"] == 30
    images = load(fleet.store.read_task("cmaterdb-bangla"), "test")
    predicted = fleet.predict("cmaterdb-bangla", images.images).logits.argmax(1)
    right = (predicted.cpu().numpy() == images.labels).mean()
    assert fleet.evaluate(["cmaterdb-bangla"])["cmaterdb-bangla"]["accuracy"] == pytest.approx(right, abs=1e-6)
    fleet.add_task("shapes", f"npz:{tiny_npz}")
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    before = fleet.predict("emnist-digits", images).logits
    parents = {fleet.resolve(name) for name in ("cmaterdb-bangla", "emnist-digits", "mnist")} | {fleet.root}
    evolve(
        fleet,
        ["cmaterdb-bangla", "shapes"],
        "mu2net",
        **SMALL,
        settings={"adapters": "sampled", "defaults.adapter_dim": 4},
    )
    assert (fleet.predict("emnist-digits", images).logits == before).all()
    new = [child for child in model_history.children(fleet.store) if child["run"] == "0002"]
    assert len(new) == 4
    assert all(child["parent"] in parents | {c["model"] for c in new} for child in new)
    rows = {row["name"]: row for row in fleet.status()["tasks"]}
    assert rows["shapes"]["model"] is not None
    assert rows["cmaterdb-bangla"]["iterations"] == 2
    assert fleet.fsck().ok
    fleet.gc()
    assert fleet.fsck().ok


def test_attach_refuses_other_images(fleet: munet.System, tiny_npz: Path):
    with pytest.raises(InputError, match=r"the head of task 'mnist' has 10 outputs, npz:.* has 3 classes"):
        attach(fleet, "mnist", f"npz:{tiny_npz}")
    attach(fleet, "cmaterdb-bangla", f"npz:{tiny_npz}")
    with pytest.raises(InputError, match=r"task 'cmaterdb-bangla' reads its images from npz:.* already"):
        attach(fleet, "cmaterdb-bangla", f"npz:{tiny_npz}")
    with pytest.raises(InputError, match="has no task 'mnits'"):
        attach(fleet, "mnits", f"npz:{tiny_npz}")


def test_images_given_at_once(published: Path, tiny_npz: Path, tmp_path: Path):
    for name in ("cmaterdb/bangla", "cmaterdb-bangla"):
        checked = prepare(published, data={name: f"npz:{tiny_npz}"})
        assert checked.data["cmaterdb/bangla"]["splits"]["train"]["examples"] == 90
    with pytest.raises(InputError, match=r"--data bangla=…: .* no task 'bangla' \(did you mean 'cmaterdb/bangla'\?\)"):
        prepare(published, data={"bangla": "npz:x"})
    with pytest.raises(InputError, match="10 outputs"):
        prepare(published, data={"mnist": f"npz:{tiny_npz}"})


def test_the_catalog_names_tasks_it_knows(published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("MUNET_DATA", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    checked = prepare(published, catalog=True)
    assert checked.names["mnist"] == "mnist"
    assert checked.names["emnist/digits"] == "emnist-digits"  # with 5 classes it is not that of the catalog
    assert checked.data["mnist"]["source"] == "none:"
    assert any("task mnist are not on this machine; hf:" in note for note in checked.notes)


def test_a_taken_place_is_refused_before_anything_is_read(tmp_path: Path):
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "file").touch()
    with pytest.raises(StoreError, match="fleet is not empty"):
        import_published(tmp_path / "nothing", tmp_path / "fleet")
    munet.System.create(tmp_path / "other")
    with pytest.raises(StoreError, match="other is already a munet system"):
        import_published(tmp_path / "nothing", tmp_path / "other")


@pytest.mark.parametrize("when", ["layer", "task"])
def test_an_error_on_the_way_leaves_nothing(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
):
    from munet.store import Store

    name = {"layer": "put_layer_bytes", "task": "create_task"}[when]
    real, calls = getattr(Store, name), []

    def break_down(self: Store, value: object) -> object:
        calls.append(value)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, value)

    monkeypatch.setattr(Store, name, break_down)
    with pytest.raises(KeyboardInterrupt):
        import_published(published, tmp_path / "fleet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["published"]
    monkeypatch.undo()
    import_published(published, tmp_path / "fleet")


@pytest.mark.parametrize("part", [0.4, 0.95])  # in the middle of the layers, at the records
def test_a_killed_import_leaves_no_system_and_can_be_repeated(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: float
):
    target, real, flushes = tmp_path / "fleet", os.fsync, []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: (flushes.append(descriptor), real(descriptor)))
        import_published(published, tmp_path / "counted")
    code = f"""
import os, sys
real, calls = os.fsync, 0
def fsync(descriptor):
    global calls
    calls += 1
    if calls == {int(part * len(flushes))}:
        os.kill(os.getpid(), 9)
    real(descriptor)
os.fsync = fsync
from munet.importing import import_published
import_published(sys.argv[1], sys.argv[2])
"""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    ended = subprocess.run([sys.executable, "-c", code, str(published), str(target)], env=environment, check=False)
    assert ended.returncode == -9
    assert not target.exists()
    summary = import_published(published, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counted", "fleet", "published"]
    assert munet.System.open(target).fsck().ok
    assert summary["tasks"] == 3


def test_progress_counts_up_to_the_end(published: Path, tmp_path: Path):
    calls: list[tuple[int, int]] = []
    prepare(published).write(tmp_path / "fleet", lambda done, total: calls.append((done, total)))
    assert calls == sorted(calls)
    assert len({total for _, total in calls}) == 1
    assert calls[-1][0] == calls[-1][1]


def test_an_empty_folder_may_become_the_system(published: Path, tmp_path: Path):
    (tmp_path / "fleet").mkdir()
    assert import_published(published, tmp_path / "fleet")["tasks"] == 3
    with pytest.raises(StoreError), staged(tmp_path / "fleet"):
        pytest.fail("a taken place must not be offered")


def test_memory_is_that_of_a_layer_and_not_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """40 blocks of 1.8 MB in one file: peak memory grows by a few of them, not by all."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process's own memory is read from /proc, which this system does not have")
    for name, value in {"WIDTH": 192, "HEADS": 3, "HIDDEN": 768}.items():
        monkeypatch.setattr(published_tools, name, value)
    folder = write_mu2net(many_blocks(36), tmp_path / "published")
    size = (folder / "state_4_0" / "checkpoint_4_0").stat().st_size
    assert size > 70e6
    # ru_maxrss would be that of the process which started it
    code = """
import re, sys
import torch, safetensors.torch, munet.importing.convert, munet.model.network, munet.roots.flax_layers

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

before = peak()
munet.importing.import_published(sys.argv[1], sys.argv[2])
print(peak() - before)
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(folder), str(tmp_path / "fleet")]
    ended = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(SOURCES)}, check=True, capture_output=True, text=True
    )
    assert 0 < int(ended.stdout) < size / 3


def many_blocks(count: int) -> Published:
    """The small system with `count` more tasks, each with a block of its own."""
    system, draw = small_system(), Draws(9)
    like = system.path("mnist")
    for number in range(count):
        id = 1000 + number
        system.components[id] = ("encoderblock_0", draw.block())
        components = [id if system.components[other][0] == "encoderblock_0" else other for other in like.components]
        system.population.append(replace(like, id=id, task=f"task-{number}", components=components, accounted=None))
    return system


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Exit code, standard output and standard error of a command line."""
    monkeypatch.setenv("COLUMNS", "120")

    def command(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def test_commands(published: Path, tiny_npz: Path, tmp_path: Path, run: Run):
    fleet = str(tmp_path / "fleet")
    code, out, err = run("import", "mu2net", str(published), fleet, "--data", f"cmaterdb/bangla=npz:{tiny_npz}")
    assert code == 0, err
    assert "note: the root has 2 blocks above the 2 that its children use" in err
    assert f"{fleet}: 3 tasks of " in out
    assert "15 layers" in out
    assert "mean accuracy: validation 80.00 %, test 78.00 %" in out
    assert "history of 6 models" in out
    assert f"Next: munet attach {fleet} emnist-digits SOURCE" in out
    code, _, err = run("import", "mu2net", str(published), fleet)
    assert (code, err.count("\n")) == (2, 1)
    assert "is already a munet system" in err
    code, out, _ = run("import", "mu2net", str(published), str(tmp_path / "more"), "--json")
    assert json.loads(out)["without_data"] == ["emnist-digits", "cmaterdb-bangla", "mnist"]
    code, out, err = run("attach", str(tmp_path / "more"), "cmaterdb-bangla", f"npz:{tiny_npz}")
    assert code == 0, err
    assert f"Next: munet evaluate {tmp_path / 'more'} --task cmaterdb-bangla" in out
    for words in (["status", fleet], ["log", fleet, "mnist"], ["show", fleet, "cmaterdb-bangla"], ["fsck", fleet]):
        assert run(*words)[0] == 0


def test_command_refuses_malformed_data_options(published: Path, tmp_path: Path, run: Run):
    for words in (["--data", "mnist"], ["--data", "mnist=npz:a", "--data", "mnist=npz:b"]):
        code, _, err = run("import", "mu2net", str(published), str(tmp_path / "fleet"), *words)
        assert (code, err.count("\n")) == (2, 1)
        assert "--data mnist" in err
    write_message(published / "state_4_0" / "checkpoint_4_0", {"head:1": {"kernel": np.zeros(3)}})
    code, _, err = run("import", "mu2net", str(published), str(tmp_path / "fleet"))
    assert (code, err.count("\n")) == (2, 1)
    assert not (tmp_path / "fleet").exists()
