"""Events as named numbers: one step for each validation of a model."""

from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    RunFinished,
    RunStarted,
    TaskFinished,
    TrunkCycle,
    TrunkStarted,
)


class Numbers:
    """The numbers of a run. `step` counts the validations so far, those of earlier sessions that are known included."""

    def __init__(self) -> None:
        self.step = 0
        self._trunk: tuple[str, ...] = ()  # tasks

    def of(self, event: Event) -> dict[str, float]:
        """Accuracies as fractions and scores, under `validation/TASK`, `best/TASK`, `score/TASK` and `test/TASK`."""
        match event:
            case RunStarted():
                self.step, self._trunk = event.finished_children * event.cycles, ()
            case TrunkStarted():
                self._trunk = event.tasks
            case TrunkCycle():
                self.step += len(event.accuracies)
                return {f"validation/{task}": value for task, value in zip(self._trunk, event.accuracies, strict=True)}
            case CycleFinished():
                self.step += 1
                return {f"validation/{event.task}": event.accuracy}
            case ChildFinished(best=True):
                found = {"best": event.accuracy, "score": event.score}
                return {f"{name}/{event.task}": value for name, value in found.items() if value is not None}
            case TaskFinished(task=task, test_accuracy=float(accuracy)):
                return {f"test/{task}": accuracy}
            case RunFinished():
                return {"seconds": event.seconds, "samples": float(event.samples)}
            case _:
                pass
        return {}
