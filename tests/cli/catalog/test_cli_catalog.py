"""`munet catalog`, and `munet add --catalog`."""

import json
import shutil
from pathlib import Path

import pytest

from cli_tools import Run, drawn, fits
from munet.catalog import benchmark_names, benchmarks_of, find_tasks, load_benchmark
from munet.cli.catalog.view import benchmark_view, benchmarks_view, task_view
from munet.system import System


@pytest.fixture
def data(tiny_npz: Path, tmp_path: Path) -> Path:
    """A data folder with two of the sets of mccb-local; their images are others."""
    folder = tmp_path / "data"
    for name in ("mnist", "kmnist10k"):
        shutil.copytree(tiny_npz, folder / name)
    return folder


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet"
    System.create(path, "random:vit_tiny_patch16_224", depth=1, image_size=32)
    return path


@pytest.mark.parametrize("width", [80, 100, 150])
@pytest.mark.parametrize("name", benchmark_names())
def test_every_benchmark_fits_and_no_name_is_cut(name: str, width: int):
    one = load_benchmark(name)
    text = drawn(benchmark_view(one, one.tasks, width), width)
    assert fits(text, width)
    if width >= 100:
        rows = {line.split()[0] for line in text.splitlines() if line.strip()}
        assert {task.name for task in one.tasks} <= rows


def test_the_list_names_every_benchmark():
    text = drawn(benchmarks_view([load_benchmark(name) for name in benchmark_names()], 100), 100)
    assert all(name in text for name in benchmark_names())
    assert "124" in text


def test_notes_stand_below_the_table():
    one = load_benchmark("mccb")
    text = drawn(benchmark_view(one, one.tasks, 100), 100)
    mark = next(line for line in text.splitlines() if line.startswith("omniglot ")).split()[1]
    assert f"{mark} LEAK: every validation and test image is in train too" in text
    one = load_benchmark("vtab-full")
    assert "imagenet_v2:test" not in drawn(benchmark_view(one, one.tasks, 100), 100)
    one = load_benchmark("vit")
    assert "imagenet_v2:test" in drawn(benchmark_view(one, one.tasks, 150), 150)


def test_one_task_is_shown_with_the_source_of_every_value():
    (task,) = [found for found in find_tasks("kitti-vehicles") if found.name == "vtab-kitti-vehicles"]
    text = drawn(task_view(task, benchmarks_of(task), 100), 100)
    assert "vtab-kitti-vehicles: kitti/count_vehicles (vtab-full, set-a, all)" in text
    for word in ("76.93", "tfds:kitti", "labels are computed", "task_adaptation", "6,347"):
        assert word in text
    assert fits(text, 100)


def test_the_command_lists_filters_and_prints_json(run: Run):
    assert [row["name"] for row in json.loads(run("catalog", "--json")[1])] == benchmark_names()
    found = json.loads(run("catalog", "--set", "b", "--task", "imagenet", "--json")[1])
    assert [row["name"] for row in found] == [
        "web-labels-red", "web-labels-blue", "imagenet-a", "imagenet-lt", "imagenet-r", "imagenet-sketch",
        "imagenette",
    ]  # fmt: skip
    assert found[2]["reference"] == {"validation": 0.8778, "test": 0.8453}
    one = json.loads(run("catalog", "mccb", "--task", "mnist", "--json")[1])
    assert (one["name"], [row["name"] for row in one["tasks"]]) == ("mccb", ["mnist"])
    assert "hf:ylecun/mnist" in run("catalog", "mccb", "--task", "mnist")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("catalog", "mcb"), "unknown benchmark 'mcb' (did you mean 'mccb'?)"),
        (("catalog", "mccb", "--task", "minst"), "no task of mccb is called so (did you mean 'mnist'?)"),
        (("catalog", "--set", "c"), "unknown task set 'c'"),
        (("add", "x"), "NAME and SOURCE are missing; or say --all DIR, --list FILE or --catalog BENCHMARK"),
        (("add", "x", "y"), "SOURCE is missing"),
        (("add", "x", "y", "npz:z", "--data", "."), "--data cannot be given here: it goes with --catalog"),
        (("add", "x", "y", "--catalog", "mccb"), "NAME cannot be given here"),
        (("add", "x", "--catalog", "mccb", "--train", "train"), "--train cannot be given here"),
    ],
)
def test_bad_words_are_one_line(words: tuple[str, ...], message: str, run: Run):
    code, _, err = run(*words)
    assert code == 2
    assert err.startswith("munet: error: ")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_group_is_added_whole_or_what_can_be_had_of_it(
    fleet: Path, data: Path, run: Run, monkeypatch: pytest.MonkeyPatch
):
    code, _, err = run("add", fleet, "--catalog", "mccb-local", "--data", data)
    assert code == 2
    assert "note: letters_az6k cannot be had: there is no" in err
    assert "6 of 8 tasks of mccb-local cannot be had, nothing was added" in err.splitlines()[-1]
    assert System.open(fleet).tasks == []

    words = ("add", fleet, "--catalog", "mccb-local", "--data", data, "--skip-missing")
    found = json.loads(run(*words, "--only", "mnist", "--only", "letters_az6k", "--json")[1])
    assert [record["name"] for record in found["added"]] == ["mnist"]
    assert (found["present"], found["missing"]) == ([], ["letters_az6k"])

    monkeypatch.setenv("MUNET_DATA", str(data))
    code, out, err = run("add", fleet, "--catalog", "mccb-local", "--only", "mnist", "--only", "kmnist10k")
    assert code == 0
    assert f"kmnist10k: 3 classes; train 90 (train), validation 30 (validation), test 30 (test); npz:{data}" in out
    assert "1 task added, 1 already there. Next: munet evolve" in out
    assert "note: kmnist10k: 3 classes, the catalog has 10" in err
    assert "note: kmnist10k: 90 train images, the catalog has 7,500" in err
    assert System.open(fleet).tasks == ["mnist", "kmnist10k"]


def test_what_only_asks_for_must_be_there(fleet: Path, data: Path, run: Run):
    _, _, err = run("add", fleet, "--catalog", "mccb-local", "--only", "mnst", "--data", data)
    assert "--only mnst: mccb-local has no such task (did you mean 'mnist'?)" in err


def test_a_leak_is_told_when_its_task_is_added(fleet: Path, tiny_npz: Path, tmp_path: Path, run: Run):
    shutil.copytree(tiny_npz, tmp_path / "sets" / "omniglot")
    words = ("add", fleet, "--catalog", "omniglot-forms", "--data", tmp_path / "sets")
    code, _, err = run(*words, "--only", "omniglot-paper")
    assert code == 0
    assert "note: omniglot-paper: LEAK: every validation and test image is in train too" in err
