"""Scores, what an allocation amounts to, summaries, and the separate evaluation of checkpoints."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from munet.allocation.data.examples import Examples
from munet.allocation.data.tasks import TaskData
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import FixedAllocation
from munet.allocation.routing.fallback import FallbackAllocation
from munet.allocation.runs.evaluate import evaluate_run
from munet.allocation.runs.folder import RunFolder, best_round
from munet.allocation.runs.perform import configured, perform
from munet.allocation.runs.summaries import present, report
from munet.allocation.training.scores import empty_rows, grouped_similarity, mean_entropy, score, scores, used_matrices
from munet.allocation.training.trainer import train
from munet.errors import InputError
from run_tools import NAMES, QUICK, image_network, image_tasks, learned, line_tasks

TINY: dict[str, Any] = {"train": 60, "validation": 30, "test": 30, "dimension": 6}


class Known(nn.Module):
    """A head that answers with the inputs themselves."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def task(inputs: np.ndarray, targets: np.ndarray, classes: int) -> TaskData:
    return TaskData("t", "c", classes, dict.fromkeys(("train", "test"), Examples(inputs, targets)))


def test_accuracy_is_correct_over_all_the_last_partial_batch_included() -> None:
    inputs = np.eye(3, dtype=np.float32)[np.arange(1000) % 3]
    targets = np.arange(1000) % 3
    targets[:130] = (targets[:130] + 1) % 3
    network = MultitaskNetwork([], [Known()])
    assert score(network, [], 0, task(inputs, targets, 3), "test", "cpu") == 0.87


def test_regression_is_measured_by_the_share_of_variance() -> None:
    rng = np.random.default_rng(0)
    targets = rng.normal(5, 2, 1000).astype(np.float32)
    network = MultitaskNetwork([], [Known()])
    assert score(network, [], 0, task(targets[:, None], targets, 0), "test", "cpu") == 1.0
    mean = np.full((1000, 1), targets.mean(), np.float32)
    assert score(network, [], 0, task(mean, targets, 0), "test", "cpu") == pytest.approx(0, abs=1e-5)
    off = targets[:, None] + np.where(np.arange(1000) % 2, 1, -1)[:, None].astype(np.float32)
    expected = 1 - 1 / targets.var()
    assert score(network, [], 0, task(off, targets, 0), "test", "cpu") == pytest.approx(expected, abs=1e-4)


def test_a_split_that_is_not_there_is_named() -> None:
    held = task(np.zeros((2, 1), np.float32), np.zeros(2, np.float32), 0)
    with pytest.raises(InputError, match="task t has no validation examples: it has train, test"):
        score(MultitaskNetwork([], [Known()]), [], 0, held, "validation", "cpu")
    assert present([held]) == ["train", "test"]
    assert present([held], train=False) == ["test"]


def test_evaluation_draws_nothing_and_leaves_no_gradient() -> None:
    network, allocation, tasks = image_network(), learned(), image_tasks()
    network.train()
    before = torch.get_rng_state()
    first = scores(network, allocation, tasks, "test")
    assert scores(network, allocation, tasks, "test") == first
    assert torch.equal(before, torch.get_rng_state())
    assert list(first) == list(NAMES)


def test_similarity_is_split_by_cluster() -> None:
    matrix = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]], bool)
    found = grouped_similarity([matrix[:, :2], matrix[:, 2:]], ["a", "a", "b", "b"])
    assert found["within"] == pytest.approx((1 + 1 / np.sqrt(2)) / 2)
    assert found["across"] == 0
    assert grouped_similarity([matrix], ["a"] * 4)["across"] is None
    assert grouped_similarity([], ["a", "a"]) == {"within": None, "across": None}


def test_ties_are_on_and_empty_rows_are_counted() -> None:
    allocation = learned()  # all at 0.5
    assert all(matrix.all() for matrix in used_matrices(allocation))
    assert mean_entropy(allocation) == pytest.approx(np.log(2))
    with torch.no_grad():
        allocation.logits[1, :4] = torch.tensor([-2.0, -1, -3, -4])
    assert empty_rows(allocation) == 1
    assert not used_matrices(allocation)[0][1].any()


def test_the_fallback_uses_the_likeliest_of_an_empty_layer_in_evaluation_only() -> None:
    kept, plain = FallbackAllocation(NAMES, (4, 4)), learned()
    for allocation in (kept, plain):
        with torch.no_grad():
            allocation.logits[1, :4] = torch.tensor([-2.0, -1, -3, -4])
    assert used_matrices(kept)[0][1].tolist() == [False, True, False, False]
    assert empty_rows(kept) == 1, "it is still counted"
    assert used_matrices(kept)[0][0].all()
    assert kept.evaluation_weights(1)[0].tolist() == [0, 1, 0, 0]
    drawn = [each.weights(1, step=9, generator=torch.Generator().manual_seed(3)) for each in (kept, plain)]
    assert all(torch.equal(*pair) for pair in zip(*drawn, strict=True))


