"""The steps of the quickstart. Each looks at what exists, so that the same command goes on after an interruption."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from munet.analysis.model_history import children
from munet.errors import InputError
from munet.evolution.events import Observer
from munet.quickstart.journal import FILE, Journal
from munet.quickstart.setup import Setup
from munet.search import load_method
from munet.store.run_records import read_config
from munet.system import System

Say = Callable[[str], None]
Watch = Callable[[Sequence[Mapping[str, Any]]], AbstractContextManager[Observer]]
SYSTEM = "adaptive"
BASELINES = {"head_only": "head-only", "fine_tuning": "finetune-full", "tuned": "finetune-tuned"}
METHODS = (*BASELINES, "system")
_PROOF_IMAGES = 40  # of each earlier task
_THREADS = 1  # steps of a small batch gain little from a second one, and lose all where something else runs


def run(
    folder: str | Path,
    *,
    seed: int | None = None,
    threads: int | None = None,
    setup: Setup | None = None,
    say: Say,
    watch: Watch,
) -> dict[str, Any]:
    """Grow a system in `folder`/system, compare it with baselines, draw it; returns the result (JSON values).

    `say` gets one line before each step, `watch` makes an observer of each evolution from the rows of a status.
    Everything runs on the CPU, with the same seed the same way; None stands for seed 0 and one thread, or for what
    the quickstart was begun with. A finished quickstart only returns its result.
    """
    folder, setup = Path(folder), setup or Setup()
    if not (folder / FILE).is_file():
        setup.check()
    defaults = {"seed": 0, "threads": _THREADS}
    journal = Journal.open(folder, {"seed": seed, "threads": threads, **setup.to_json()}, defaults)
    if journal["result"]:
        return _redrawn(folder, journal["result"])
    journal.put("sessions", journal["sessions"] + 1)
    options = {name: journal["request"][name] for name in defaults} | {"device": "cpu"}
    return _Grower(folder, setup, options, journal, say, watch).go()


class _Grower:
    """One quickstart: what all its steps need."""

    def __init__(
        self, folder: Path, setup: Setup, options: dict[str, Any], journal: Journal, say: Say, watch: Watch
    ) -> None:
        self.folder, self.setup, self.options, self.journal = folder, setup, options, journal
        self.say, self.watch = say, watch
        self.data = folder / "data"

    def go(self) -> dict[str, Any]:
        with self.journal.timed("images"):
            names = self.setup.tasks(self.data)
        *first, later = names
        with self.journal.timed("system"):
            self.say(f"1/4  Growing one system on {len(first)} tasks: {', '.join(first)}")
            system = self.open("system", first)
            self.evolve(system, first, self.setup.arguments(SYSTEM))
            self.say(f"2/4  A task comes later: {later}. What the others answer is noted before and compared after")
            if not self.journal["before"]:
                self.journal.put("before", self.logits(first))
            self.open("system", names)
            self.evolve(system, [later], self.setup.arguments(SYSTEM))
            proof = _compared(self.journal["before"], self.logits(first))
        self.say("3/4  The baselines, each in a system of its own: heads alone, fine-tuning, fine-tuning tuned by hand")
        for baseline, method in BASELINES.items():
            with self.journal.timed(baseline):
                self.evolve(self.open(f"baselines/{baseline}", names), names, self.setup.arguments(method))
        self.say("4/4  The picture of the network")
        from munet.report import draw_network

        with self.journal.timed("picture"):
            draw_network(system, self.folder / "network.png")
        result = self.result(names, proof)
        self.journal.put("result", result)
        shutil.rmtree(self.folder / "baselines", ignore_errors=True)  # their numbers are kept, their weights are not
        return result

    def open(self, name: str, tasks: Sequence[str]) -> System:
        """The system of that name with these tasks, made as far as it is not there."""
        path = self.folder / name
        if (path / "munet.json").is_file():
            system = System.open(path)
        else:
            path.parent.mkdir(exist_ok=True)
            setup = self.setup
            system = System.create(
                path, setup.root, depth=setup.depth, image_size=setup.image_size, seed=self.options["seed"]
            )
        for task in tasks:
            if task not in system.tasks:
                system.add_task(task, f"npz:{self.data / f'{task}.npz'}")
        return system

    def evolve(self, system: System, tasks: list[str], arguments: dict[str, Any]) -> None:
        """Evolve what has not had its task iterations yet, or go on with what was interrupted."""
        method = load_method(arguments["method"], arguments["budget"].overrides())
        wanted = method.task_iterations + method.head_first
        done = all(system.task(task)["iterations"] >= wanted for task in tasks)
        store, open_run = system.store, system.status()["unfinished_run"]
        if done and (open_run is None or read_config(store, open_run)["request"]["tasks"] != tasks):
            return
        with self.watch(system.status()["tasks"]) as observer:
            from munet.evolution.options import Where
            from munet.evolution.start import evolve

            where = Where(device=self.options["device"], threads=self.options["threads"])
            evolve(system, tasks, observer=observer, where=where, seed=self.options["seed"], **arguments)

    def logits(self, tasks: Sequence[str]) -> dict[str, Any]:
        """Answers of every task's model to the same images, the first test images of all these tasks, as a hash.

        The system is opened anew, so that what is on disk answers.
        """
        import torch

        from munet.tasks import load

        torch.set_num_threads(self.options["threads"])
        system = System.open(self.folder / "system")
        images = [image for task in tasks for image in load(system.task(task), "test").images[:_PROOF_IMAGES]]
        digest, count = hashlib.sha256(), 0
        for task in tasks:
            logits = system.predict(task, images, device="cpu").logits
            digest.update(logits.contiguous().numpy().tobytes())
            count += logits.numel()
        return {"tasks": list(tasks), "images": len(images), "logits": count, "sha256": digest.hexdigest()}

    def result(self, names: Sequence[str], proof: dict[str, Any]) -> dict[str, Any]:
        """The table and all that is said about it, as JSON values."""
        systems = {"system": "system"} | {baseline: f"baselines/{baseline}" for baseline in BASELINES}
        opened = {method: System.open(self.folder / path) for method, path in systems.items()}
        rows = opened["system"].status()["tasks"]
        about = ("name", "classes", "train_examples", "validation_examples", "test_examples")
        return {
            "directory": str(self.folder),
            "later_task": names[-1],
            "tasks": [{key: row[key] for key in about} for row in rows],
            "methods": {method: _measured(opened[method]) for method in METHODS},
            "proof": proof,
            "picture": str(self.folder / "network.png"),
            "seconds": dict(self.journal["seconds"]),
            "total_seconds": round(sum(self.journal["seconds"].values()), 1),
            "sessions": self.journal["sessions"],
            "seed": self.options["seed"],
            "threads": self.options["threads"],
            "budget": self.setup.to_json(),
        }


def _measured(system: System) -> dict[str, Any]:
    status = system.status()
    samples: dict[str, int] = {}
    for child in children(system.store):
        samples[child["task"]] = samples.get(child["task"], 0) + child["samples"]
    return {
        "test_accuracy": {row["name"]: row["test_accuracy"] for row in status["tasks"]},
        "mean_test_accuracy": status["mean_test_accuracy"],
        "parameters_per_task": status["parameters_per_task"],
        "unique_parameters": status["unique_parameters"],
        "training_samples": samples,
    }


def _compared(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Both hashes and whether they agree. Were they not to, the result would say so, and the command line fail."""
    return {
        **after,
        "sha256_before": before["sha256"],
        "sha256_after": after["sha256"],
        "unchanged": before == after,
    }


def _redrawn(folder: Path, result: dict[str, Any]) -> dict[str, Any]:
    """The result of a finished quickstart; its picture is drawn again if someone removed it."""
    if not (folder / "network.png").is_file():
        if not (folder / "system" / "munet.json").is_file():
            raise InputError(f"{folder} lacks the system that its quickstart grew: give another directory")
        from munet.report import draw_network

        draw_network(System.open(folder / "system"), folder / "network.png")
    return {**result, "directory": str(folder), "picture": str(folder / "network.png")}
