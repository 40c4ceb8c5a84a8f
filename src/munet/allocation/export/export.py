"""From a joint run to a system: what was learned, as frozen layers and a path for each task."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.allocation.data.sources import input_shape, normalisation, readable
from munet.allocation.export.freeze import describe
from munet.allocation.export.write import Export, ExportedTask, Origin, Scored
from munet.allocation.runs.folder import RunFolder
from munet.allocation.runs.perform import RunConfig, make_allocation, make_network
from munet.allocation.training.scores import score
from munet.errors import InputError, StoreError
from munet.importing.names import task_names
from munet.store import schema
from munet.store.staging import refuse_taken
from munet.tasks.record import with_data, without_data
from munet.tasks.splits import PARTS

if TYPE_CHECKING:
    from munet.allocation.data.tasks import TaskData
    from munet.allocation.network.network import MultitaskNetwork
    from munet.allocation.routing.allocations import Allocation

Progress = Callable[[int, int], None]


def export_network(
    network: "MultitaskNetwork",
    allocation: "Allocation",
    tasks: "Sequence[TaskData]",
    system: Path | str,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Write a network of your own with its allocation as a system at `system`; returns what it came to.

    Each task becomes a model whose path holds what it uses in evaluation, measured now on the validation and test
    examples of `tasks`. Its images are not named in the system: `munet.importing.attach` does that.

    mean, std  of each channel, 0 and 1 unless given: what the network was trained on is (images / 255 - mean) / std.
               That of `Examples` is images / 255; where you had inverted the images, give 1 and -1
    InputError for tasks without classes, inputs that are no square images, and modules that a system cannot describe;
    StoreError where something is at `system`.
    """
    place = Path(system)
    refuse_taken(place.absolute())
    names = [task.name for task in tasks]
    if tuple(names) != allocation.tasks:
        raise InputError(f"tasks {', '.join(names)} for an allocation of {', '.join(allocation.tasks)}: give its own")
    _refuse_regression({task.name: task.classes for task in tasks})
    shape = tasks[0].splits["train"].input_shape
    seen = describe(network, allocation, shape, mean or [0.0] * shape[0], std or [1.0] * shape[0])
    ours = task_names(names)
    facts = [
        ExportedTask(
            without_data(ours[task.name], task.classes, private=False),
            *(_measured(network, allocation, number, task, part) for part in ("validation", "test")),
        )
        for number, task in enumerate(tasks)
    ]
    origin = Origin("allocation:python", type(allocation).__name__, {"kind": "train_jointly"}, {"tasks": names})
    return Export(network, allocation, seen, facts, origin).write(place)


def _measured(
    network: "MultitaskNetwork", allocation: "Allocation", number: int, task: "TaskData", part: str
) -> Scored:
    if part not in task.splits or not len(task.splits[part]):
        return Scored()
    device = str(next(network.parameters()).device)
    weights = [weight.to(device) for weight in allocation.evaluation_weights(number)]
    training = network.training
    try:
        return Scored(score(network, weights, number, task, part, device), len(task.splits[part]))
    finally:
        network.train(training)


def export_run(
    run: Path, system: Path | str, checkpoint: str = "best", data: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a checkpoint of a run as a system at `system`; returns what it came to, with `round` and `notes`.

    checkpoint  "best" by validation, "last" or a round
    data        folder of local image sets: tasks whose images munet's sources can read there have them in the system.
                The others predict, and `munet attach` gives them images. Nothing else of the data is needed.

    Accuracies are those that the run measured; the test accuracy is known of its best and its last checkpoint only.
    InputError where there is no such checkpoint or nothing that a system can hold, StoreError as `export_network`.
    """
    place, folder = Path(system), RunFolder(run)
    refuse_taken(place.absolute())
    request = folder.config()["request"]
    if "experiment" not in request:
        raise InputError(f"{run} was made from Python, not by `munet allocation train`: call export_network there")
    config = RunConfig.of_request(request)
    round = folder.round_of(checkpoint)
    held = folder.checkpoint(round)
    if held["network"] is None:
        raise InputError(
            f"{run}: the checkpoint of round {round} has no weights any more (--keep best): export best or last"
        )
    network, allocation = _rebuilt(config, held)
    mean, std = normalisation(config.experiment, config.data)
    seen = describe(network, allocation, input_shape(config.experiment, config.data), mean, std)
    notes: list[str] = []
    facts = _exported_tasks(config, folder, held, round, data, notes, progress)
    origin = Origin(
        f"allocation:{config.experiment}",
        config.method,
        {"kind": "train_jointly", "round": round},
        {"request": request, "round": round, "tasks": held["tasks"]},
    )
    return Export(network, allocation, seen, facts, origin).write(place) | {"round": round, "notes": notes}


def _rebuilt(config: RunConfig, held: Mapping[str, Any]) -> "tuple[MultitaskNetwork, Allocation]":
    """Network and allocation of a checkpoint; the number of classes is that of its heads."""
    state, names = held["network"], held["tasks"]
    classes = [len(state[f"heads.{number}.bias"]) for number in range(len(names))]
    if config.experiment == "synthetic":
        _refuse_regression(dict.fromkeys(names, 0))
    network = make_network(config, classes, input_shape(config.experiment, config.data))
    allocation = make_allocation(config, names, network)
    network.load_state_dict(state)
    allocation.load_state_dict(held["allocation"])
    return network, allocation


def _refuse_regression(classes: Mapping[str, int]) -> None:
    for name, count in classes.items():
        if not count:
            raise InputError(f"task {name} has values to predict and no classes: a system holds classifiers only")


def _exported_tasks(
    config: RunConfig,
    folder: RunFolder,
    held: Mapping[str, Any],
    round: int,
    data: Path | None,
    notes: list[str],
    progress: Progress | None,
) -> list[ExportedTask]:
    scores = _scores(folder, round, notes)
    examples = (folder.summary() or {}).get("examples", {})
    sources = readable(config.experiment, config.data, data)
    ours, facts = task_names(held["tasks"]), []
    read: dict[tuple[str, int], schema.TaskData] = {}  # several tasks may have the same images
    for number, label in enumerate(held["tasks"]):
        outputs = len(held["network"][f"heads.{number}.bias"])
        part = without_data(ours[label], outputs, private=False)
        if label in sources:
            key = sources[label], outputs
            if key not in read:
                read[key] = with_data(ours[label], *key, progress=progress)
            found: schema.TaskData = {**read[key], "name": ours[label]}
            counts = {name: found["splits"][name]["examples"] for name in PARTS}
            if counts == examples.get(label, counts):
                part = found
            else:
                notes.append(f"{sources[label]} has other examples than task {label} was trained on: it stays without")
        scored = {
            name: Scored(scores.get(name, {}).get(label), examples.get(label, {}).get(name))
            for name in ("validation", "test")
        }
        facts.append(ExportedTask(part, scored["validation"], scored["test"]))
    return facts


def _scores(folder: RunFolder, round: int, notes: list[str]) -> dict[str, dict[str, float]]:
    """Accuracies of a checkpoint by split and task, as the run measured them."""
    summary = folder.summary() or {}
    for which in ("best", "last"):
        if summary.get(which, {}).get("round") == round:
            return summary[which]["scores"]
    notes.append(f"the run did not test its checkpoint of round {round}: its models have no test accuracy")
    line = next((line for line in folder.metrics() if line["round"] == round), None)
    if line is None:
        raise StoreError(
            f"{folder.path / 'metrics.jsonl'} has lost the line of round {round}: export another checkpoint"
        )
    return {"validation": line["validation"]} if "validation" in line else {}
