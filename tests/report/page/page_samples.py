"""Payloads of the page, made up: from nothing at all to 124 tasks. The numbers are random, the structure is a real one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from munet.report.page.payload import task_look

KINDS = ("learning_rate", "momentum", "warmup_ratio", "crop_area_min", "brightness", "image_size")
VALUES = {
    "learning_rate": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
    "momentum": [0.7, 0.8, 0.9, 0.95],
    "warmup_ratio": [0.0, 0.05, 0.1, 0.2],
    "crop_area_min": [0.05, 0.5, 0.95, 1.0],
    "brightness": [0.0, 0.01, 0.02, 0.05],
    "image_size": [32, 48, 64],
}
REASONS = ("scored below its parent", "no score: the loss was not a number")


def slots_of(blocks: int) -> list[str]:
    return ["embedding", "cls", "posembed", *(f"block.{k}" for k in range(blocks)), "norm", "head"]


def names_of(tasks: int) -> list[str]:
    words = ("digits", "letters", "flowers", "pets", "signs", "birds", "food", "cars", "scenes", "textures", "leaves")
    return [f"{words[n % len(words)]}_{n:03d}" if n >= len(words) else words[n] for n in range(tasks)]


@dataclass
class Grown:
    """A made-up evolution, column by column as the page wants it."""

    names: Sequence[str]
    slots: Sequence[str]
    children: int
    rng: random.Random
    paths: list[list[int]] = field(default_factory=list)
    layers: dict[str, list[Any]] = field(default_factory=lambda: {"slot": [], "parameters": [], "by": [], "id": []})
    columns: dict[str, list[Any]] = field(default_factory=dict)
    moments: dict[str, list[int]] = field(default_factory=lambda: {"step": [], "task": [], "path": []})
    mutations: dict[str, int] = field(default_factory=dict)
    best: dict[int, tuple[float, int]] = field(default_factory=dict)  # task -> score, step
    full: list[dict[int, int]] = field(default_factory=list)  # path -> slot -> layer

    def layer(self, slot: int, by: int) -> int:
        size = {"embedding": 150_000, "cls": 192, "posembed": 960, "norm": 384, "head": 2000}
        self.layers["slot"].append(slot)
        self.layers["parameters"].append(size.get(self.slots[slot], 445_000))
        self.layers["by"].append(by)
        self.layers["id"].append(f"{self.rng.getrandbits(40):010x}")
        return len(self.layers["slot"]) - 1

    def path(self, base: int, changes: dict[int, int]) -> int:
        self.paths.append([base, *(number for pair in changes.items() for number in pair)])
        self.full.append({**(self.full[base] if base >= 0 else {}), **changes})
        return len(self.paths) - 1

    def word(self, text: str) -> int:
        return self.mutations.setdefault(text, len(self.mutations))

    def grow(self) -> "Grown":
        keys = ("task", "parent", "score", "accuracy", "state", "reason", "run", "iteration", "generation", "parameters",
                "flops", "seconds", "train_flops", "cycle", "path", "mutations", "model")  # fmt: skip
        self.columns = {key: [] for key in keys}
        self.path(-1, {slot: self.layer(slot, -1) for slot in range(len(self.slots) - 1)})
        tasks, generation = len(self.names), 0
        rounds = max(1, self.children // max(1, tasks * 16))
        for iteration in range(rounds):
            for task in range(tasks):
                count = self.children // (rounds * tasks)
                for child in range(count):
                    generation = child // 4
                    self.child(task, iteration, generation)
        return self

    def child(self, task: int, iteration: int, generation: int) -> None:
        rng, step = self.rng, len(self.columns["task"])
        own = self.best.get(task)
        others = [at for other, (_, at) in self.best.items() if other != task]
        parent = own[1] if own and rng.random() < 0.7 else rng.choice(others) if others and rng.random() < 0.8 else -1
        base = self.columns["path"][parent] if parent >= 0 else 0
        skill = 0.3 + 0.5 * (task * 37 % 11) / 11 + 0.2 * (1 - 0.7 ** (iteration + 1))
        score = min(0.999, max(0.02, rng.gauss(skill + (0.04 if parent >= 0 else 0), 0.06)))
        cloned = [slot for slot in range(len(self.slots) - 2) if rng.random() < (0.1 if len(self.slots) > 12 else 0.25)]
        kept = score >= (own[0] if own else 0) - (0.02 if rng.random() < 0.3 else 0)
        better = own is None or score >= own[0]
        cloned += [len(self.slots) - 2, len(self.slots) - 1]
        row: dict[str, Any] = {
            "task": task,
            "parent": parent,
            "score": round(score, 4),
            "accuracy": round(score, 4),
            "state": 0 if not kept else 2 if better else 1,
            "reason": -1 if kept else int(rng.random() < 0.05),
            "run": 0,
            "iteration": iteration,
            "generation": generation,
            "parameters": 1_500_000,
            "flops": 14_700_000,
            "seconds": round(rng.uniform(3, 9), 2),
            "train_flops": 9.4e10,
            "cycle": rng.randrange(4),
            "path": self.path(base, {slot: self.layer(slot, task) for slot in cloned}) if kept and better else -1,
            "mutations": [self.word(f"clone {self.slots[slot]}") for slot in cloned],
            "model": f"{rng.getrandbits(40):010x}" if kept else "",
        }
        if rng.random() < 0.6:
            kind = rng.choice(KINDS)
            old, new = rng.sample(VALUES[kind], 2)
            row["mutations"].append(self.word(f"{kind} {old:g} → {new:g}"))
        for key, value in row.items():
            self.columns[key].append(value)
        if kept and better:
            self.best[task] = (score, step)
            for key, value in (("step", step), ("task", task), ("path", row["path"])):
                self.moments[key].append(value)


def sample(tasks: int, blocks: int, children: int, seed: int = 0, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A payload with so many tasks, of models with so many blocks."""
    rng = random.Random(seed)
    grown = Grown(names or names_of(tasks), slots_of(blocks), children, rng).grow()
    rows = [_task(grown, task) for task in range(tasks)]
    chains = [_chain(grown, task) for task in range(tasks)]
    paths = [set(grown.full[grown.columns["path"][grown.best[t][1]]].values()) if t in grown.best else set()
             for t in range(tasks)]  # fmt: skip
    flow = [[sum(step >= 0 and grown.columns["task"][step] == other for step in chain[1:]) for other in range(tasks)]
            for chain in chains]  # fmt: skip
    ready = [row for row in rows if row["model"]]
    return {
        "schema": 1,
        "title": f"{tasks} made-up tasks",
        "made": {"munet": "0"},
        "notes": [],
        "root": {"model": "0123456789", "source": "builtin:glyphs"},
        "totals": {
            "tasks": tasks,
            "grown": len(ready),
            "mean_validation_accuracy": _mean([r["validation_accuracy"] for r in ready]),
            "mean_test_accuracy": _mean([r["test_accuracy"] for r in ready]),
            "unique_parameters": sum({i: grown.layers["parameters"][i] for p in paths for i in p}.values()),
            "parameters_per_task": 1.04e6 if ready else None,
            "flops_per_task": 14.7e6 if ready else None,
            "children": len(grown.columns["task"]),
            "accepted": sum(s > 0 for s in grown.columns["state"]),
            "samples": 51200 * children,
            "train_seconds": 4.0 * children,
            "validation_seconds": 0.6 * children,
            "other_seconds": 0.2 * children,
            "flops_spent": 1.2e11 * children,
            "runs": 1 if children else 0,
        },
        "tasks": rows,
        "order": list(range(tasks)),
        "slots": list(grown.slots),
        "layers": grown.layers,
        "paths": grown.paths,
        "moments": grown.moments,
        "retained": [grown.columns["path"][grown.best[t][1]] if t in grown.best else -1 for t in range(tasks)],
        "children": grown.columns,
        "words": {"reasons": list(REASONS), "mutations": list(grown.mutations)},
        "runs": [{"run": "0001", "method": "mu2net-plus", "seed": 0, "started": "2026-01-01T10:00:00+00:00",
                  "finished": "2026-01-01T11:00:00+00:00", "children": children, "seconds": 4.8 * children,
                  "device": "cpu"}] if children else [],
        "lineages": [_lineage(grown, chain) for chain in chains],
        "sharing": [[len(a & b) for b in paths] for a in paths],
        "flow": flow,
        "settings": _settings(rng, chains, tasks),
        "probabilities": _probabilities(rng, blocks) if tasks else None,
        "learning": [_learning(grown, task, rng) for task in range(tasks) if task in grown.best],
        "rejected": _rejected(grown, tasks),
        "costs": _costs(rng, grown, rows),
        "progress": _progress(rng, tasks, children),
    }  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _task(grown: Grown, task: int) -> dict[str, Any]:
    known = grown.best.get(task)
    score = known[0] if known else None
    return {
        "name": grown.names[task],
        **task_look(task),
        "private": task % 9 == 8,
        "active": False,
        "classes": 10 + task,
        "train_examples": 4000,
        "validation_examples": 400,
        "test_examples": 1000,
        "iterations": 2,
        "model": f"{task:010x}" if known else None,
        "validation_accuracy": score,
        "test_accuracy": score and score - 0.013,
        "score": score,
        "parameters": 1485706 if known else None,
        "accounted_parameters": 1070435.6 if known else None,
        "flops": 14692591 if known else None,
        "num_blocks": len(grown.slots) - 5 if known else None,
        "image_size": 32 if known else None,
    }


