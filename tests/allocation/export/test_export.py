"""An allocation as a system: equal logits, layers stored once, sizes that agree, what cannot be and why."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import munet
from allocation_data_tools import noise
from growing import evolve
from munet.allocation.data.examples import Examples
from munet.allocation.data.tasks import TaskData
from munet.allocation.export.export import export_network
from munet.allocation.network import models
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation, FixedAllocation, LearnedAllocation
from munet.allocation.routing.fallback import FallbackAllocation
from munet.allocation.training.measures import accounted, flops_by_task, parameters_by_task, used_parameters
from munet.allocation.training.scores import score
from munet.errors import InputError, StoreError
from munet.importing import attach
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame
from run_tools import NAMES, image_network, image_tasks, learned, line_tasks


def tasks_of(classes: Sequence[int], shape: tuple[int, int, int], count: int = 6) -> list[TaskData]:
    """Tasks a, b, ... over images (H, W, C) of noise."""
    made = []
    for number, outputs in enumerate(classes):
        rng = np.random.default_rng(number)
        splits = {
            part: Examples(noise(rng, count, *shape), rng.integers(0, outputs, count).astype(np.int64))
            for part in ("train", "validation", "test")
        }
        made.append(TaskData("abcdefgh"[number], "noise", outputs, splits))
    return made


def scattered(
    names: Sequence[str], sizes: Sequence[int], kind: type[LearnedAllocation] = LearnedAllocation
) -> Allocation:
    """A learned allocation in which tasks use some components of each pool, and the first none of the first pool."""
    allocation = kind(names, sizes)
    with torch.no_grad():
        allocation.logits.normal_(generator=torch.Generator().manual_seed(3))
        allocation.logits[0, : sizes[0]] = -1 - torch.arange(sizes[0])
    return allocation


def check_logits(system: munet.System, network: MultitaskNetwork, allocation: Allocation, x: torch.Tensor) -> None:
    network.eval()
    for number, name in enumerate(system.tasks):
        with torch.no_grad():
            wanted = network(x, number, allocation.evaluation_weights(number))
            assert torch.equal(system.model(name)(x), wanted), name


MADE: dict[str, tuple[Callable[[], MultitaskNetwork], tuple[int, ...], tuple[int, int, int]]] = {
    "mnist4": (models.mnist4, (10, 10, 10, 10), (28, 28, 1)),
    "omniglot20": (lambda: models.omniglot20((5, 4, 3), side=20), (5, 4, 3), (20, 20, 1)),
    "clusters": (lambda: models.clusters((5, 9, 9)), (5, 9, 9), (32, 32, 3)),
    "own": (image_network, (3, 3, 3, 3), (6, 6, 1)),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("kind", [LearnedAllocation, FallbackAllocation])
def test_logits_sizes_and_operations_are_those_of_the_allocation(
    name: str, kind: type[LearnedAllocation], tmp_path: Path
) -> None:
    make_it, classes, shape = MADE[name]
    network, tasks = make_it(), tasks_of(classes, shape)
    with torch.no_grad():
        for parameter in network.parameters():  # as after training, where no two norms are equal
            parameter.add_(torch.randn(parameter.shape) * 0.01)
    allocation = scattered([task.name for task in tasks], network.routed_sizes, kind)
    summary = export_network(network, allocation, tasks, tmp_path / "system")
    system = munet.System.open(tmp_path / "system")

    side, channels = shape[0], shape[2]
    check_logits(system, network, allocation, torch.randn(5, channels, side, side))
    assert system.models.kind.to_json()["empty"] == ("zeros" if kind is LearnedAllocation else "likeliest")  # type: ignore
    empty = [slot for slot in system.manifest("a")["layers"] if slot.startswith(f"pool.{_first_pool(network)}.")]
    assert len(empty) == (0 if kind is LearnedAllocation else 1)

    rows = {row["name"]: row for row in system.status()["tasks"]}
    sample = torch.zeros(1, channels, side, side)
    for column, of in (
        ("accounted_parameters", accounted(network, allocation)),
        ("parameters", parameters_by_task(network, allocation)),
        ("flops", flops_by_task(network, allocation, sample)),
    ):
        assert {task: row[column] for task, row in rows.items()} == pytest.approx(of), column
    unique = used_parameters(network, allocation)
    assert summary["unique_parameters"] == system.status()["unique_parameters"] == unique
    assert sum(row["accounted_parameters"] for row in rows.values()) == pytest.approx(unique)
    report = system.fsck()
    assert report.ok
    assert report.layers == summary["layers"]
    assert system.gc().bytes == 0


def _first_pool(network: MultitaskNetwork) -> int:
    return next(place for place, layer in enumerate(network.layers) if isinstance(layer, Pool))


def halves(tmp_path: Path, count: int = 30) -> str:
    """A folder of 8x8 images whose class is which half is lit."""
    rng = np.random.default_rng(0)
    for part in ("train", "validation", "test"):
        images, labels = noise(rng, count, 8, 8) // 3, np.arange(count) % 2
        images[labels == 1, :4] += 100
        np.savez(tmp_path / f"{part}.npz", image=images, label=labels)
    return f"npz:{tmp_path}"


def test_components_without_tensors_are_part_of_a_path_and_are_not_mixed_up(tmp_path: Path) -> None:
    names = ("maximum", "mean", "same", "all", "none")
    torch.manual_seed(0)
    pool = Pool([MaxPool2dSame(3), AvgPool2dSame(3), nn.Identity(), Conv2dSame(1, 1, 3)], ("max", "mean", "id", "3x3"))
    network = MultitaskNetwork([pool, nn.Flatten()], [nn.Linear(64, 2) for _ in names])
    matrix = torch.eye(5, 4)
    matrix[3] = 1
    allocation = FixedAllocation(names, [matrix], normalize=False)
    source = halves(tmp_path)
    with np.load(tmp_path / "test.npz") as arrays:
        held = Examples(arrays["image"][..., None], arrays["label"])
    tasks = [TaskData(name, "", 2, {"train": held, "test": held}) for name in names]
    export_network(network, allocation, tasks, tmp_path / "system")

    system = munet.System.open(tmp_path / "system")
    check_logits(system, network, allocation, torch.randn(4, 1, 8, 8))
    paths = {name: [layer["slot"] for layer in system.show(name)["layers"]] for name in names}
    assert paths == {
        "maximum": ["pool.0.max", "head"],
        "mean": ["pool.0.mean", "head"],
        "same": ["pool.0.id", "head"],
        "all": ["pool.0.3x3", "pool.0.id", "pool.0.max", "pool.0.mean", "head"],
        "none": ["head"],
    }
    for name in names:
        attach(system, name, source)
    found = {name: row["correct"] for name, row in system.evaluate().items()}
    weights = allocation.evaluation_weights
    wanted = {name: score(network, weights(k), k, tasks[k], "test", "cpu") for k, name in enumerate(names)}
    assert found == {name: round(30 * share) for name, share in wanted.items()}
    assert len({tuple(system.model(name)(torch.ones(1, 1, 8, 8))[0].tolist()) for name in names}) == len(names)


def test_a_pool_of_one_is_a_layer_that_all_share(tmp_path: Path) -> None:
    layers = [
        Pool([nn.Conv2d(1, 2, 3)], ["only"]),
        nn.GELU(),
        Pool([nn.Conv2d(2, 2, 3) for _ in range(3)]),
        nn.Flatten(),
    ]
    network = MultitaskNetwork(layers, [nn.Sequential(nn.LayerNorm(32), nn.Linear(32, n)) for n in (3, 4)])
    tasks, allocation = tasks_of((3, 4), (8, 8, 1)), FixedAllocation("ab", [torch.tensor([[1, 1, 0], [0, 1, 1]])], True)
    export_network(network, allocation, tasks, tmp_path / "system")
    system = munet.System.open(tmp_path / "system")
    check_logits(system, network, allocation, torch.randn(3, 1, 8, 8))
    assert {layer["slot"]: layer["shared_with"] for layer in system.show("a")["layers"]} == {
        "layer.0": ["b"], "pool.2.0": [], "pool.2.1": ["b"], "head": []
    }  # fmt: skip


def test_images_become_what_the_network_was_trained_on(tmp_path: Path) -> None:
    network, tasks = image_network(), image_tasks()
    allocation = scattered(NAMES, (4, 4))
    export_network(network, allocation, tasks, tmp_path / "system", mean=[1.0], std=[-1.0])
    system = munet.System.open(tmp_path / "system")
    raw = noise(np.random.default_rng(0), 5, 6, 6)
    inputs = torch.from_numpy((255 - raw)[:, None]).float() / 255
    with torch.no_grad():
        wanted = network.eval()(inputs, 1, allocation.evaluation_weights(1))
    assert torch.allclose(system.predict("red-b", raw).logits, wanted, atol=1e-6)
    coloured = np.repeat(raw[..., None], 3, axis=3)
    assert torch.allclose(system.predict("red-b", coloured).logits, wanted, atol=1e-5), "grey in three channels"


def test_the_network_can_be_drawn(tmp_path: Path) -> None:
    from munet.report import draw_network

    tasks = image_tasks()
    export_network(image_network(), scattered(NAMES, (4, 4)), tasks, tmp_path / "system")
    system = munet.System.open(tmp_path / "system")
    assert draw_network(system, tmp_path / "network.svg").stat().st_size > 1000
    assert system.show("red-a")["layers"][-1]["trained_by"] == "red-a"
    assert {layer["trained_by"] for layer in system.show("root")["layers"]} == {"root"}
    assert [row["model"] for row in system.log("blue-a")] == [system.resolve("blue-a"), system.root]
    assert "head" in {pair["slot"] for pair in system.diff("red-a", "red-b")["different"]}


def test_an_exported_system_does_not_grow(tmp_path: Path, tiny_npz: Path) -> None:
    export_network(image_network(), scattered(NAMES, (4, 4)), image_tasks(), tmp_path / "system")
    system = munet.System.open(tmp_path / "system")
    for what in (
        lambda: system.add_task("shapes", f"npz:{tiny_npz}"),
        lambda: evolve(system),
        lambda: system.export("red-a", tmp_path / "red.safetensors"),
    ):
        with pytest.raises(
            InputError, match=r"holds an exported allocation: .*; `munet init` makes a system that does"
        ):
            what()
    assert system.tasks == list(NAMES)
    with pytest.raises(InputError, match="imported without images: `munet attach"):
        system.evaluate()


class Odd(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def _hooked() -> MultitaskNetwork:
    network = image_network()
    network.layers[1].register_forward_hook(lambda module, inputs, output: 2 * output)  # pyright: ignore[reportOperatorIssue]
    return network


def _with(layer: nn.Module) -> MultitaskNetwork:
    network = image_network()
    return MultitaskNetwork([*network.layers, nn.Sequential(nn.ReLU(), layer)], list(network.heads))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"network": _with(Odd())}, "layer.5 is or holds a Odd, which a system cannot describe: build it of Conv2d,"),
        ({"network": _with(nn.BatchNorm1d(16))}, "layer.5 is or holds a BatchNorm1d"),
        ({"network": _hooked()}, "the exported model gives other logits than the network"),
        ({"tasks": image_tasks()[::-1]}, "tasks blue-b, blue-a, red-b, red-a for an allocation of red-a, "),
        ({"tasks": line_tasks(20), "allocation": learned([t.name for t in line_tasks(20)])}, "task pair0-a has values"),
        ({"mean": [0.5, 0.5]}, "give 1 numbers each, one a channel, and no std of 0"),
        ({"std": [0.0]}, "no std of 0"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_what_a_system_cannot_hold_is_one_line_and_leaves_nothing(
    changes: dict[str, Any], line: str, tmp_path: Path
) -> None:
    given = {"network": image_network(), "allocation": scattered(NAMES, (4, 4)), "tasks": image_tasks()} | changes
    with pytest.raises(InputError) as refused:
        export_network(system=tmp_path / "system", **given)
    assert line in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_vectors_and_oblong_images_are_refused(tmp_path: Path) -> None:
    network = MultitaskNetwork([nn.Flatten()], [nn.Linear(8, 2)])
    allocation = FixedAllocation(["one"], [], normalize=False)
    for inputs, shape_text in ((np.zeros((4, 8), np.float32), "(8,)"), (np.zeros((4, 2, 4, 1), np.uint8), "(1, 2, 4)")):
        task = TaskData("one", "", 2, {"train": Examples(inputs, np.zeros(4, np.int64))})
        with pytest.raises(InputError, match="images") as refused:
            export_network(network, allocation, [task], tmp_path / "system")
        assert f"inputs of shape {shape_text}" in str(refused.value)


def test_a_taken_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    with pytest.raises(StoreError, match="is not empty: choose another path"):
        export_network(image_network(), scattered(NAMES, (4, 4)), image_tasks(), tmp_path)


def test_the_example_of_the_package_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import munet.allocation

    page = (Path(munet.allocation.__file__).with_name("README.md")).read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    assert "rounds=300" in code
    assert len(code.splitlines()) <= 30
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("rounds=300", "rounds=4"), "README.md", "exec"), {})
    assert "'up1': " in capsys.readouterr().out
    assert munet.System.open("halves").tasks == ["up1", "up2", "down1", "down2"]


def test_importing_the_package_waits_for_nothing_heavy() -> None:
    code = "import sys, munet.allocation as a; print(len(dir(a)) > 0, {'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True set()"
    import munet.allocation

    assert all(callable(getattr(munet.allocation, name)) for name in munet.allocation.__all__)
