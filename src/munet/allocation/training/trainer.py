"""A whole run: rounds of joint training, evaluations, checkpoints, the best one by validation, one test at the end."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import torch

from munet.allocation.data.tasks import TaskData, on_device
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.runs.folder import RunFolder, best_round
from munet.allocation.runs.summaries import final, write_arrays
from munet.allocation.training.joint import JointTrainer
from munet.allocation.training.scores import measured
from munet.allocation.training.settings import Settings
from munet.fs.locks import alone

Observer = Callable[[str, Mapping[str, Any]], None]
"""Called with "started" (round, rounds, resumed), "round" (round, rounds), "evaluated" (a line of metrics.jsonl, and
rounds, seconds, best) and "finished" (the summary)."""

SAVE_SECONDS = 60.0  # a crash loses about this much at most; no result depends on it


def train(
    network: MultitaskNetwork,
    allocation: Allocation,
    tasks: Sequence[TaskData],
    settings: Settings,
    out: Path | str | None = None,
    *,
    request: Mapping[str, Any] | None = None,
    device: str = "cpu",
    observe: Observer | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Train `network` and `allocation` jointly on `tasks`; the summary of the run, as in its summary.json.

    With `out` every file of the run goes there (docs/allocation.md lists them), and a call with the same arguments goes
    on where an earlier one was interrupted: on a CPU to the same bits. Without it nothing is kept. On return both
    modules are those of the best checkpoint by mean validation score (the last one where there is no validation).

    network, allocation  as initialised; changed in place
    request     what config.json says of the run, and what decides whether a call goes on; the settings and the names of
                the tasks unless given
    stop        asked after each round; True saves the state and raises KeyboardInterrupt
    Raises InputError where network, allocation and tasks do not fit, for an `out` that holds something else, and for a
    loss that is not finite. Source: arXiv 1910.04915 and its published code.
    """
    with ExitStack() as stack:
        place = Path(out) if out is not None else Path(stack.enter_context(TemporaryDirectory())) / "run"
        trainer = JointTrainer(network, allocation, on_device(tasks, device), settings, device=device)
        folder = RunFolder(place)
        asked = dict(request) if request is not None else settings.plain() | {"tasks": [task.name for task in tasks]}
        config = folder.begin(asked, threads=torch.get_num_threads())
        stack.enter_context(alone(folder.path / "lock", "training"))
        run = _Run(trainer, folder, observe or (lambda event, fields: None), stop)
        summary = folder.summary() or run.to_the_end(config)
        held = folder.checkpoint(summary["best"]["round"])
        network.load_state_dict(held["network"])
        allocation.load_state_dict(held["allocation"])
        run.observe("finished", summary)
        return summary


class _Run:
    """One session of a run: what is counted, measured and kept beside the training itself."""

    def __init__(self, trainer: JointTrainer, folder: RunFolder, observe: Observer, stop: Callable[[], bool]) -> None:
        self.trainer, self.folder, self.observe, self.stop = trainer, folder, observe, stop
        self.settings = trainer.settings
        self.lines: list[dict[str, Any]] = []
        self.stripped: set[int] = set()
        self.seconds = 0.0  # of training and validation, over all sessions
        self.began = self.saved = monotonic()

    def to_the_end(self, config: Mapping[str, Any]) -> dict[str, Any]:
        self._resume()
        trainer, rounds = self.trainer, self.settings.rounds
        while trainer.round < rounds:
            trainer.train_round()
            due = trainer.round % self.settings.evaluate_every == 0 or trainer.round == rounds
            if due:
                self._evaluate()
            stopping = trainer.round < rounds and self.stop()
            if due or stopping or monotonic() - self.saved >= SAVE_SECONDS:
                self._save()
            if due and self.settings.keep == "best":
                self._strip()
            if stopping:
                raise KeyboardInterrupt
            self.observe("round", {"round": trainer.round, "rounds": rounds})
        return self._finish(config)

    @property
    def best(self) -> int:
        """Round of the best evaluation so far."""
        return best_round(self.lines)

    def _resume(self) -> None:
        state = self.folder.state()
        if state is not None:
            self.trainer.load_state(state["trainer"])
            self.seconds = state["seconds"]
            self.lines = self.folder.metrics(self.trainer.round)
        fields = {"round": self.trainer.round, "rounds": self.settings.rounds, "resumed": state is not None}
        self.observe("started", fields)

    def _evaluate(self) -> None:
        trainer = self.trainer
        line = {
            "round": trainer.round,
            "step": trainer.step,
            "samples": trainer.samples,
            "training_loss": dict(zip((task.name for task in trainer.tasks), trainer.take_losses(), strict=True)),
        }
        line |= measured(
            trainer.network,
            trainer.allocation,
            trainer.tasks,
            step=trainer.step,
            device=trainer.device,
        )
        self.folder.write_checkpoint(trainer.round, self._checkpoint())
        self.lines.append(line)
        self.folder.write_metrics(self.lines)
        fields = {"rounds": self.settings.rounds, "seconds": self._elapsed(), "best": self.best == trainer.round}
        self.observe("evaluated", line | fields)

    def _checkpoint(self) -> dict[str, Any]:
        trainer = self.trainer
        return {
            "round": trainer.round,
            "step": trainer.step,
            "tasks": [task.name for task in trainer.tasks],
            "clusters": [task.cluster for task in trainer.tasks],
            "components": [list(pool.names) for pool in trainer.network.pools],
            "probabilities": trainer.allocation.probabilities(),
            "greedy": trainer.allocation.greedy(),
            "network": trainer.network.state_dict(),
            "allocation": trainer.allocation.state_dict(),
        }

    def _elapsed(self) -> float:
        return self.seconds + monotonic() - self.began

    def _save(self) -> None:
        self.folder.write_state({"trainer": self.trainer.state(), "seconds": self._elapsed()})
        self.saved = monotonic()

    def _strip(self) -> None:
        """Once the state is safe: should a crash undo the newest evaluation, the best before it must still be there."""
        for round in {line["round"] for line in self.lines} - {self.best, self.trainer.round} - self.stripped:
            self.folder.strip(round)
            self.stripped.add(round)

    def _finish(self, config: Mapping[str, Any]) -> dict[str, Any]:
        summary = final(self.trainer, self.folder, self.best, config, self._elapsed())
        write_arrays(self.folder, self.best)
        self.folder.write_summary(summary)
        return summary
