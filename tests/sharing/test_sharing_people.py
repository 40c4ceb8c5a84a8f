"""Two people with real, tiny systems and a remote: from `munet clone` to a prediction."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import munet
from cli_tools import Run
from golden_ids import images
from growing import evolve
from munet.errors import InputError, StoreError
from munet.sharing.remotes import add_remote

QUICK = {"method": "head-only", "threads": 1, "executor": "local"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system with one task and its model; only copies of it are changed."""
    folder = tmp_path_factory.mktemp("shared")
    system = munet.System.create(folder / "alice", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(folder / "bars", 3)
    system.add_task("bars", f"npz:{folder / 'bars'}")
    evolve(system, **QUICK)
    return folder


@pytest.fixture
def alice(made: Path, tmp_path: Path) -> munet.System:
    return munet.System.open(shutil.copytree(made / "alice", tmp_path / "alice"))


def test_from_one_person_to_another_by_commands(alice: munet.System, made: Path, tmp_path: Path, run: Run) -> None:
    mine, shared, bobs = alice.path, tmp_path / "share" / "fleet", tmp_path / "bob"
    assert "nothing there yet" in run("remote", "add", mine, "origin", shared)[1]
    code, out, err = run("push", mine)
    assert (code, err) == (0, "")
    assert out.startswith("bars: new there; it retains ")
    assert run("push", mine)[1].splitlines() == ["bars: the same", "1 task, nothing new"]
    code, out, _ = run("clone", shared, bobs)
    assert (code, out.splitlines()[-1]) == (0, f"Next: munet status {bobs}")
    assert run("fsck", bobs)[0] == 0
    bob = munet.System.open(bobs)
    picture = np.load(made / "bars" / "test.npz")["image"][:4, ..., None]
    assert (bob.predict("bars", picture).probabilities == alice.predict("bars", picture).probabilities).all()
    assert munet.System.open(shared).predict("bars", picture).classes, "a remote in a folder is a system"

    code, _, err = run("evolve", bobs, "bars")
    assert code == 2
    assert "munet task move SYSTEM bars SOURCE" in err
    assert run("task", "move", bobs, "bars", f"npz:{made / 'bars'}")[0] == 0
    evolve(munet.System.open(bobs), **QUICK, seed=3)
    code, out, _ = run("push", bobs, "--json")
    assert code == 0
    assert str(bob.task("bars")["model"]) in out
    assert "bars: " in run("fetch", mine)[1]
    assert run("log", mine, "bars", "--remote", "origin")[1].splitlines()[2].endswith("retained  known ")
    assert run("pull", mine)[0] == 0
    assert alice.task("bars")["model"] == bob.task("bars")["model"]
    assert run("remote", "list", bobs)[1] == f"origin: {shared}\n"
    assert "stays as it is there" in run("remote", "remove", bobs, "origin")[1]
    code, _, err = run("pull", bobs)
    assert (code, f"munet remote add {bobs} origin URL" in err) == (2, True)


def test_a_clone_that_was_cut_off_goes_on_and_another_system_is_left_alone(alice: munet.System, tmp_path: Path) -> None:
    bob = munet.System.clone(str(alice.path), tmp_path / "bob")
    model = bob.task("bars")["model"]
    bob.store.remove_task("bars")
    again = munet.System.clone(str(alice.path), tmp_path / "bob")
    assert again.task("bars")["model"] == model
    other = munet.System.clone(str(alice.path), tmp_path / "other")
    with pytest.raises(StoreError, match="already a munet system"):
        munet.System.clone(str(other.path), tmp_path / "bob")


def test_a_part_stays_a_part(alice: munet.System, tmp_path: Path, made: Path) -> None:
    alice.add_task("more", f"npz:{made / 'bars'}", allow_duplicates=True)
    bob = munet.System.clone(str(alice.path), tmp_path / "bob", tasks=["bars"])
    bob.pull()
    assert bob.tasks == ["bars"]
    bob.pull(["more"])
    assert bob.tasks == ["bars", "more"]


def test_publishing_is_a_deliberate_act(alice: munet.System, tmp_path: Path, made: Path) -> None:
    alice.add_task("patients", f"npz:{made / 'bars'}", private=True, allow_duplicates=True)
    bob = munet.System.clone(str(alice.path), tmp_path / "bob")
    assert bob.tasks == ["bars"]
    add_remote(alice.store, "origin", str(bob.path))
    with pytest.raises(InputError, match=r"is private.*--publish"):
        alice.push(["patients"])
    with pytest.raises(InputError, match="name them"):
        alice.push(publish=True)
    alice.push(["patients"], publish=True)
    assert bob.tasks == ["bars", "patients"]
