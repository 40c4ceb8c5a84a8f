"""What a run says of itself when it begins: from it an observer knows all the work that there is."""

from munet.evolution.events import RunStarted
from munet.evolution.heads_read import as_done
from munet.evolution.runs import Run, finished_children
from munet.evolution.work import Images, images_of
from munet.model.loader import ModelLoader
from munet.tasks.cache.splits import Splits


def run_started(models: ModelLoader, run: Run, splits: Splits, speed: float) -> RunStarted:
    """`speed`: images that are trained on in a second, by a measurement of late; 0 where there is none."""
    method = run.method
    return RunStarted(
        run.name,
        method.name,
        run.tasks,
        task_iterations=method.task_iterations + method.head_first,
        generations=method.generations,
        children=method.children,
        cycles=method.cycles,
        resumed=run.resumed,
        finished_children=finished_children(models.store, run),
        head_first=method.head_first,
        images=tuple(_images(models, run, splits, name) for name in run.tasks),
        speed=speed,
        together=method.together,
    )


def _images(models: ModelLoader, run: Run, splits: Splits, task: str) -> Images:
    """What the run reads of a task."""
    record, size = models.store.read_task(task), run.request.image_size or models.image_size
    return images_of(as_done(models, splits, run.method, record, size), record, models.root_flops(size))
