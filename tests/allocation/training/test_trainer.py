"""Joint training: going on to the same bits, what an update moves, penalties, what is learned."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from munet.allocation.data.tasks import TaskData
from munet.allocation.network.models import synthetic
from munet.allocation.routing.allocations import Allocation, FixedAllocation, LearnedAllocation
from munet.allocation.routing.penalties import expected_fraction
from munet.allocation.runs.folder import RunFolder
from munet.allocation.runs.perform import configured, make
from munet.allocation.training.joint import JointTrainer
from munet.allocation.training.measures import component_costs
from munet.allocation.training.optimisers import FlatAdam, RestingAdam, RowAdam
from munet.allocation.training.scores import grouped_similarity, used_matrices
from munet.allocation.training.settings import Settings
from munet.allocation.training.trainer import train
from munet.errors import InputError
from run_tools import NAMES, QUICK, Stop, image_network, image_tasks, learned, line_tasks, without_times


def trainer(settings: Settings = QUICK, allocation: Allocation | None = None, **options: Any) -> JointTrainer:
    return JointTrainer(image_network(**options), allocation or learned(), image_tasks(), settings)


def values(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def moved(before: dict[str, torch.Tensor], module: nn.Module) -> set[str]:
    return {name for name, tensor in module.state_dict().items() if not torch.equal(before[name], tensor)}


# Going on


def run(folder: Path, settings: Settings, *, stop: int | None = None, method: str = "gumbel_matrix") -> dict[str, Any]:
    allocation = learned() if method == "gumbel_matrix" else FixedAllocation.shared_bottom(NAMES, (4, 4))
    return train(image_network(), allocation, image_tasks(), settings, folder, stop=Stop(stop or 10**9))


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({}, "gumbel_matrix"),
        ({"inactive_gradients": "skip", "l2_penalty": 1e-3, "budget": 0.5, "budget_penalty": 1.0}, "gumbel_matrix"),
        ({"update": "per-round", "entropy_penalty": 0.1, "keep": "best"}, "gumbel_matrix"),
        ({"l2_penalty": 1e-3}, "shared_bottom"),
    ],
)
def test_a_run_that_goes_on_is_bitwise_the_one_that_never_stopped(
    changes: dict[str, Any], method: str, tmp_path: Path
) -> None:
    settings = replace(QUICK, **changes)
    whole = run(tmp_path / "whole", settings, method=method)
    for stop in (3, 2, 4):  # the first two between evaluations, the third after round 9
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "parts", settings, stop=stop, method=method)
    parts = run(tmp_path / "parts", settings, method=method)
    assert without_times(parts) == without_times(whole)
    one, other = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    assert one.metrics() == other.metrics()
    assert [line["round"] for line in one.metrics()] == [4, 8, 12]
    for name in ("network", "allocation"):
        for key, tensor in one.checkpoint(12)[name].items():
            assert torch.equal(tensor, other.checkpoint(12)[name][key]), key
    with np.load(tmp_path / "whole" / "allocation.npz") as a, np.load(tmp_path / "parts" / "allocation.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)


def test_what_lies_beyond_the_state_is_written_again(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", QUICK)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "crashed", QUICK, stop=6)
    folder = RunFolder(tmp_path / "crashed")
    folder.write_metrics(
        [*folder.metrics(), {"round": 8, "mean_validation": 2.0}]
    )  # as a kill before the state leaves it
    assert without_times(run(tmp_path / "crashed", QUICK)) == without_times(whole)
    assert folder.metrics() == RunFolder(tmp_path / "whole").metrics()


def test_a_finished_run_is_left_alone_and_its_best_is_loaded(tmp_path: Path) -> None:
    first = run(tmp_path, QUICK)
    network, allocation = image_network(1), learned()
    events = []
    again = train(
        network, allocation, image_tasks(), QUICK, tmp_path, observe=lambda event, fields: events.append(event)
    )
    assert (again, events) == (first, ["finished"])
    held = RunFolder(tmp_path).checkpoint(first["best"]["round"])
    assert moved(held["network"], network) == moved(held["allocation"], allocation) == set()


def test_no_result_depends_on_global_generators_nor_disturbs_them() -> None:
    results = []
    for seed in (1, 2):
        made = trainer(dropout=nn.Sequential(nn.Dropout(0.5)))  # PyTorch's own, where no generator reaches it
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        made.train_round()
        assert torch.equal(before, torch.get_rng_state())
        results.append(values(made.network))
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def test_seeds_make_different_runs() -> None:
    one, other = trainer(), trainer(replace(QUICK, seed=1))
    one.train_round()
    other.train_round()
    assert moved(values(one.network), other.network)


# What an update moves


def only_red(task: int) -> list[torch.Tensor]:
    """Red tasks have components 0 and 1 of each pool, blue ones 2 and 3."""
    row = [1.0, 1, 0, 0] if task < 2 else [0.0, 0, 1, 1]
    return [torch.tensor(row)] * 2


def fixed() -> FixedAllocation:
    matrix = torch.stack([only_red(task)[0] for task in range(4)])
    return FixedAllocation(NAMES, [matrix, matrix], normalize=True)


@pytest.mark.parametrize("inactive", ["zero", "skip"])
def test_only_zero_moves_what_a_task_does_not_use(inactive: str) -> None:
    made = trainer(replace(QUICK, inactive_gradients=inactive, l2_penalty=1e-3), fixed())
    made.train_round()  # gives everything momentum
    before = values(made.network)
    made._clear()
    made._update({0: made._gradients(0, 1)})
    theirs = {name for name in before if name.startswith(("heads.1", "heads.2", "heads.3"))}
    theirs |= {name for name in before for k in (2, 3) if f"components.{k}." in name}
    assert theirs
    assert moved(before, made.network) == set(before) - (theirs if inactive == "skip" else set())


@pytest.mark.parametrize("inactive", ["zero", "skip"])
def test_rows_of_other_tasks_rest_only_under_skip(inactive: str) -> None:
    made = trainer(replace(QUICK, inactive_gradients=inactive))
    made.train_round()
    before = made.allocation.logits.detach().clone()  # type: ignore[union-attr]
    made._clear()
    made._update({1: made._gradients(1, 1)})
    rows = (made.allocation.logits.detach() != before).any(dim=1).tolist()  # type: ignore[union-attr]
    assert rows == ([False, True, False, False] if inactive == "skip" else [True] * 4)


def test_no_sharing_under_skip_is_training_each_task_alone() -> None:
    """Components, heads and momentum of a task are as if the others were not there."""
    settings = replace(QUICK, inactive_gradients="skip")
    network = image_network()
    network.layers[1].requires_grad_(False)  # the norm is all that tasks would share
    together = JointTrainer(network, FixedAllocation.no_sharing(NAMES, (4, 4)), image_tasks(), settings)
    alone = image_network()
    alone.layers[1].requires_grad_(False)
    alone = JointTrainer(alone, FixedAllocation.no_sharing(NAMES, (4, 4)), image_tasks(), settings)
    for _ in range(3):
        together.step = alone.step = 0  # the same dropout in both
        together._clear()
        together._update({2: together._gradients(2, 1)})
        together.step = 0
        together._clear()
        together._update({0: together._gradients(0, 1)})
        alone._clear()
        alone._update({0: alone._gradients(0, 1)})
        together.round = alone.round = together.round + 1
    mine = {
        name: tensor for name, tensor in values(alone.network).items() if "components.0" in name or "heads.0" in name
    }
    assert mine
    assert all(torch.equal(tensor, together.network.state_dict()[name]) for name, tensor in mine.items())


@pytest.mark.parametrize(("update", "steps"), [("per-task", 8), ("per-round", 2)])
def test_updates_of_a_round(update: str, steps: int) -> None:
    made = trainer(replace(QUICK, update=update))
    for _ in range(2):
        made.train_round()
    assert (made.round, made.step, made.samples) == (2, steps, 64)
    assert made.settings.updates(4) == steps * 6


def test_one_update_of_a_round_is_of_the_mean_gradient() -> None:
    made = trainer(replace(QUICK, update="per-round"), fixed())
    gradients: list[torch.Tensor] = []
    for task in range(4):
        made._clear()
        made._gradients(task, 1)
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in made.network.parameters()]))  # type: ignore[union-attr]
    made._clear()
    for task in range(4):
        made._gradients(task, 4)
    found = torch.cat([parameter.grad.flatten() for parameter in made.network.parameters()])  # type: ignore[union-attr]
    torch.testing.assert_close(found, torch.stack(gradients).mean(dim=0))


# Optimisers


def parameters(seed: int) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((3, 4), (5,), (2, 2, 2))]


def test_flat_adam_is_adam_with_zero_gradients() -> None:
    mine, theirs, decays = parameters(0), parameters(0), [0.0, 0.1, 0.0]
    flat = FlatAdam(mine, 0.01, decays)
    plain = torch.optim.Adam(
        [{"params": [p], "weight_decay": decay} for p, decay in zip(theirs, decays, strict=True)], lr=0.01
    )
    for step in range(6):
        flat.zero_grad()
        for p, q in zip(mine, theirs, strict=True):
            q.grad = torch.zeros_like(q)
            if step % 2 == 0 or p is mine[0]:
                (p.sin() * (step + 1)).sum().backward()
                (q.sin() * (step + 1)).sum().backward()
        flat.step([], [])
        plain.step()
    for p, q in zip(mine, theirs, strict=True):
        torch.testing.assert_close(p, q)


def test_resting_adam_leaves_what_is_inactive_and_its_momentum() -> None:
    mine, theirs = parameters(0), parameters(0)
    resting = RestingAdam(mine, 0.01, [0.1] * 3)
    plain = torch.optim.Adam([theirs[0]], lr=0.01, weight_decay=0.1)
    before = mine[1].detach().clone()
    for _ in range(3):
        resting.zero_grad()
        torch.stack([p.sin().sum() for p in mine]).sum().backward()
        resting.step([], mine[1:])
        plain.zero_grad()
        theirs[0].sin().sum().backward()
        plain.step()
    torch.testing.assert_close(mine[0], theirs[0])
    assert torch.equal(mine[1], before)


def test_each_row_of_row_adam_is_an_adam_of_its_own() -> None:
    matrix, rows = nn.Parameter(torch.ones(3, 4)), [nn.Parameter(torch.ones(4)) for _ in range(3)]
    mine, theirs = RowAdam([matrix], 0.05), [torch.optim.Adam([row], lr=0.05) for row in rows]
    for step, task in enumerate([0, 2, 0, 0, 2]):
        mine.zero_grad()
        (matrix[task] * (step - 1.5)).square().sum().backward()
        mine.step([task], [])
        theirs[task].zero_grad()
        (rows[task] * (step - 1.5)).square().sum().backward()
        theirs[task].step()
    torch.testing.assert_close(matrix, torch.stack([row.detach() for row in rows]))
    assert mine.counts == [3, 0, 2]


@pytest.mark.parametrize("norms", [True, False])
def test_the_l2_penalty_is_on_kernels_and_norms_but_on_no_bias(norms: bool) -> None:
    made = trainer(replace(QUICK, l2_penalty=0.1, l2_norms=norms))
    before = values(made.network)
    for task in range(4):
        made._clear()  # gradients of zero: what moves is decayed, and a kernel shrinks
        before = values(made.network)
        made._update({task: []})
    changed = moved(before, made.network)
    network = image_network()
    of_norm = {f"layers.1.{name}" for name in ("weight", "bias")}
    kernels = {name for name in network.state_dict() if name.endswith("weight")} - of_norm
    assert changed == kernels | ({"layers.1.weight"} if norms else set()), "the norm's offset is zero and stays"
    with torch.no_grad():
        made.network.layers[1].bias.fill_(1.0)  # type: ignore[union-attr]
    made._clear()
    made._update({0: []})
    assert (made.network.layers[1].bias[0].item() < 1) == norms  # type: ignore[union-attr,index]


# Learning


def accuracy_after(method: Allocation) -> float:
    return train(image_network(), method, image_tasks(), replace(QUICK, rounds=40, evaluate_every=20))["best"]["means"][
        "test"
    ]


@pytest.mark.parametrize("method", ["learned", "no_sharing", "shared_bottom"])
def test_every_method_learns(method: str) -> None:
    kinds = {
        "learned": learned(),
        "no_sharing": FixedAllocation.no_sharing(NAMES, (4, 4)),
        "shared_bottom": FixedAllocation.shared_bottom(NAMES, (4, 4), normalize=True),
    }
    assert accuracy_after(kinds[method]) > 0.8  # chance: 0.33


@pytest.mark.parametrize("unit", ["components", "parameters", "flops"])
def test_the_penalty_brings_use_down_to_the_budget(unit: str) -> None:
    settings = replace(
        QUICK, rounds=40, evaluate_every=40, router_learning_rate=0.05, budget=0.5, budget_penalty=5.0, budget_unit=unit
    )

    def used(settings: Settings) -> float:
        """Expected share of the unit that tasks use, after training."""
        network, allocation = image_network(), learned(initial_probability=0.9)
        summary = train(network, allocation, image_tasks(), settings)
        if unit == "components":
            assert abs(summary["best"]["fraction_used"] - allocation.fraction_used()) < 1e-6
        costs = component_costs(network, unit, torch.zeros(1, 1, 6, 6))
        return float(np.mean([expected_fraction(allocation, task, unit, costs).item() for task in range(4)]))

    assert used(settings) <= 0.55
    if unit == "components":
        assert used(replace(settings, budget_penalty=0)) > 0.55


def test_a_budget_over_a_fixed_allocation_is_a_constant() -> None:
    """The published code fails there; here the penalty is a number that trains nothing."""
    with_budget = trainer(replace(QUICK, budget=0.5, budget_penalty=3.0, entropy_penalty=1.0), fixed())
    without = trainer(QUICK, fixed())
    with_budget.train_round()
    without.train_round()
    assert moved(values(with_budget.network), without.network) == set()


def pairs(tasks: list[TaskData], seed: int, rounds: int) -> dict[str, float | None]:
    network = synthetic(len(tasks), 8, torch.Generator().manual_seed(seed), width=8)
    allocation = LearnedAllocation([task.name for task in tasks], network.routed_sizes, temperature_init=2.0)
    settings = Settings(
        rounds=rounds, learning_rate=0.01, router_learning_rate=0.02, evaluate_every=rounds, seed=seed,
        budget=0.5, budget_penalty=0.5, evaluate_train=False,
    )  # fmt: skip
    train(network, allocation, tasks, settings)
    return grouped_similarity(used_matrices(allocation), [task.cluster for task in tasks])


def test_tasks_of_a_pair_come_to_use_more_alike_than_others() -> None:
    found = pairs(line_tasks(), 0, 250)
    assert found["within"] > found["across"] + 0.1  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.timeout(1800)  # 3 minutes where nothing else runs
@pytest.mark.parametrize("correlation", [1.0, 0.0])
def test_pairs_of_the_synthetic_experiment_over_seeds(correlation: float) -> None:
    gaps = []
    for seed in range(5):
        options: dict[str, Any] = {"seed": seed, "evaluate_train": False, "data": {"correlation": correlation}}
        config = configured("synthetic", preset_name="paper", **options)
        made = make(config, None)
        summary = train(made.network, made.allocation, made.tasks, config.settings)
        similarity = summary["last"]["similarity"]
        gaps.append(similarity["within"] - similarity["across"])
    if correlation == 1:
        assert np.mean(gaps) > 0.1
    else:
        assert abs(np.mean(gaps)) < 2 * np.std(gaps, ddof=1) / 5**0.5 + 0.05


# Bad input


def test_what_does_not_fit_is_one_line() -> None:
    with pytest.raises(InputError, match="the allocation is of tasks a, b, c, d, the data of red-a"):
        JointTrainer(image_network(), learned(("a", "b", "c", "d")), image_tasks(), QUICK)
    with pytest.raises(InputError, match="3 heads for 4 tasks"):
        JointTrainer(image_network(tasks=3), learned(), image_tasks(), QUICK)
    with pytest.raises(InputError, match=r"pools of 4, 5 components, the network has pools of 4, 4"):
        JointTrainer(image_network(), LearnedAllocation(NAMES, (4, 5)), image_tasks(), QUICK)


def test_a_loss_that_explodes_names_its_task() -> None:
    with pytest.raises(InputError, match=r"the loss of task \S+ is not finite by round 4: lower --learning-rate"):
        train(image_network(), learned(), image_tasks(), replace(QUICK, learning_rate=1e30))
