"""The network: tasks, the layers of their models, who trained and who shares them (A3, A5, Figure 4)."""

from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.report.figures.needs import Options, one_system, readable, some
from munet.report.network.layout import Layer, Layout, Path, arrange
from munet.report.network.picture import picture, visible_slots
from munet.text import counted

FEW = 24  # tasks up to which the best order of columns is searched for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from munet.analysis import History
    from munet.analysis.paths import Layer as Known


def draw(history: "History", options: Options) -> "Figure":
    """The network as it is, or with `options.step` as it was when that model had been sampled."""
    one_system(history, "network")
    if options.step is None:
        readable(history, "network")
        paths = retained_paths(history)
        return picture(paths, _title(history), layout=layout_of(paths))
    steps = len(some(history.children, "network", "sampled children, which --step counts"))
    if not 0 <= options.step < steps:
        raise InputError(f"--step {options.step}: the system has sampled models 0 to {steps - 1}")
    paths = paths_at(history, options.step)
    some(history.tasks[[bool(path.layers) for path in paths]], "network", f"a task with a model at step {options.step}")
    return picture(paths, step_title(paths, options.step), layout=layout_of(paths))


def layout_of(paths: list[Path]) -> Layout:
    """The usual layout; of many tasks with columns ordered as the report page has them, which takes less time."""
    many = sum(bool(path.layers) for path in paths) > FEW
    return arrange(paths, visible_slots(paths), order_of(paths) if many else None)


def order_of(paths: list[Path]) -> list[str]:
    """Tasks with a model in the order of their columns."""
    grown = [path for path in paths if path.layers]
    if len(grown) <= FEW:
        return list(arrange(grown, visible_slots(grown)).tasks)
    from munet.report.page.columns import arranged

    number = {path.task: place for place, path in enumerate(grown)}
    layers = [{slot: layer.identity for slot, layer in path.layers.items()} for path in grown]
    makers = {
        layer.identity: [number[task] for task in layer.together or (layer.trained_by,) if task in number]
        for path in grown
        for layer in path.layers.values()
    }
    return [grown[place].task for place in arranged(layers, makers)[0]]


def retained_paths(history: "History") -> list[Path]:
    """What is drawn of each task, in the order in which they were added."""
    layers: dict[str, dict[str, Layer]] = {}
    columns = ["task", "slot", "layer", "parameters", "trained_by", "together"]
    for task, slot, layer, parameters, trainer, together in history.layers[columns].itertuples(index=False):
        layers.setdefault(task, {})[slot] = Layer(layer, _size(parameters), _trainer(trainer), together)
    known = history.tasks[["task", "validation_accuracy"]].itertuples(index=False)
    return [Path(task, layers.get(task, {}), accuracy if accuracy == accuracy else None) for task, accuracy in known]


def paths_at(history: "History", step: int) -> list[Path]:
    """The same at a step, with validation accuracies."""
    from munet.analysis import growth

    best, known = growth.best_at(history, step), growth.paths_at(history, step)
    return [
        Path(
            task,
            {slot: drawn(layer) for slot, layer in known.get(task, {}).items()},
            best[task].accuracy if task in best else None,
        )
        for task in history.tasks["task"]
    ]


def drawn(layer: "Known") -> Layer:
    """A layer of the growth as the picture has it."""
    return Layer(layer.id, layer.parameters or 0, _trainer(layer.trained_by), layer.together)


def _trainer(name: str) -> str | None:
    return None if name == "root" else name


def _size(parameters: float) -> int:
    return int(parameters) if parameters == parameters else 0


def _title(history: "History") -> str:
    """Totals as `status` has them."""
    from munet.analysis.summary import totals

    found = totals(history)
    parts = [
        counted(found["evolved_tasks"], "task"),
        f"{found['unique_parameters']:,} unique parameters",
        f"{round(found['parameters_per_task']):,} per task",
    ]
    if found["mean_test_accuracy"] is not None:
        parts.append(f"mean test accuracy {100 * found['mean_test_accuracy']:.1f} %")
    return "  ·  ".join(parts)


def step_title(paths: list[Path], step: int, steps: int | None = None) -> str:
    """What the system had come to at a step."""
    grown = [path for path in paths if path.layers]
    accuracies = [path.accuracy for path in grown if path.accuracy is not None]
    parts = [f"step {step:,}" + (f" of {steps:,}" if steps is not None else ""), counted(len(grown), "task")]
    if accuracies:
        parts.append(f"mean validation accuracy {100 * sum(accuracies) / len(accuracies):.1f} %")
    return "  ·  ".join(parts)
