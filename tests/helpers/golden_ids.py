"""Small runs whose models have the same ids for ever: what `test_golden_ids.py` compares with `golden_ids.json`.

python tests/helpers/golden_ids.py    # writes what this machine gets, where the numbers of the code are meant to change
"""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

import munet
from growing import evolve

FILE = Path(__file__).with_suffix(".json")
_WIDE: dict[str, Any] = {"generations": 2, "children": 2, "cycles": 2, "samples_per_cycle": 48, "batch_size": 16}


def machine() -> str:
    """What decides the last bits of a float on a CPU: the same name, the same ids."""
    return f"torch {torch.__version__.partition('+')[0]}, {torch.backends.cpu.get_cpu_capability()}"


def images(path: Path, classes: int) -> None:
    """Noise with a bright bar whose height tells the class."""
    rng = np.random.default_rng(5)
    path.mkdir(parents=True)
    for split, count in (("train", 60), ("validation", 24), ("test", 24)):
        labels = rng.permutation(np.arange(count) % classes)
        images = rng.integers(0, 90, (count, 28, 28), np.uint8)
        for row, label in enumerate(labels):
            images[row, 2 * label : 2 * label + 4] += 120
        np.savez(path / f"{split}.npz", image=images, label=labels)


def _evolved(method: str, folder: Path) -> munet.System:
    images(folder / "bars", 3)
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for task in ("first", "second"):
        system.add_task(task, f"npz:{folder / 'bars'}")
    evolve(system, method=method, task_iterations=1, threads=1, executor="local", **_WIDE)
    return system


def _munet(folder: Path) -> munet.System:
    return _evolved("munet", folder)


def _mu2net_plus(folder: Path) -> munet.System:
    return _evolved("mu2net-plus", folder)


def _allocation(folder: Path) -> munet.System:
    from munet.allocation.export.export import export_run
    from munet.allocation.runs.perform import configured, perform

    images(folder / "data" / "mnist", 10)
    torch.set_num_threads(1)
    config = configured("mnist4", preset_name="smoke", rounds=4, evaluate_every=2, threads=1)
    perform(config, folder / "run", folder / "data", device="cpu")
    export_run(folder / "run", folder / "system", data=folder / "data")
    return munet.System.open(folder / "system")


RUNS: dict[str, Callable[[Path], munet.System]] = {
    "munet": _munet,
    "mu2net-plus": _mu2net_plus,
    "allocation export": _allocation,
}


def ids_of(system: munet.System) -> dict[str, str]:
    """The retained model of each task, and everything that the store holds, by the hash of its sorted ids."""
    found = {task: str(system.task(task)["model"]) for task in system.tasks}
    for part in ("layers", "models"):
        names = sorted(file.parent.name + file.stem for file in (system.path / part).glob("*/*.*"))
        found[part] = hashlib.sha256("\n".join(names).encode()).hexdigest()
    return found


def shape_of(system: munet.System) -> str:
    """Hash of what does not hang on the last bits of a sum: of the first task the keys of its record and of its model's
    manifest, the sizes that no mutation changes, and what its first generation drew.
    """
    task = system.tasks[0]
    record = system.task(task)
    manifest = system.manifest(task)
    sizes = {slot: size for slot, size in manifest["sizes"].items() if not slot.startswith(("adapter", "posembed"))}
    fields: dict[str, Any] = {"record": sorted(record), "manifest": sorted(manifest), "sizes": sizes}
    fields["hyperparameters"] = sorted(manifest["hyperparameters"])
    fields["drawn"] = [
        [child["mutations"], child["hyperparameters"], child["cloned"], child["stream"]]
        for file in sorted((system.path / "runs").glob(f"*/{task}-0000-0000.json"))
        for child in json.loads(file.read_text())["children"]
    ]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def measured(name: str) -> tuple[dict[str, str], str]:
    with TemporaryDirectory() as folder:
        system = RUNS[name](Path(folder))
        return ids_of(system), shape_of(system)


def main() -> None:
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {"ids": {}, "shapes": {}}
    for name in RUNS:
        ids, shape = measured(name)
        known["ids"].setdefault(machine(), {})[name] = ids
        known["shapes"][name] = shape
    FILE.write_text(json.dumps(known, indent=2) + "\n")
    print(f"{FILE}: {machine()}", file=sys.stderr)


if __name__ == "__main__":
    main()
