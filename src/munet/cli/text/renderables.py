"""Plain values as rich renderables, for the commands that read a system.

Each takes what `System` returns and the columns of the terminal; below `WIDE` columns numbers are abbreviated.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.text import Text

from munet.cli.text.formatting import (
    NOTHING,
    bytes_text,
    change_text,
    compact,
    mflops,
    mutations_text,
    number,
    percent,
    points,
    short,
    slots_text,
)
from munet.cli.text.grid import grid, line
from munet.text import clean, counted, value_text

WIDE = 100
Row = Mapping[str, Any]


def _name(text: object, style: str = "") -> Text:
    return Text(clean(text), style=style)


def _task(row: Row) -> Text:
    words = {"private": "private", "active": "active", "older_data": "older data", "claimed": "claimed"}
    notes = "".join(f" {word}" for key, word in words.items() if row.get(key))
    return Text.assemble(clean(row["name"]), (notes, "dim"))


def status_view(status: Row, width: int) -> RenderableType:
    """The tasks of a system with accuracies in percent and sizes, then the totals."""
    tasks = status["tasks"]
    root = status["root"]
    head = line(
        f"{clean(status['path'])}: root {clean(root['source'])} ({short(root['id'])}), {counted(len(tasks), 'task')}"
    )
    if not tasks:
        return Group(head, line(f"Add a task: munet add {clean(status['path'])} NAME SOURCE", "dim"))
    size = number if width >= WIDE else compact
    sizes, shape, data = ("parameters", "accounted", "MFLOPs"), ("blocks", "px"), ("classes", "images")
    table = grid("task", "val %", "test %", *sizes, *shape, *data, "model", names=("task",), ids=("model",),
                 spare=(*data, *reversed(shape), *reversed(sizes), "model"))  # fmt: skip
    for row in tasks:
        cells: list[RenderableType] = [
            _task(row),
            percent(row["validation_accuracy"]),
            percent(row["test_accuracy"]),
            size(row["parameters"]),
            size(row["accounted_parameters"]),
            mflops(row["flops"]),
            value_text(row["num_blocks"]),
            value_text(row["image_size"]),
            number(row["classes"]),
            number(row["train_examples"]),
            short(row["model"]),
        ]
        table.add_row(*cells)
    totals = (
        f"mean test accuracy {percent(status['mean_test_accuracy'])} %, "
        f"{number(status['unique_parameters'])} unique parameters, "
        f"{number(status['parameters_per_task'])} per task"
    ) + _only(tasks)
    lines: list[RenderableType] = [head, line(""), table, line("")]
    if any(row["claimed"] for row in tasks):
        lines.append(line("claimed: accuracies are those that came with the model, and were not measured here", "dim"))
    if status["unique_parameters"]:
        lines.append(line(totals))
    else:
        lines.append(line(f"Nothing evolved yet: munet evolve {clean(status['path'])}", "dim"))
    for name in status["missing_tasks"]:
        way = "take it from a backup, or give the task up with munet task remove --yes"
        lines.append(line(f"The record of task {clean(name)} is missing: {way}.", "red"))
    lines += [line(unfinished_text(run), "yellow") for run in status["unfinished"]]
    return Group(*lines)


def unfinished_text(run: Row) -> str:
    """A run that is not finished: whose it is, what it holds, and the command that goes on with it."""
    of = f" of {clean(run['user'])}@{clean(run['host'])}" if run["user"] else ""
    at = f", now at {', '.join(map(clean, run['at']))}" if run["at"] else ""
    tasks, models = ", ".join(map(clean, run["tasks"])), counted(run["models"], "open model")
    about = f"begun {run['started']} over {tasks}{at}, with {models} ({run['samples']:,} samples of training)."
    if run["going_on"]:
        return f"Run {run['run']}{of} is going on: {about}"
    return f"Run {run['run']}{of} is not finished: {about} `{clean(run['resume'])}` goes on with it."


def added_view(records: Sequence[Row]) -> RenderableType:
    """New tasks with their classes and images."""
    table = grid(
        "task", "classes", "train", "validation", "test", "left out", "source",
        names=("task",), folds=("source",), spare=("left out",),
    )  # fmt: skip
    for record in records:
        sizes = (number(record["splits"][part]["examples"]) for part in ("train", "validation", "test"))
        row = (number(len(record["classes"])), *sizes, number(record["skipped"]), clean(record["source"]))
        table.add_row(_name(record["name"]), *row)
    return table


def log_view(entries: Sequence[Row], width: int) -> RenderableType:
    """A lineage, newest first: what each ancestor changed from its parent, and who evolved it."""
    who = ["who"] if any(entry["by"] for entry in entries) else []
    signed = ["signed by"] if any(entry["signed_by"] for entry in entries) else []
    claims = [""] if any(entry["claimed"] for entry in entries) else []
    columns = ("model", "task", *who, *signed, "depth", "val %", *claims, "changes")
    table = grid(*columns, names=("task", "who", "signed by", ""), folds=("changes",), ids=("model",))
    for entry in entries:
        if entry["task"] is None:
            changes = "the root"
        else:
            named = {m["name"] for m in entry["mutations"] if m.get("kind") == "set"}
            quiet = [change_text(k, *v) for k, v in entry["changed"].items() if k not in named]
            changes = ", ".join([mutations_text(entry["mutations"]), *quiet])
        style = "" if entry["alive"] else "dim"
        table.add_row(
            Text(short(entry["model"]) + ("" if entry["alive"] else "*"), style=style),
            _name(entry["task"] or NOTHING),
            *[_people(entry["by"])] * len(who),
            *[_people(entry["signed_by"])] * len(signed),
            str(entry["generation"]),
            percent(entry["validation_accuracy"]),
            *["claimed" if entry["claimed"] else ""] * len(claims),
            Text(changes, style=style),
        )
    parts: list[RenderableType] = [table]
    if not all(entry["alive"] for entry in entries):
        parts.append(line("* its weights were collected; how it came to be is kept", "dim"))
    return Group(*parts)


def remote_log_view(entries: Sequence[Row]) -> RenderableType:
    """What a remote tells of its tasks: the models that they retained, who evolved them, which are known here."""
    signed = ["signed by"] if any(entry["signed_by"] for entry in entries) else []
    columns = ("task", "model", "who", *signed, "claimed test %", "there", "here")
    table = grid(*columns, names=("task", "who", "signed by", "there", "here"), ids=("model",))
    for entry in entries:
        known = "known" if entry["known"] else "not yet"
        people = (_people(entry["by"]), *[_people(entry["signed_by"])] * len(signed))
        row = (short(entry["model"]), *people, percent(entry["test_accuracy"]), entry["state"], known)
        table.add_row(_name(entry["task"]), *row)
    return table if entries else line("No task has retained a model there yet.")


def show_view(model: Row, width: int) -> RenderableType:
    """One model: origin, measures, layers and who shares them, hyperparameters, mutation probabilities."""
    metrics = model["metrics"]
    of = f"task {clean(model['task'])}" if model["task"] else "root"
    lines: list[RenderableType] = [line(f"{model['model']}  {of}", "bold")]
    if model["by"]:
        lines.append(line(f"evolved by {clean(' and '.join(model['by']))}"))
    if model["signed_by"]:
        lines.append(line(f"signed by {clean(' and '.join(model['signed_by']))}"))
    if model["parent"]:
        depth = f"{counted(model['generation'], 'step')} from the root"
        made = f"child of {short(model['parent'])} by {clean(model['method'])}, {depth}"
        lines.append(line(f"{made}: {mutations_text(model['mutations'])}"))
        accuracies = " ".join(percent(a) for a in metrics["accuracies"])
        measured = f"validation {percent(metrics['validation_accuracy'])} % on {number(metrics['validation_examples'])}"
        tested = f", test {percent(model['test_accuracy'])} %" if model["test_accuracy"] is not None else ""
        claimed = ": claimed, not measured here" if model["claimed"] else ""
        lines.append(line(f"{measured} images (cycles: {accuracies}){tested}{claimed}"))
        accounted = f"{number(metrics['accounted_parameters'])} accounted parameters when it was made"
        score = NOTHING if metrics["score"] is None else f"{metrics['score']:.4f}"
        lines.append(line(f"score {score}, {accounted}, {mflops(metrics['flops'])} MFLOPs"))
    total = sum(layer["parameters"] for layer in model["layers"])
    deep = counted(model["num_blocks"], "block") if model["num_blocks"] else counted(len(model["layers"]), "layer")
    lines.append(line(f"{deep}, {model['image_size']} px, {number(total)} parameters"))
    who = ["who"] if any(layer["by"] for layer in model["layers"]) else []
    table = grid("slot", "layer", "parameters", "trained by", *who, "shared with",
                 names=("slot", "trained by", "who"), folds=("shared with",), ids=("layer",))  # fmt: skip
    for layer in model["layers"]:
        shared = ", ".join(clean(task) for task in layer["shared_with"])
        together = f"{len(layer['together'])} tasks together" if layer["together"] else None
        made = (_name(together or layer["trained_by"]), *[_people(layer["by"])] * len(who))
        table.add_row(layer["slot"], short(layer["layer"]), number(layer["parameters"]), *made, Text(shared))
    lines += [line(""), table]
    if model["hyperparameters"]:
        lines += [line(""), line("hyperparameters", "bold"), _pairs(model["hyperparameters"])]
    if model["mutation_probabilities"]:
        lines += [line(""), line("mutation probabilities", "bold"), _pairs(model["mutation_probabilities"])]
    return Group(*lines)


def _people(by: Sequence[str]) -> Text:
    return _name(", ".join(by) or NOTHING)


def _pairs(values: Row) -> Columns:
    """Names with their values in as many columns as fit."""
    return Columns([Text(f"{clean(name)} {value_text(value)}") for name, value in values.items()], padding=(0, 3, 0, 0))


def diff_view(diff: Row, width: int) -> RenderableType:
    """Which layers two models share, and the hyperparameters in which they differ."""
    a, b = short(diff["a"]), short(diff["b"])
    smaller = min(diff["parameters_a"], diff["parameters_b"])
    share = f" ({percent(diff['shared_parameters'] / smaller, 1)} % of the smaller)" if smaller else ""
    lines: list[RenderableType] = [
        line(f"a {a}  {number(diff['parameters_a'])} parameters"),
        line(f"b {b}  {number(diff['parameters_b'])} parameters"),
        line(
            f"shared  {number(diff['shared_parameters'])} parameters{share}: {slots_text(diff['shared']) or 'no layer'}"
        ),
    ]
    layers = grid("slot", f"a {a}", f"b {b}", names=("slot",), ids=(f"a {a}", f"b {b}"))
    for pair in diff["different"]:
        layers.add_row(pair["slot"], short(pair["a"]), short(pair["b"]))
    for slot in diff["only_a"]:
        layers.add_row(slot, "has it", NOTHING)
    for slot in diff["only_b"]:
        layers.add_row(slot, NOTHING, "has it")
    if layers.row_count:
        lines += [line(""), layers]
    if diff["hyperparameters"]:
        settings = grid("hyperparameter", "a", "b", names=("hyperparameter",))
        for name, (mine, other) in diff["hyperparameters"].items():
            settings.add_row(_name(name), value_text(mine), value_text(other))
        lines += [line(""), settings]
    if not layers.row_count and not diff["hyperparameters"]:
        lines.append(line("No layer and no hyperparameter differs."))
    return Group(*lines)


def evaluate_view(results: Mapping[str, Row], width: int) -> RenderableType:
    """Accuracy of each task on one split, and the mean over tasks."""
    splits = sorted({row["split"] for row in results.values()})
    column = f"{'/'.join(splits)} %"
    table = grid("task", column, "correct", "images", "model", names=("task",), ids=("model",), spare=("model",))
    for name, row in results.items():
        table.add_row(
            _name(name), percent(row["accuracy"]), number(row["correct"]), number(row["examples"]), short(row["model"])
        )
    mean = sum(row["accuracy"] for row in results.values()) / len(results)
    return Group(table, line(""), line(f"mean {percent(mean)} % over {counted(len(results), 'task')}"))


def predict_view(
    files: Sequence[str], tops: Sequence[Sequence[Sequence[tuple[str, float]]]], tasks: Sequence[str]
) -> RenderableType:
    """The likeliest classes of each image with their probabilities in percent, by each task where there are several."""
    several = ["task"] if len(tasks) > 1 else []
    table = grid("image", *several, "class", "%", names=("image", "task", "class"))
    for file, answers in zip(files, tops, strict=True):
        for task, top in zip(tasks, answers, strict=True):
            for rank, (label, probability) in enumerate(top):
                style = "bold" if rank == 0 else ""
                image = _name(file if rank == 0 and task == tasks[0] else "")
                of = [_name(task if rank == 0 else "")] if several else []
                table.add_row(image, *of, _name(label, style), Text(percent(probability, 1), style))
    return table


def before_after_view(
    before: Sequence[Row], after: Sequence[Row], names: Collection[str], width: int
) -> RenderableType:
    """The tasks `names` before and after a run: accuracies in percent, sizes, compute."""
    old = {row["name"]: row for row in before}
    sizes = (("parameters", compact), ("accounted_parameters", compact), ("flops", mflops))
    table = grid(
        "task", "val % was", "now", "test % was", "now", "params", "accounted", "MFLOPs", "change",
        names=("task",), spare=("MFLOPs", "accounted", "params", "val % was", "change"),
    )  # fmt: skip
    for row in after:
        if row["name"] not in names:
            continue
        was = old.get(row["name"], {})
        table.add_row(
            _name(row["name"]),
            percent(was.get("validation_accuracy")),
            percent(row["validation_accuracy"]),
            percent(was.get("test_accuracy")),
            percent(row["test_accuracy"]),
            *(_was_and_is(was.get(key), row[key], text, width) for key, text in sizes),
            points(was.get("test_accuracy"), row["test_accuracy"]),
        )
    return table


def _was_and_is(was: float | None, now: float | None, text: Callable[[float | None], str], width: int) -> str:
    """`1.04M→595k` where it changed and there is room, else the value now."""
    return text(now) if width < WIDE or was is None or text(was) == text(now) else f"{text(was)}→{text(now)}"


def totals_line(status: Row) -> str:
    tasks = status["tasks"]
    grown = sum(row["model"] is not None for row in tasks)
    if not grown:
        return "no task has a model yet"
    over = (
        counted(grown, "task") if grown == len(tasks) else f"the {grown} of {counted(len(tasks), 'task')} with a model"
    )
    return (
        f"mean test accuracy {percent(status['mean_test_accuracy'])} % over {over}, "
        f"{number(status['unique_parameters'])} unique parameters, {number(status['parameters_per_task'])} per task"
    )


def _only(tasks: Sequence[Row]) -> str:
    """Over how many tasks a mean is, where some have no model yet."""
    grown = sum(row["model"] is not None for row in tasks)
    return "" if grown == len(tasks) else f" (over the {grown} of {counted(len(tasks), 'task')} that have a model)"


def fsck_view(report: Row, path: str) -> RenderableType:
    """What a check found: one line for each damaged object, then the sum."""
    whole = ", ".join(counted(report[f"{noun}s"], noun) for noun in ("task", "model", "layer"))
    lines: list[RenderableType] = [line(f"damaged: {clean(text)}", "red") for text in report["lines"]]
    lines += [line(f"stray: {clean(file)} (no damage)", "dim") for file in report["strays"]]
    if report["elsewhere"]:
        lines.append(line(f"{counted(report['elsewhere'], 'layer')} of {clean(path)} will come when used"))
    if not report["lines"]:
        return Group(*lines, line(f"{clean(path)} is whole: {whole}, {bytes_text(report['bytes'])} checked"))
    hurt = ", ".join(clean(task) for task in report["hurt"]) or "none"
    lines.append(
        line(f"{counted(len(report['lines']), 'damaged object')} in {clean(path)} ({whole}); tasks hurt: {hurt}")
    )
    lines.append(line("An object is the same wherever its name is the same."))
    return Group(*lines)
