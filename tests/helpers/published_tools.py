"""Small systems as the published code of muNet, mu2Net and mu3Net saves them, written with flax itself."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, HIDDEN, DIM = 16, 2, 24, 4
Tree = Any  # nested dicts of arrays, or an array

SETTINGS: dict[str, Any] = {
    "opt_lr": 0.02,
    "opt_lr_schedule": "cosine",
    "opt_lr_warmup_ratio": 0.1,
    "opt_momentum": 0.9,
    "opt_nesterov": False,
    "ds_image_size": 32,
    "ds_area_range_min": 0.05,
    "ds_aspect_ratio_range_min": 0.75,
    "ds_flip_left_right": True,
    "ds_brightness_delta": 0.0,
    "ds_contrast_delta": 0.01,
    "ds_saturation_delta": 0.0,
    "ds_hue_delta": 0.0,
    "num_layers": 2,
    "adapter_layers": "",
}


class Draws:
    """Random arrays that keep activations near one."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def array(self, *shape: int, offset: float = 0.0, spread: float | None = None) -> np.ndarray:
        wide = spread if spread is not None else (0.3 if len(shape) < 2 else shape[0] ** -0.5)
        return (offset + wide * self.rng.standard_normal(shape)).astype(np.float32)

    def norm(self) -> Tree:
        return {"scale": self.array(WIDTH, offset=1), "bias": self.array(WIDTH)}

    def dense(self, rows: int, columns: int) -> Tree:
        return {"kernel": self.array(rows, columns), "bias": self.array(columns)}

    def block(self) -> Tree:
        one = WIDTH // HEADS
        parts = {
            name: {"kernel": self.array(WIDTH, HEADS, one), "bias": self.array(HEADS, one)}
            for name in ("query", "key", "value")
        }
        out = {"kernel": self.array(HEADS, one, WIDTH, spread=0.25), "bias": self.array(WIDTH)}
        return {
            "LayerNorm_0": self.norm(),
            "MultiHeadDotProductAttention_0": parts | {"out": out},
            "LayerNorm_1": self.norm(),
            "MlpBlock_0": {"Dense_0": self.dense(WIDTH, HIDDEN), "Dense_1": self.dense(HIDDEN, WIDTH)},
        }

    def adapter(self, dim: int = DIM) -> Tree:
        return {"LayerNorm_0": self.norm(), "Dense_0": self.dense(WIDTH, dim), "Dense_1": self.dense(dim, WIDTH)}

    def embedding(self) -> Tree:
        return {"kernel": self.array(16, 16, 3, WIDTH, spread=1 / 27), "bias": self.array(WIDTH)}

    def posembed(self, size: int) -> Tree:
        return {"pos_embedding": self.array(1, 1 + (size // 16) ** 2, WIDTH)}


def momentum_like(tree: Tree, seed: int) -> Tree:
    """Momentum of the same structure, in bfloat16 as optax keeps it."""
    from ml_dtypes import bfloat16

    rng = np.random.default_rng(seed)
    if isinstance(tree, dict):
        return {name: momentum_like(child, seed + index) for index, (name, child) in enumerate(tree.items())}
    return rng.standard_normal(tree.shape).astype(bfloat16)


@dataclass
class Sampled:
    """One row of the tables, before it takes the form of one of them."""

    id: int
    task: str
    parent: int | None
    components: list[int]
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    score: float | None = None
    accounted: float | None = None
    agent: str = ""


@dataclass
class Published:
    """A published system in memory: change it, then write it in one of the formats."""

    components: dict[int, tuple[str, Tree]]
    momentum: dict[int, Tree]
    population: list[Sampled]
    paths: list[Sampled]
    agents: dict[int, str] = field(default_factory=dict)  # component -> agent, for mu3Net

    def path(self, task: str) -> Sampled:
        return next(path for path in self.population if path.task == task)

    def tree(self, task: str) -> dict[str, Tree]:
        """Component name -> arrays of a task's model."""
        return {self.components[id][0]: self.components[id][1] for id in self.path(task).components}


def small_system() -> Published:
    """A root of four blocks of which two are used, and three tasks that share some of it; one more path is history."""
    draw = Draws(0)
    made: dict[int, tuple[str, Tree]] = {
        0: ("embedding", draw.embedding()),
        1: ("cls", draw.array(1, 1, WIDTH)),
        2: ("posembed_input", draw.posembed(32)),
        **{3 + k: (f"encoderblock_{k}", draw.block()) for k in range(4)},
        7: ("encoder_norm", draw.norm()),
        8: ("head", draw.dense(WIDTH, 2)),
        # emnist/digits trained a block
        10: ("encoderblock_1", draw.block()),
        11: ("encoder_norm", draw.norm()),
        12: ("head", draw.dense(WIDTH, 5)),
        # bangla built on it, with an adapter
        20: ("residual_adapter_0", draw.adapter()),
        21: ("encoder_norm", draw.norm()),
        22: ("head", draw.dense(WIDTH, 3)),
        # mnist has another image size and one block less
        30: ("posembed_input", draw.posembed(48)),
        31: ("encoder_norm", draw.norm()),
        32: ("head", draw.dense(WIDTH, 10)),
    }
    trained = {id: momentum_like(made[id][1], 100 * id) for id in (10, 11, 12, 20, 21, 22, 30, 31, 32)}
    root = Sampled(0, "NOT_TRAINABLE", None, [0, 1, 2, 3, 4, 5, 6, 7, 8], {"num_classes": 2})
    digits = _task(3, "emnist/digits", 0, [0, 1, 2, 3, 10, 11, 12], {"num_classes": 5}, [0.5, 0.7, 0.7], 0.68)
    bangla = _task(
        5,
        "cmaterdb/bangla",
        3,
        [0, 1, 2, 20, 3, 10, 21, 22],
        {"num_classes": 3, "adapter_layers": "0", "adapter_dim": DIM, "opt_lr": 0.05},
        [0.8, 0.6],
        None,
    )
    bangla.metrics["private"] = True
    settings = {"num_classes": 10, "ds_image_size": 48, "num_layers": 1, "opt_momentum": None}
    mnist = _task(6, "mnist", 0, [0, 1, 30, 3, 31, 32], settings, [0.4, 0.9], 0.88)
    digits.metrics["offsprings_per_task"] = json.dumps({"emnist/digits": 2, "cmaterdb/bangla": 1})
    history = [
        replace(digits, id=1, parent=0, components=[*digits.components]),
        replace(digits, id=2, parent=0, components=[*digits.components]),
        replace(digits, parent=1),
        replace(bangla, id=4, parent=2),
        replace(bangla, parent=4),
        mnist,
    ]
    system = Published(made, trained, [root, digits, bangla, mnist], [root, *history])
    _count(system)
    return system


def _task(
    id: int,
    task: str,
    parent: int,
    components: list[int],
    settings: dict[str, Any],
    evals: list[float],
    test: float | None,
) -> Sampled:
    metrics = {
        "generation": 1 if parent == 0 else 2,
        "quality": max(evals),
        "evals": json.dumps(evals),
        "test_quality": test,
        "improved": True,
        "mutations": "{}",
        "train_time": 12.5,
        "eval_time": 1.5,
        "start_time": "2022-06-01-10-00-00",
        "start_time_loop": 1654077600.0 + 100 * id,
    }
    return Sampled(id, task, parent, components, settings, metrics, max(evals))


def size_of(tree: Tree) -> int:
    return sum(size_of(child) for child in tree.values()) if isinstance(tree, dict) else np.size(tree)


def _count(system: Published) -> None:
    """final_accounted_params, as the published code counts them."""
    tasks = [path for path in system.population if path.task != "NOT_TRAINABLE"]
    for path in tasks:
        users = {id: sum(id in other.components for other in tasks) for id in path.components}
        path.accounted = sum(size_of(system.components[id][1]) / users[id] for id in path.components)


def write_munet(system: Published, folder: Path, loop: int = 3) -> Path:
    """9.1: everything in one folder. Hyperparameters of mu2Net are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_tables(system, folder, without=("_mu_", "ds_crop"))
    write_message(folder / f"checkpoint_{loop}", _entries(system, momentum=False))
    (folder / "config.json").write_text(json.dumps({"experiment_name": "chars"}))
    return folder


def write_mu2net(system: Published, folder: Path, state: tuple[int, int] = (4, 0)) -> Path:
    """9.2: an experiment's folder with one state."""
    name = f"{state[0]}_{state[1]}"
    inner = folder / f"state_{name}"
    inner.mkdir(parents=True)
    _write_tables(system, inner, more={"_mu_": 0.2, "ds_crop": True})
    write_message(inner / f"checkpoint_{name}", _entries(system))
    (folder / "config.json").write_text(json.dumps({"experiment_name": "large"}))
    return folder


def write_mu3net(system: Published, folder: Path) -> Path:
    """9.3: one folder for each task and one for the root, each with the components that it made."""
    agents = {path.task: f"Vit~{_agent_task(path.task).replace('/', '~')}" for path in system.population}
    owner: dict[int, str] = {}
    for path in system.population:
        for id in path.components:
            owner.setdefault(id, agents[path.task])
    for task, agent in agents.items():
        inner = folder / agent / "state_2_0"
        inner.mkdir(parents=True)
        for name, rows in (
            ("population", system.population),
            ("paths", system.paths),
            ("published", system.population),
        ):
            mine = rows if name == "population" else [path for path in rows if path.task == task]
            _write_rows(inner / f"{name}.csv", [_agent_row(path, agents, owner) for path in mine])
        own = [id for id in system.components if owner.get(id) == agent]
        _write_rows(inner / "components.csv", [{"id": id, "name": system.components[id][0]} for id in own])
        entries = {f"{system.components[id][0]}:{agent}:{id}": system.components[id][1] for id in own}
        entries |= {
            f"opt_state:{system.components[id][0]}:{agent}:{id}": system.momentum[id]
            for id in own
            if id in system.momentum
        }
        write_message(inner / "checkpoint_2_0", entries)
    return folder


def write_message(path: Path, entries: Mapping[str, Tree], change: Callable[[bytes], bytes] = bytes) -> None:
    from flax import serialization

    path.write_bytes(change(serialization.msgpack_serialize(dict(entries))))


def _entries(system: Published, momentum: bool = True) -> dict[str, Tree]:
    entries = {f"{name}:{id}": tree for id, (name, tree) in system.components.items()}
    if momentum:
        entries |= {f"opt_state:{system.components[id][0]}:{id}": tree for id, tree in system.momentum.items()}
    return entries


def _write_tables(
    system: Published, folder: Path, more: Mapping[str, Any] | None = None, without: tuple[str, ...] = ()
) -> None:
    for name, rows in (("population", system.population), ("paths", system.paths)):
        _write_rows(folder / f"{name}.csv", [_row(path, more or {}, without) for path in rows])
    made = [
        {"id": id, "name": name, "num_params": size_of(tree), "train_locks": ""}
        for id, (name, tree) in system.components.items()
    ]
    _write_rows(folder / "components.csv", [*made, *made[:3]])  # saving appends, so ids come again


def _row(path: Sampled, more: Mapping[str, Any], without: tuple[str, ...]) -> dict[str, Any]:
    settings = {key: value for key, value in {**SETTINGS, **more, **path.settings}.items() if key not in without}
    return {
        "task_name": path.task,
        "id": path.id,
        "parent_id": -1 if path.parent is None else path.parent,
        "parent_task_name": "",
        "final_accounted_params": path.accounted,
        "components": "_".join(str(id) for id in path.components),
        **{f"hparams.{key}": value for key, value in settings.items()},
        **{f"metrics.{key}": value for key, value in path.metrics.items()},
        "score": path.score,
    }


def _agent_task(task: str) -> str:
    return "root_model/checkpoint" if task == "NOT_TRAINABLE" else task


def _agent_row(path: Sampled, agents: Mapping[str, str], owner: Mapping[int, str]) -> dict[str, Any]:
    learned = {"_mu_|hp:opt_lr": 0.06, "_mu_|clone:encoderblock_1": 0.3, "_mu_|add:residual_adapter_0": 0.02}
    learned |= {"_mu_|hp:num_layers": 0.12, "_mu_|hp:_mu_": 0.2, "ds_quality_delta": 0.05}
    row = _row(path, {"_mu_": 0.1, **learned}, ())
    task = agents[path.task]
    parents = {0: agents["NOT_TRAINABLE"], 3: agents["emnist/digits"]}
    row |= {
        "task_name": _agent_task(path.task),
        "agent_id": task,
        "parent_agent_id": parents.get(path.parent, task) if path.parent is not None else "",
        "components": ",".join(f"{owner[id]}:{id}" for id in path.components),
        "metrics.score": path.score,
        "metrics.accounted_params": path.accounted,
    }
    return {key: value for key, value in row.items() if key not in ("score", "final_accounted_params")}


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """As pandas does: every column that any row has, nothing where a row has none."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows([{key: "" if value is None else value for key, value in row.items()} for row in rows])


def edit_rows(path: Path, change: Callable[[dict[str, str]], None]) -> None:
    """Change every row of a table in place; a change may add columns and remove them."""
    with path.open(newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    for row in rows:
        change(row)
    _write_rows(path, rows)


# The published network in numpy, from its formulas --------------------------------------------------------------------


def forward(tree: Mapping[str, Tree], images: np.ndarray) -> np.ndarray:
    """Logits (N, C) in float64 of images (N, H, W, 3) on [-1, 1]: pre-norm blocks, adapters before them, tanh GELU."""
    tree = _as_double(tree)
    kernel = tree["embedding"]["kernel"]
    count, rows, columns = images.shape[0], images.shape[1] // 16, images.shape[2] // 16
    patches = (
        images.reshape(count, rows, 16, columns, 16, 3).transpose(0, 1, 3, 2, 4, 5).reshape(count, rows * columns, -1)
    )
    x = patches @ kernel.reshape(-1, WIDTH) + tree["embedding"]["bias"]
    x = np.concatenate([np.broadcast_to(tree["cls"], (count, 1, WIDTH)), x], axis=1)
    x = x + tree["posembed_input"]["pos_embedding"]
    for k in range(sum(name.startswith("encoderblock") for name in tree)):
        if f"residual_adapter_{k}" in tree:
            adapter = tree[f"residual_adapter_{k}"]
            x = x + _mlp(adapter, _norm(adapter["LayerNorm_0"], x))
        block = tree[f"encoderblock_{k}"]
        x = x + _attention(block["MultiHeadDotProductAttention_0"], _norm(block["LayerNorm_0"], x))
        x = x + _mlp(block["MlpBlock_0"], _norm(block["LayerNorm_1"], x))
    x = _norm(tree["encoder_norm"], x)[:, 0]
    return x @ tree["head"]["kernel"] + tree["head"]["bias"]


def _as_double(tree: Tree) -> Tree:
    return (
        {key: _as_double(child) for key, child in tree.items()}
        if isinstance(tree, Mapping)
        else tree.astype(np.float64)
    )


def _norm(tree: Tree, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * tree["scale"] + tree["bias"]


def _mlp(tree: Tree, x: np.ndarray) -> np.ndarray:
    x = x @ tree["Dense_0"]["kernel"] + tree["Dense_0"]["bias"]
    x = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x @ tree["Dense_1"]["kernel"] + tree["Dense_1"]["bias"]


def _attention(tree: Tree, x: np.ndarray) -> np.ndarray:
    query, key, value = (
        np.einsum("nth,hkd->nktd", x, tree[part]["kernel"]) + tree[part]["bias"][:, None]
        for part in ("query", "key", "value")
    )
    weights = np.exp(query @ key.transpose(0, 1, 3, 2) / np.sqrt(WIDTH // HEADS))
    mixed = weights / weights.sum(-1, keepdims=True) @ value
    return np.einsum("nktd,kdh->nth", mixed, tree["out"]["kernel"]) + tree["out"]["bias"]