def test_a_report_adds_up() -> None:
    matrix = torch.tensor([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]])
    allocation = FixedAllocation(NAMES, [matrix, matrix], normalize=True)
    found = report(image_network(), allocation, image_tasks(), ["test"], round=3)
    assert found["means"]["test"] == pytest.approx(np.mean(list(found["scores"]["test"].values())))
    assert (found["round"], found["fraction_used"]) == (3, 0.375)
    assert found["used"] == {"red-a": 0.5, "red-b": 0.5, "blue-a": 0.25, "blue-b": 0.25}
    assert sum(found["accounted_parameters"].values()) == pytest.approx(found["parameters_used"])
    assert len(found["unused_components"]) == 2
    unused = (4 * 9 + 4) + (4 * 4 * 9 + 4)
    assert found["parameters_in_all"] - found["parameters_used"] == unused
    assert found["flops"]["red-a"] > found["flops"]["blue-a"]


def test_the_summary_tests_the_best_and_the_last_checkpoint(tmp_path: Path) -> None:
    network, allocation, tasks = image_network(), learned(), image_tasks()
    summary = train(network, allocation, tasks, replace(QUICK, rounds=24), tmp_path)
    folder = RunFolder(tmp_path)
    assert summary == folder.summary()
    best = best_round(folder.metrics())
    assert (summary["best"]["round"], summary["last"]["round"]) == (best, 24)
    assert set(summary["best"]["scores"]) == {"train", "validation", "test"}
    line = next(line for line in folder.metrics() if line["round"] == best)
    assert summary["best"]["scores"]["validation"] == line["validation"]
    assert summary["best"]["fraction_used"] == line["fraction_used"]
    assert summary["best"]["scores"]["test"] == scores(network, allocation, tasks, "test"), "the best is what is left"
    assert summary["samples"] == 24 * 4 * 8
    with np.load(tmp_path / "allocation.npz") as arrays:
        assert arrays["rounds"].tolist() == [4, 8, 12, 16, 20, 24]
        assert arrays["history_0"].shape == (6, 4, 4)
        assert np.array_equal(arrays["greedy_1"], used_matrices(allocation)[1])
        assert arrays["tasks"].tolist() == list(NAMES)
        assert int(arrays["round"]) == best


def test_without_validation_the_last_checkpoint_counts(tmp_path: Path) -> None:
    tasks = [replace(t, splits={part: t.splits[part] for part in ("train", "test")}) for t in image_tasks()]
    summary = train(image_network(), learned(), tasks, QUICK, tmp_path)
    assert summary["best"] == summary["last"]
    assert summary["best"]["round"] == 12
    assert "validation" not in summary["best"]["means"]
    assert "mean_validation" not in RunFolder(tmp_path).metrics()[0]


def test_regression_tasks_have_a_score() -> None:
    from munet.allocation.network.models import synthetic

    tasks = line_tasks(60)
    network = synthetic(4, 8, torch.Generator().manual_seed(0), width=8)
    allocation = FixedAllocation.shared_bottom([task.name for task in tasks], network.routed_sizes, normalize=True)
    summary = train(network, allocation, tasks, replace(QUICK, evaluate_train=False))
    assert summary["measure"] == "score"
    assert set(summary["best"]["scores"]) == {"validation", "test"}


# The separate evaluation


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the synthetic experiment with four checkpoints."""
    out = tmp_path_factory.mktemp("run") / "run"
    config = configured("synthetic", preset_name="smoke", rounds=8, evaluate_every=2, threads=1, data=TINY)
    perform(config, out, device="cpu")
    return out


def test_evaluating_all_checkpoints_finds_what_training_found(finished: Path) -> None:
    seen = []
    found = evaluate_run(finished, "all", device="cpu", progress=lambda done, total: seen.append((done, total)))
    summary = RunFolder(finished).summary()
    assert summary is not None
    assert [each["round"] for each in found["checkpoints"]] == [2, 4, 6, 8]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    validations = [line["mean_validation"] for line in RunFolder(finished).metrics()]
    assert [each["means"]["validation"] for each in found["checkpoints"]] == validations
    assert all(set(each["scores"]) == {"validation"} for each in found["checkpoints"]), "only the chosen one is tested"
    assert found["chosen"]["round"] == summary["best"]["round"]
    assert found["chosen"] == summary["best"]


@pytest.mark.parametrize("which", ["best", "last"])
def test_evaluating_one_checkpoint_gives_what_the_summary_says(which: str, finished: Path) -> None:
    found = evaluate_run(finished, which, device="cpu")
    summary = RunFolder(finished).summary()
    assert summary is not None
    assert found["chosen"] == summary[which]
    assert found["checkpoints"] == [found["chosen"]]


def test_a_checkpoint_without_weights_is_named(tmp_path: Path, finished: Path) -> None:
    config = configured("synthetic", preset_name="smoke", rounds=8, evaluate_every=2, threads=1, keep="best", data=TINY)
    perform(config, tmp_path / "run", device="cpu")
    with pytest.raises(InputError, match=r"the checkpoint of round \d has no weights any more"):
        evaluate_run(tmp_path / "run", "all", device="cpu")
    assert evaluate_run(tmp_path / "run", "last", device="cpu")["chosen"]["round"] == 8


def test_runs_from_python_are_evaluated_there(tmp_path: Path) -> None:
    train(image_network(), learned(), image_tasks(), QUICK, tmp_path)
    with pytest.raises(InputError, match="made from Python"):
        evaluate_run(tmp_path)
