"""Two people with real, tiny systems and a remote: from `munet clone` to a prediction."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import munet
from cli_tools import Run
from golden_ids import images
from growing import evolve
from munet.errors import InputError, StoreError
from munet.model.loader import ModelLoader
from munet.report.page.payload import payload
from munet.sharing.copying import Copied, copy_root
from munet.sharing.folder import FolderPlace
from munet.sharing.remotes import add_remote
from munet.store import Store
from munet.store.retained import history_of
from retaining import retain_another
from ssh_keys import allow, make_key, needs_ssh_keygen

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


def root_of(system: munet.System, made: Store) -> str:
    """The root of another system, with its layers."""
    return copy_root(FolderPlace(system.store), FolderPlace(made), Copied())


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


def test_two_tasks_of_one_name_live_on_side_by_side(alice: munet.System, made: Path, tmp_path: Path) -> None:
    bob = munet.System(alice.store.create(tmp_path / "bob", lambda store: root_of(alice, store)))
    images(tmp_path / "others", 4)
    bob.add_task("bars", f"npz:{tmp_path / 'others'}")
    evolve(bob, **QUICK, seed=2)
    picture = np.load(made / "bars" / "test.npz")["image"][:4, ..., None]
    hers, his = alice.predict("bars", picture).probabilities, bob.predict("bars", picture).probabilities
    explained = bob.explain("bars")
    bob.merge(alice, renamed={"bars": "bars-alice"})
    assert (bob.predict("bars-alice", picture).probabilities == hers).all()
    bob.remove_task("bars-alice")
    bob.merge(alice, theirs=["bars"])
    assert (bob.predict("bars", picture).probabilities == hers).all()
    assert (bob.predict("bars-mine", picture).probabilities == his).all()
    assert bob.explain("bars-mine") == {**explained, "task": "bars-mine"}
    with pytest.raises(InputError, match=r"no run of .* made the model of 'bars'"):
        bob.explain("bars")
    before = bob.task("bars-mine")["model"]
    evolve(bob, ["bars-mine"], **QUICK, seed=5)
    assert [entry["task"] for entry in bob.log("bars-mine")][:-1] == ["bars-mine"] * (len(bob.log("bars-mine")) - 1)
    assert before in history_of(bob.task("bars-mine"))
    assert bob.fsck().ok
    assert payload(bob.history())


@needs_ssh_keygen
def test_a_head_that_is_signed_reaches_those_who_require_it_and_one_that_is_changed_does_not(
    alice: munet.System, made: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, shared = make_key(tmp_path / "keys", "alice"), tmp_path / "fleet"
    allowed = allow(tmp_path / "allowed_signers", key)
    run("remote", "add", alice.path, "origin", shared)
    assert run("push", alice.path)[0] == 0
    code, _, err = run("clone", shared, tmp_path / "bob", "--require-signed", allowed)
    assert (code, err.count("\n"), "is not signed" in err) == (2, 1, True)
    assert not (tmp_path / "bob").exists(), "nothing half written"

    monkeypatch.setenv("MUNET_SIGN", str(key))
    assert run("push", alice.path)[:2] == (0, "bars: taken over; it retains " + _retained(alice) + "\n")
    assert run("clone", shared, tmp_path / "bob", "--require-signed", allowed)[0] == 0
    assert run("remote", "list", tmp_path / "bob")[1] == f"origin: {shared}, signed by {allowed}\n"
    assert "signed by alice@lab" in run("show", tmp_path / "bob", "bars")[1]
    assert "alice@lab" in run("log", tmp_path / "bob", "bars")[1].splitlines()[2]
    assert "alice@lab" in run("log", tmp_path / "bob", "--remote", "origin")[1]
    bob = munet.System.open(tmp_path / "bob")
    assert payload(bob.history())["tasks"][0]["by"].endswith(", signed by alice@lab: accuracies claimed")
    assert run("sign", alice.path)[1] == "nothing to sign: this key has signed all that is there\n"

    monkeypatch.delenv("MUNET_SIGN")
    before, record = bob.task("bars"), alice.task("bars")
    model, known = str(record["model"]), history_of(record)
    words = {**known, model: {**known[model], "by": [*known[model]["by"], "zoe"]}}
    alice.store.write_task({**record, "retained": words})  # pyright: ignore[reportArgumentType]
    assert run("push", alice.path)[0] == 0
    code, _, err = run("pull", tmp_path / "bob")
    assert (code, err.count("\n"), "not signed" in err) == (2, 1, True)
    assert bob.task("bars") == before
    code, out, _ = run("sign", alice.path, "bars", "--key", key, "--json")
    assert (code, json.loads(out)) == (0, [{"task": "bars", "model": model}])
    assert run("merge", tmp_path / "bob", alice.path, "--require-signed", allowed)[0] == 0
    assert bob.task("bars").get("retained") == words


def _retained(system: munet.System) -> str:
    entry = system.log("bars")[0]
    return f"{entry['model'][:10]} ({entry['validation_accuracy'] * 100:.2f} on validation, by {entry['by'][0]})"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("remote", "add", "S", "o", "/nowhere/fleet", "--require-signed", "/nowhere/signers"), "/nowhere/signers"),
        (("sign", "S", "--key", "/nowhere/key"), "/nowhere/key is no SSH key"),
        (("sign", "S"), "MUNET_SIGN"),
        (("push", "S", "--sign", "/nowhere/key"), "/nowhere/key is no SSH key"),
        (("merge", "S", "S", "--require-signed", "/nowhere/signers"), "/nowhere/signers"),
        (("clone", "S", "T", "--require-signed", "/nowhere/signers"), "/nowhere/signers"),
    ],
)
def test_a_key_or_a_file_that_is_not_there_is_one_line(
    alice: munet.System, tmp_path: Path, run: Run, words: tuple[str, ...], told: str
) -> None:
    run("remote", "add", alice.path, "origin", tmp_path / "fleet")
    places = {"S": str(alice.path), "T": str(tmp_path / "new")}
    code, out, err = run(*(places.get(word, word) for word in words))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "fleet").exists()


def _as_claimed(models: ModelLoader, record: object, candidates: list[str], device: str) -> tuple[dict[str, int], int]:
    """Models are as good on 1,000 images as their manifests say."""
    said = {model: models.manifest(model)["metrics"]["validation_accuracy"] for model in candidates}
    return {model: round(1000 * (accuracy or 0)) for model, accuracy in said.items()}, 1000


def test_accuracies_that_came_are_claims_until_they_are_measured_here(
    alice: munet.System, made: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    bobs = tmp_path / "bob"
    code, out, _ = run("clone", alice.path, bobs)
    assert (code, ", claimed by " in out) == (0, True)
    bob = munet.System.open(bobs)
    assert "claimed" not in alice.task("bars"), "what is measured here is no claim"
    assert "claimed: accuracies are" in run("status", bobs)[1]
    assert "bars claimed" in run("status", bobs)[1]
    assert ": claimed, not measured here" in run("show", bobs, "bars")[1]
    assert run("log", bobs, "bars")[1].count("claimed") == len(bob.log("bars")) - 1
    assert "claimed test %" in " ".join(run("log", bobs, "--remote", "origin")[1].split())
    assert "accuracies claimed" in json.dumps(payload(bob.history())["tasks"])
    assert ", claimed |" in run("card", bobs)[1]
    assert bob.history().tasks["claimed"].tolist() == [True]
    for word in ("status", "show", "log"):
        assert "claimed" not in run(word, alice.path, *(["bars"] if word != "status" else []))[1]
    bob.move_task("bars", f"npz:{made / 'bars'}")
    retain_another(alice, "bars", 8)
    mine = retain_another(bob, "bars", 9)
    assert mine not in (bob.task("bars").get("claimed") or [])
    bob.pull()
    theirs = str(alice.task("bars")["model"])
    assert theirs in (bob.task("bars").get("claimed") or [])
    monkeypatch.setattr("munet.inference.candidates.counts_of", _as_claimed)
    assert bob.judge("bars") is not None
    assert theirs not in (bob.task("bars").get("claimed") or [])
    add_remote(bob.store, "back", str(alice.path))
    code, out, _ = run("push", bobs, "--remote", "back")
    assert (code, "claimed" in out) == (0, False), "what I have measured is none in my own push"