def _chain(grown: Grown, task: int) -> list[int]:
    """Steps of the ancestors of a task's model, itself first."""
    step, chain = grown.best[task][1] if task in grown.best else -1, []
    while step >= 0:
        chain.append(step)
        step = grown.columns["parent"][step]
    return chain


def _lineage(grown: Grown, chain: Sequence[int]) -> list[dict[str, Any]]:
    words = list(grown.mutations)
    return [{"model": grown.columns["model"][s], "task": grown.columns["task"][s], "step": s,
             "validation_accuracy": grown.columns["accuracy"][s], "alive": place == 0,
             "changes": [words[m] for m in grown.columns["mutations"][s]]} for place, s in enumerate(chain)]  # fmt: skip


def _settings(rng: random.Random, chains: Sequence[Sequence[int]], tasks: int) -> dict[str, Any]:
    distributions, schedules = [], []
    for name, values in VALUES.items():
        counts = [0] * len(values)
        for _ in range(tasks):
            counts[min(len(values) - 1, int(abs(rng.gauss(0, 1.2))))] += 1
        texts = [f"{value:g}" for value in values]
        if tasks:
            distributions.append({"name": name, "values": texts, "counts": counts, "default": 1})
        lines = [[[step, rng.randrange(len(values))] for step in sorted(chain)] for chain in chains]
        schedules.append({"name": name, "values": texts, "lines": lines})
    return {"distributions": distributions, "schedules": schedules if tasks else []}


