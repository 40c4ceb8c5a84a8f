"""The directory of a run: written whole, read with suspicion, compared before it is used."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from munet.allocation.runs.folder import RunFolder, best_round, differences
from munet.allocation.runs.sealed import read_tensors, write_tensors
from munet.allocation.training.trainer import train
from munet.errors import DamagedError, InputError, MunetError, StoreError
from munet.fs.locks import alone
from munet.fs.tree import Tree
from run_tools import QUICK, Stop, image_network, image_tasks, learned

REQUEST = {"method": "gumbel_matrix", "budget": 0.75, "threads": None}


def test_a_new_folder_is_begun_and_the_same_request_goes_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a" / "run")
    assert folder.compare(REQUEST) is None
    assert not folder.path.exists(), "comparing writes nothing"
    config = folder.begin(REQUEST, threads=3)
    assert (config["request"], config["threads"]) == (REQUEST, 3)
    assert {"torch", "numpy", "python"} <= set(config["versions"])
    assert folder.begin(REQUEST, threads=1) == config, "what it began with stays"


def test_another_configuration_is_one_line_that_names_what_differs(tmp_path: Path) -> None:
    RunFolder(tmp_path).begin(REQUEST, threads=1)
    with pytest.raises(InputError) as error:
        RunFolder(tmp_path).begin(REQUEST | {"budget": 1.0, "threads": 2}, threads=2)
    said = str(error.value)
    assert str(tmp_path) in said
    assert "budget is 0.75 there, 1.0 asked; threads is not set there, 2 asked" in said
    assert "method" not in said
    assert "\n" not in said


def test_differences_name_settings_that_only_one_has() -> None:
    assert differences({"old": True}, {"new": "x"}) == "new is not set there, x asked; old is true there, not set asked"
    assert differences({"a": 1, "b": None}, {"a": 1.0}) == ""


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds no run of munet allocation"):
        RunFolder(tmp_path).begin(REQUEST, threads=1)
    with pytest.raises(InputError, match="holds no run"):
        RunFolder(tmp_path / "thesis.txt").begin(REQUEST, threads=1)
    with pytest.raises(InputError, match=r"no config\.json"):
        RunFolder(tmp_path).config()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_configuration_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"request": ')
    with pytest.raises(DamagedError, match=r"config\.json is damaged"):
        RunFolder(tmp_path).compare(REQUEST)


def test_tensors_come_back_and_views_do_not_take_their_whole_base_along(tmp_path: Path) -> None:
    base = torch.arange(100_000, dtype=torch.float32)
    write_tensors(
        Tree(tmp_path),
        tmp_path / "a.pt",
        {"part": base[10:20].view(2, 5), "deep": [{"step": torch.tensor(3.0)}], "round": 7},
    )
    assert (tmp_path / "a.pt").stat().st_size < 10_000
    held = read_tensors(Tree(tmp_path), tmp_path / "a.pt")
    assert torch.equal(held["part"], base[10:20].view(2, 5))
    assert (held["round"], held["deep"][0]["step"].item()) == (7, 3.0)


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "gone"])
def test_a_damaged_checkpoint_is_one_line(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    write_tensors(Tree(tmp_path), file, {"x": torch.ones(1000)})
    data = file.read_bytes()
    file.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "other": b"hello" * 100, "gone": data}[damage])
    if damage == "gone":
        file.unlink()
    with pytest.raises(StoreError if damage == "gone" else DamagedError) as error:
        read_tensors(Tree(tmp_path), file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run. Only copy it."""
    place = tmp_path_factory.mktemp("trained") / "run"
    train(image_network(), learned(), image_tasks(), QUICK, place)
    return place


def contents(folder: RunFolder) -> list[object]:
    """All that a run's files hold, to be compared."""
    tensors = [folder.state(), *(folder.checkpoint(round) for round in folder.rounds())]
    with np.load(folder.path / "allocation.npz") as arrays:
        drawn = {name: arrays[name].tobytes() for name in arrays.files}
    return [folder.config(), folder.summary(), folder.metrics(), repr(tensors), drawn]


def outcome(folder: RunFolder, whole: list[object]) -> str:
    """What comes of reading all of a run: the error, or whether it is what it was."""
    try:
        return "as it was" if contents(folder) == whole else "something else"
    except MunetError as error:
        return str(error)


def flips(data: bytes, every: int) -> Iterator[bytes]:
    for place in range(0, len(data), every):
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


FILES = ["config.json", "summary.json", "metrics.jsonl", "state.pt", "checkpoints/round-8.pt"]


