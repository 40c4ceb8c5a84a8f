"""Finished runs as an experiment leaves them, made up."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LEAK = "validation and test images lie inside the training images"
TASKS = ("digits", "letters", "omniglot32_drawers", "telugu")


def task(name: str, test: float, **changes: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "classes": 10,
        "validation_accuracy": min(1.0, test + 0.01),
        "test_accuracy": test,
        "validation_examples": 500,
        "test_examples": 2000,
        "train_examples": 5000,
        "parameters": 1_500_000,
        "accounted_parameters": 700_000.5,
        "flops": 14.77e6,
        "image_size": 32,
        "num_blocks": 3,
        "model": "ab" * 32,
        "splits": {part: {"expression": part, "ranges": [], "examples": 10, "fingerprint": f"{name}-{part}"}
                   for part in ("train", "validation", "test")},
        "note": LEAK if "omniglot" in name else None,
    }  # fmt: skip
    return row | changes


def result(method: str, seed: int, accuracies: Mapping[str, float], **changes: Any) -> dict[str, Any]:
    """result.json of a run with these test accuracies; validation is one point above."""
    tasks = [task(name, test) for name, test in accuracies.items()]
    value = {
        "format": 1,
        "benchmark": "toy",
        "budget": "mini",
        "method": method,
        "seed": seed,
        "request": {},
        "tasks": tasks,
        "mean_test_accuracy": sum(t["test_accuracy"] for t in tasks) / len(tasks),
        "mean_validation_accuracy": sum(t["validation_accuracy"] for t in tasks) / len(tasks),
        "parameters_per_task": 1_200_000.0,
        "unique_parameters": 1_200_000 * len(tasks),
        "flops_per_task": 14.5e6,
        "samples": 51_200 * len(tasks),
        "flops_spent": {"train": 3e13, "validation": 1e13},
        "children": 16,
        "seconds": {"train": 100.0, "validation": 50.0, "test": 5.0, "other": 5.0},
        "device_hours": 0.04,
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
        "history": [],
        "versions": {"munet": "0.1.0"},
        "machine": {},
        "started": "2024-01-01T00:00:00+00:00",
        "finished": "2024-01-01T00:10:00+00:00",
    }
    return value | changes


def write(out: Path, value: Mapping[str, Any], place: str | None = None) -> Path:
    """Put a result where a run leaves it; returns the run's folder."""
    folder = out / (place or f"{value['benchmark']}/{value['budget']}/{value['method']}/{value['seed']}")
    (folder / "system").mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(value))
    return folder


def history(tasks: Sequence[str], turns: int, seed: int = 0, segments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A system that gets better and smaller; `segments` names as many equal parts."""
    draw = random.Random(seed)
    steps = [(turn, name) for turn in range(turns) for name in tasks]
    moments = []
    for step, (turn, name) in enumerate(steps):
        done = min(step + 1, len(tasks))
        moment: dict[str, Any] = {
            "iteration": turn,
            "task": name,
            "samples": 1000 * (step + 1),
            "flops_spent": 1e10 * (step + 1),
            "tasks": done,
            "mean_test_accuracy": 0.9 - 0.5 / (step + 2) + 0.01 * draw.random(),
            "mean_validation_accuracy": 0.9 - 0.4 / (step + 2),
            "parameters_per_task": 1.5e6 - 1e4 * step,
            "flops_per_task": 14e6 + 1e5 * draw.random(),
        }
        if segments:
            moment["segment"] = segments[step * len(segments) // len(steps)]
        moments.append(moment)
    return moments


METHODS = {
    "multi-head": (0.60, 227_037.6, 14.6e6),
    "multi-head+preprocessing=none": (0.74, 227_037.6, 14.6e6),
    "finetune-full": (0.76, 1_525_005.6, 14.6e6),
    "finetune-full+preprocessing=none": (0.87, 1_525_005.6, 14.6e6),
    "finetune-full+preprocessing=none+replicas=1": (0.92, 1_525_005.6, 14.6e6),
    "adapters:8": (0.70, 238_271.0, 14.7e6),
    "adapters:64": (0.72, 302_951.0, 15.4e6),
    "adapters:512": (0.75, 820_125.6, 20.5e6),
    "munet-no-autotune": (0.77, 1_100_000.0, 14.1e6),
    "munet+scale=0.3": (0.74, 148_352.0, 5.8e6),
    "munet+scale=0.9": (0.755, 440_000.0, 9.9e6),
    "munet": (0.78, 854_748.0, 14.8e6),
    "mu2net-plus": (0.88, 1_334_286.0, 14.9e6),
}


def grid(out: Path, methods: Mapping[str, tuple[float, float, float]] = METHODS, seeds: int = 3,
         budgets: Mapping[str, float] | None = None) -> Path:  # fmt: skip
    """Runs of many methods with figures like those of real ones; `budgets` says how many times the samples of mini."""
    for budget, times in (budgets or {"mini": 1}).items():
        for method, (mean, parameters, flops) in methods.items():
            for seed in range(seeds):
                draw = random.Random(f"{budget} {method} {seed}")
                better = (1 - mean) * (1 - times**-0.4) if times > 1 else 0.0
                scores = {
                    name: min(0.999, max(0.02, mean + better - 0.3 * ("omni" in name) + draw.uniform(-0.03, 0.05)))
                    for name in TASKS
                }
                spent = {"train": times * 2e12 * (flops / 14e6), "validation": times * 6e11}
                changes = {"budget": budget, "parameters_per_task": parameters * draw.uniform(0.97, 1.03),
                           "flops_per_task": flops * draw.uniform(0.97, 1.03), "flops_spent": spent,
                           "samples": int(51_200 * times * len(TASKS))}  # fmt: skip
                write(out, result(method, seed, scores, **changes, history=history(TASKS, 3, seed)))
    return out