def _probabilities(rng: random.Random, blocks: int) -> dict[str, Any]:
    depth = [{"block": k, "mean": round(0.25 - 0.1 * k / blocks + rng.gauss(0, 0.01), 4), "count": 8}
             for k in range(blocks)]  # fmt: skip
    grid = [round(0.02 * k, 2) for k in range(1, 16)]
    bars = [{"mutation": name, "values": grid, "counts": [int(abs(rng.gauss(0, 3))) for _ in grid]}
            for name in ("clone block", "clone embedding", "insert adapter", "learning_rate")]  # fmt: skip
    fit = {"slope": -0.1 / blocks, "intercept": 0.25}
    return {"by_depth": [{"kind": "clone block", "points": depth, "fit": fit}], "histograms": bars}


def _learning(grown: Grown, task: int, rng: random.Random) -> dict[str, Any]:
    final = grown.best[task][0]
    curve = [round(final * (1 - 0.6 ** (k + 1)) + rng.gauss(0, 0.005), 4) for k in range(12)]
    return {"task": task, "accuracies": [*curve, round(final, 4)], "starts": [0, 4, 8], "test_accuracy": final - 0.013}


def _rejected(grown: Grown, tasks: int) -> dict[str, Any]:
    state, reason, task = (grown.columns[key] for key in ("state", "reason", "task"))
    by_task = [[0, 0, *(0 for _ in REASONS)] for _ in range(tasks)]
    for row in range(len(state)):
        by_task[task[row]][2 + reason[row] if state[row] == 0 else 2 - state[row]] += 1
    return {"reasons": list(REASONS), "by_task": by_task}


def _costs(rng: random.Random, grown: Grown, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    per = len(grown.columns["task"]) / max(1, len(rows))
    return {
        "seconds": [[per * rng.uniform(3, 6), per * 0.5, per * 0.2] for _ in rows],
        "flops": [[per * 9e10, per * 3e10] for _ in rows],
        "parameters": [[0, -1, 600_000], *([1, n, rng.randrange(10_000, 900_000)] for n in range(len(rows)))][1:]
        and [[n, rng.randrange(10_000, 900_000)] for n in range(-1, len(rows))],
    }


def _progress(rng: random.Random, tasks: int, children: int) -> list[dict[str, Any]]:
    rounds = max(1, children // max(1, tasks * 16)) if children else 0
    rows = []
    for number in range(rounds * tasks):
        rows.append(
            {
                "task": number % tasks,
                "iteration": number // tasks,
                "tasks": min(tasks, number + 1),
                "mean_validation_accuracy": 0.9 - 0.3 * 0.97**number,
                "mean_test_accuracy": 0.88 - 0.3 * 0.97**number + rng.gauss(0, 0.003),
                "parameters_per_task": 1.1e6 + 4e5 * 0.95**number,
                "flops_per_task": 14.7e6 - number * 1e4,
                "seconds": 60.0 * (number + 1),
            }
        )
    return rows
