"""The directory of a run: written whole, read with suspicion, compared before it is used."""

from pathlib import Path

import pytest
import torch

from munet.allocation.runs.folder import RunFolder, best_round, differences, load, save
from munet.allocation.training.trainer import train
from munet.errors import InputError, StoreError
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
    with pytest.raises(StoreError, match=r"config\.json cannot be read"):
        RunFolder(tmp_path).compare(REQUEST)


def test_tensors_come_back_and_views_do_not_take_their_whole_base_along(tmp_path: Path) -> None:
    base = torch.arange(100_000, dtype=torch.float32)
    save(
        Tree(tmp_path),
        tmp_path / "a.pt",
        {"part": base[10:20].view(2, 5), "deep": [{"step": torch.tensor(3.0)}], "round": 7},
    )
    assert (tmp_path / "a.pt").stat().st_size < 10_000
    held = load(Tree(tmp_path), tmp_path / "a.pt")
    assert torch.equal(held["part"], base[10:20].view(2, 5))
    assert (held["round"], held["deep"][0]["step"].item()) == (7, 3.0)


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "gone"])
def test_a_damaged_checkpoint_is_one_line(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    save(Tree(tmp_path), file, {"x": torch.ones(1000)})
    data = file.read_bytes()
    file.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "other": b"hello" * 100, "gone": data}[damage])
    if damage == "gone":
        file.unlink()
    with pytest.raises(StoreError) as error:
        load(Tree(tmp_path), file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


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
