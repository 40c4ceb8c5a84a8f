"""Where the training samples of an evolution went: what holds it back against one long training.

    python benchmarks/limits.py experiments/mccb-local/mini/mu2net-plus/*/system

For each system, means over its tasks:

    lineage     share of a task's samples that trained the retained model or an ancestor for the same task; the rest
                went to children that were rejected or left no descendant
    restarts    trainings on the task that the retained model came through, each with a schedule of its own
    inherited   trainings on other tasks that it came through
    trained     share of the model's parameters that were trainable, over the samples of those trainings
    gap         validation minus test accuracy of the retained model, in points: the bias of selection
"""

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

from munet.analysis import model_history
from munet.system import System


def limits(system: System) -> dict[str, float]:
    """The figures of one system."""
    children = {child["model"]: child for child in model_history.children(system.store) if child["model"]}
    spent: dict[str, int] = {}
    for child in model_history.children(system.store):
        spent[child["task"]] = spent.get(child["task"], 0) + child["samples"]
    rows = [_of_task(system, row, children, spent[row["name"]]) for row in system.status()["tasks"] if row["model"]]
    return {key: mean(row[key] for row in rows) for key in rows[0]}


def _of_task(system: System, row: dict[str, Any], children: dict[str, Any], spent: int) -> dict[str, float]:
    line = [children[entry["model"]] for entry in system.log(row["name"]) if entry["model"] in children]
    own = [child for child in line if child["task"] == row["name"]]
    samples = sum(child["samples"] for child in own)
    trained = sum(child["samples"] * child["trainable_parameters"] / child["parameters"] for child in own)
    return {
        "lineage": samples / spent,
        "restarts": len(own),
        "inherited": len(line) - len(own),
        "trained": trained / samples,
        "gap": 100 * (row["validation_accuracy"] - row["test_accuracy"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="+", type=Path, metavar="SYSTEM")
    found = [limits(System.open(path)) for path in parser.parse_args().systems]
    print("| " + " | ".join(found[0]) + " |")
    print("|" + "---|" * len(found[0]))
    for row in [*found, {key: mean(one[key] for one in found) for key in found[0]}]:
        print("| " + " | ".join(f"{value:.2f}" for value in row.values()) + " |")


if __name__ == "__main__":
    main()
