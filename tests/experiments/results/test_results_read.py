"""Which runs are found, in which order, and what is said of those that cannot be shown."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_tools import TASKS, history, result, write
from munet.errors import DamagedError, InputError
from munet.experiments.results.read import Name, Place, benchmarks, budgets, find, in_order, read_result

EVEN = dict.fromkeys(TASKS, 0.5)


def test_a_result_is_read_as_it_was_written(tmp_path: Path):
    value = result("munet", 3, {"a": 0.5, "b": 0.75}, history=history(["a", "b"], 2, segments=["x", "y"]))
    read = read_result(write(tmp_path, value) / "result.json")
    assert (read.method, read.seed, read.budget) == ("munet", 3, "mini")
    assert read.accuracies("test") == {"a": 0.5, "b": 0.75}
    assert read.accuracies("validation") == {"a": 0.51, "b": 0.76}
    assert read.samples_per_task == 51_200
    assert read.total_flops == 4e13
    assert [moment.segment for moment in read.history] == ["x", "x", "y", "y"]
    assert read.tasks[0].splits["test"]["fingerprint"] == "a-test"


def test_what_a_later_munet_adds_is_ignored_and_a_newer_format_is_refused(tmp_path: Path):
    folder = write(tmp_path, result("munet", 0, EVEN) | {"mood": "good"})  # pyright: ignore[reportArgumentType]
    assert read_result(folder / "result.json").method == "munet"
    write(tmp_path, result("munet", 0, EVEN, format=2))  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=r"result\.json has format 2, this munet reads up to 1: update munet"):
        read_result(folder / "result.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "cut short or no JSON"),
        (json.dumps(result("munet", 0, EVEN))[:-50], "cut short or no JSON"),  # pyright: ignore[reportArgumentType]
        ("\xff\xfe", "cut short or no JSON"),
        ("[]", "is no result of a run: the file"),
        (json.dumps(result("munet", 0, EVEN) | {"tasks": []}), "tasks: "),  # pyright: ignore[reportArgumentType]
        (json.dumps(result("munet", 0, {"a": 1.5}, mean_test_accuracy=0)), "tasks.0.test_accuracy: "),
        (json.dumps(result("munet", 0, {"a": float("nan")})), "tasks.0.test_accuracy: "),
        (json.dumps({k: v for k, v in result("munet", 0, EVEN).items() if k != "samples"}), "samples: field required"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_damaged_file_gets_one_line_that_names_it(tmp_path: Path, text: str, expected: str):
    file = tmp_path / "result.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(DamagedError) as caught:
        read_result(file)
    message = str(caught.value)
    assert str(file) in message
    assert expected in message
    assert "run the experiment again" in message
    assert "\n" not in message


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """munet: seeds 0 and 2 finished, 1 begun. finetune-full: seed 0. mu2net: one that is damaged, one begun."""
    for method, seed in (("munet", 0), ("munet", 2), ("finetune-full", 0), ("mu2net", 0)):
        write(tmp_path, result(method, seed, EVEN))  # pyright: ignore[reportArgumentType]
    for begun in ("munet/1", "mu2net/1", "munet/.tmp-3", "munet/01"):
        (tmp_path / "toy/mini" / begun / "system").mkdir(parents=True)
    (tmp_path / "toy/mini/mu2net/0/result.json").write_text("{")
    write(tmp_path, result("munet", 0, EVEN, budget="small"))  # pyright: ignore[reportArgumentType]
    return tmp_path


def place(method: str, seed: int | None) -> Place:
    return Place("toy", "mini", method, seed)


def test_finished_unfinished_and_damaged_runs_are_told_apart(out: Path):
    found = find(out, "toy", "mini")
    assert [(r.method, r.seed) for r in found.results] == [("finetune-full", 0), ("munet", 0), ("munet", 2)]
    assert {name: len(runs) for name, runs in found.runs.items()} == {"finetune-full": 1, "munet": 2}
    assert found.unfinished == (place("munet", 1), place("mu2net", 1))
    assert found.missing == ()
    assert len(found.damaged) == 1
    assert "mu2net/0/result.json" in found.damaged[0]


def test_seeds_that_are_asked_for_are_shown_or_named(out: Path):
    found = find(out, "toy", "mini", ["munet", "finetune-full"], seeds=2)
    assert [(r.method, r.seed) for r in found.results] == [("munet", 0), ("finetune-full", 0)], (
        "seed 2 is not asked for"
    )
    assert found.unfinished == (place("munet", 1),)
    assert found.missing == (place("finetune-full", 1),)


def test_a_method_without_any_run_is_missing_and_one_that_cannot_be_is_refused(out: Path):
    found = find(out, "toy", "mini", ["adapters:64", "munet", "munet"])
    assert found.missing == (place("adapters:64", None),)
    assert len(found.results) == 2, "a method that is named twice is read once"
    with pytest.raises(InputError, match=r"did you mean 'munet'"):
        find(out, "toy", "mini", ["munett"])


def test_the_folders_name_a_run(out: Path):
    (out / "toy/mini/munet").rename(out / "toy/mini/munet-before")
    assert {r.method for r in find(out, "toy", "mini").results} == {"finetune-full", "munet-before"}


def test_names_that_are_not_there_get_the_nearest(out: Path):
    assert benchmarks(out) == ["toy"]
    assert budgets(out, "toy") == ["mini", "small"]
    with pytest.raises(InputError, match=r"has no runs of 'tooy' \(did you mean 'toy'\?\); there are: toy"):
        find(out, "tooy", "mini")
    with pytest.raises(InputError, match=r"no runs at budget 'smal' \(did you mean 'small'\?\); there is: mini, small"):
        find(out, "toy", "smal")
    with pytest.raises(InputError, match="no such folder"):
        benchmarks(out / "nowhere")
    (out / "empty").mkdir()
    with pytest.raises(InputError, match="no runs at all"):
        budgets(out / "empty", "toy")


def test_methods_come_baselines_first_and_small_before_large():
    wanted = [
        *("multi-head", "multi-head+preprocessing=none", "finetune-above:2", "finetune-above:1", "finetune-full"),
        *("finetune-full+preprocessing=none", "finetune-full+preprocessing=none+replicas=1"),
        *("adapters:8", "adapters:64", "adapters:512", "munet-no-autotune", "munet+scale=0.3", "munet+scale=0.9"),
        *("munet", "mu2net", "mu2net-plus+scale=0.02", "mu2net-plus", "another", "mine.toml"),
    ]
    assert in_order(reversed(wanted)) == wanted


WORDS = st.text("abcxyz0123456789.-", min_size=1, max_size=6)


@given(WORDS, st.none() | WORDS, st.dictionaries(WORDS, WORDS, max_size=3))
def test_a_name_is_the_sum_of_its_parts(base: str, argument: str | None, options: dict[str, str]):
    name = Name(base, argument, options)
    assert Name.of(str(name)) == name