@pytest.mark.parametrize("file", FILES)
def test_a_flip_or_a_cut_anywhere_is_told_or_changes_nothing(trained: Path, tmp_path: Path, file: str) -> None:
    shutil.copytree(trained, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    path, whole = folder.path / file, contents(folder)
    data = path.read_bytes()
    told = 0
    cuts = [data[:length] for length in range(0, len(data), 1 + len(data) // 20)]
    for wrong in (*flips(data, 1 + len(data) // 100), *cuts):
        path.write_bytes(wrong)
        text = outcome(folder, whole)
        told += path.name in text
        assert text == "as it was" or path.name in text or (file == "metrics.jsonl" and wrong in cuts), text
    assert told > 50


@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_this_test_catches_checkpoints_without_a_checksum(trained: Path, tmp_path: Path) -> None:
    """As an older version wrote them: flips that are read as other weights."""
    shutil.copytree(trained, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    path = folder.path / "checkpoints" / "round-8.pt"
    torch.save(folder.checkpoint(8), path)
    whole, other = repr(folder.checkpoint(8)), 0
    for wrong in flips(path.read_bytes(), 97):
        path.write_bytes(wrong)
        try:
            other += repr(folder.checkpoint(8)) != whole
        except MunetError:
            continue
    assert other > 0


def test_a_checkpoint_in_the_place_of_another_is_told(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    shutil.copy(folder.path / "checkpoints" / "round-4.pt", folder.path / "checkpoints" / "round-8.pt")
    with pytest.raises(DamagedError, match=r"round-8\.pt is the checkpoint of round 4"):
        folder.checkpoint(8)


def test_a_torn_last_line_of_the_measurements_is_left_out_and_any_other_told(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    folder, path = RunFolder(tmp_path / "run"), tmp_path / "run" / "metrics.jsonl"
    lines, data = folder.metrics(), path.read_bytes()
    path.write_bytes(data[:-20])
    assert folder.metrics() == lines[:-1]
    path.write_bytes(data[:-1])
    assert folder.metrics() == lines
    path.write_bytes(data.replace(b'"round": 4', b'"round": 5'))
    with pytest.raises(DamagedError, match=r"metrics\.jsonl is damaged in line 1 .*: take it from a backup, or remove"):
        folder.metrics()


def test_runs_of_older_versions_are_read_as_before(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    whole = contents(folder)
    for path in (folder.path / "state.pt", *(folder.path / "checkpoints").iterdir()):
        torch.save(torch.load(path, weights_only=True), path)
    for name in ("config.json", "summary.json"):
        value = json.loads((folder.path / name).read_text())
        del value["sha256"]
        (folder.path / name).write_text(json.dumps(value))
    lines = [json.loads(line) for line in (folder.path / "metrics.jsonl").read_text().splitlines()]
    text = "".join(json.dumps({k: v for k, v in line.items() if k != "sha256"}) + "\n" for line in lines)
    (folder.path / "metrics.jsonl").write_text(text)
    assert contents(folder) == whole


def test_a_failed_write_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.write_state({"round": 1})

    def full(*arguments: object, **folders: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("munet.fs.atomic.os.replace", full)
    with pytest.raises(StoreError, match="the disk is full"):
        folder.write_state({"round": 2})
    assert folder.state() == {"round": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]


def test_checkpoints_hold_what_plots_need_and_can_be_read_without_trust(tmp_path: Path) -> None:
    train(image_network(), learned(), image_tasks(), QUICK, tmp_path)
    folder = RunFolder(tmp_path)
    assert folder.rounds() == [4, 8, 12]
    held = torch.load(tmp_path / "checkpoints" / "round-8.pt", weights_only=True)
    assert held["tasks"] == ["red-a", "red-b", "blue-a", "blue-b"]
    assert held["clusters"] == ["red", "red", "blue", "blue"]
    assert [len(names) for names in held["components"]] == [4, 4]
    for probabilities, greedy in zip(held["probabilities"], held["greedy"], strict=True):
        assert probabilities.shape == greedy.shape == (4, 4)
        assert torch.equal(greedy, probabilities >= 0.5)


def test_keep_best_drops_the_weights_of_the_others_but_no_allocation(tmp_path: Path) -> None:
    from dataclasses import replace

    train(image_network(), learned(), image_tasks(), replace(QUICK, rounds=24, keep="best"), tmp_path)
    folder = RunFolder(tmp_path)
    rounds = folder.rounds()
    assert rounds == [4, 8, 12, 16, 20, 24]
    with_weights = {round for round in rounds if folder.checkpoint(round)["network"] is not None}
    assert with_weights == {best_round(folder.metrics()), 24}
    assert all(folder.checkpoint(round)["allocation"] for round in rounds)


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(image_network(), learned(), image_tasks(), QUICK, tmp_path, stop=Stop(1))
    with alone(tmp_path / "lock", "training"), pytest.raises(StoreError, match="is already training"):
        train(image_network(), learned(), image_tasks(), QUICK, tmp_path)


def test_the_best_is_the_earliest_of_equals_and_the_last_without_validation() -> None:
    lines = [
        {"round": 4, "mean_validation": 0.5},
        {"round": 8, "mean_validation": 0.7},
        {"round": 12, "mean_validation": 0.7},
    ]
    assert best_round(lines) == 8
    assert best_round([{"round": 4}, {"round": 8}]) == 8
