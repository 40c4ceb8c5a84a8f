"""What `munet catalog` shows: the benchmarks, the tasks of one, and one task with the source of every value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from munet.cli.text.formatting import NOTHING, compact, number, percent
from munet.cli.text.grid import grid, line
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.catalog import Benchmark, Task

PARTS = ("train", "validation", "test")
ROOMY = 120  # columns from which on the images of all splits fit beside the expressions
_NEEDS = "*"  # marks tasks that no source of munet reads as they are
_HEADS = {"train": "train", "validation": "val", "test": "test"}
_MARKS = "abcdefghijklmnopqrstuvwxyz"


def task_row(task: "Task") -> dict[str, Any]:
    """A task as plain values, for `--json`."""
    return {
        "name": task.name,
        "title": task.title,
        "group": task.group,
        "classes": task.classes,
        "splits": {part: task.shown_split(part) for part in PARTS},
        "sizes": dict(task.sizes) if task.sizes else None,
        "addresses": dict(task.addresses),
        "reference": {part: task.reference.get(part) for part in PARTS[1:]},
        "stands_for": task.stands_for,
        "about": task.about,
        "note": task.note,
        "needs": task.needs,
        "sources": dict(task.sources),
    }


def benchmark_row(benchmark: "Benchmark") -> dict[str, Any]:
    """A benchmark as plain values, for `--json`."""
    keys = ("name", "title", "family", "root", "depth", "image_size", "note", "source")
    return {key: getattr(benchmark, key) for key in keys} | {"tasks": [task_row(task) for task in benchmark.tasks]}


def benchmarks_view(found: Sequence["Benchmark"], width: int) -> RenderableType:
    """Every benchmark on a line."""
    table = grid("benchmark", "tasks", "px", "blocks", "what", names=("benchmark",), folds=("what",))
    for one in found:
        table.add_row(one.name, number(len(one.tasks)), number(one.image_size), number(one.depth), Text(one.title))
    hint = "munet catalog NAME shows its tasks; munet add SYSTEM --catalog NAME adds them"
    return Group(table, line(""), line(hint, "dim"))


def benchmark_view(one: "Benchmark", tasks: Sequence["Task"], width: int) -> RenderableType:
    """A benchmark's head and its tasks, or those that were asked for."""
    head = Text.assemble((one.name, "bold"), f": {one.title}")
    facts = f"root {clean(one.root)}, {counted(one.depth, 'block')}, {one.image_size} px; {one.source}"
    notes = [line(f"Note: {one.note}")] if one.note else []
    return Group(head, line(facts, "dim"), *notes, line(""), tasks_view(tasks, width))


def tasks_view(tasks: Sequence["Task"], width: int) -> RenderableType:
    """Tasks with classes, images, splits, where they are had, and the accuracies of the paper; notes below."""
    roomy = width >= ROOMY
    papers = any(task.reference for task in tasks)
    local = any(task.stands_for or task.about for task in tasks)
    size = number if roomy else compact
    columns = ["task", "classes", *(_HEADS.values() if roomy or local else ["train"])]
    columns += [] if local else ["splits"]
    columns += ["from"]
    columns += ["val %", "test %"] if papers else []
    columns += ["what"] if local else []
    table = grid(*columns, names=("task", "from"), folds=("splits", "what"))
    notes = {note: _MARKS[k] for k, note in enumerate(dict.fromkeys(task.note for task in tasks if task.note))}
    for task in tasks:
        marks = (_NEEDS if task.needs else "") + (notes[task.note] if task.note else "")
        cells: dict[str, RenderableType] = {
            "task": Text.assemble(task.name, (f" {marks}" if marks else "", "yellow")),
            "classes": number(task.classes),
            **{_HEADS[part]: size(task.sizes[part]) if task.sizes else NOTHING for part in PARTS},
            "splits": Text(" ".join(task.shown_split(part).replace("validation", "val") for part in PARTS)),
            "from": " ".join(_schemes(task)),
            "val %": percent(task.reference.get("validation")),
            "test %": percent(task.reference.get("test")),
            "what": Text(_what(task)),
        }
        table.add_row(*(cells[column] for column in columns))
    return Group(table, *_below(tasks, notes, papers))


def _below(tasks: Sequence["Task"], notes: Mapping[str, str], papers: bool) -> Iterator[RenderableType]:
    legend = [f"{mark} {note}" for note, mark in notes.items()]
    if any(task.needs for task in tasks):
        legend.append(f"{_NEEDS} needs a folder that you prepare: `munet catalog --task NAME` says why")
    if papers:
        missing = any(None in task.reference.values() for task in tasks)
        legend.append(f"val % and test % are the paper's{'; - where its text could not be read' if missing else ''}")
    if legend:
        yield line("")
        yield from (line(text, "dim") for text in legend)


def _schemes(task: "Task") -> list[str]:
    """Where the set itself can be had; a prepared folder always serves and goes without saying."""
    return [scheme for scheme in task.addresses if scheme != "npz"] or ["npz"]


def _what(task: "Task") -> str:
    stands = f"in place of {task.stands_for}" if task.stands_for and task.stands_for != task.name else ""
    return "; ".join(part for part in (task.about, stands) if part)


def task_view(task: "Task", benchmarks: Sequence[str], width: int) -> RenderableType:
    """One task: every value, and where it comes from."""
    rows: list[tuple[str, str, str]] = [
        ("classes", number(task.classes), "classes"),
        *((part, _part(task, part), "splits") for part in PARTS),
        *((scheme, address, scheme) for scheme, address in task.addresses.items()),
    ]
    if task.hf_splits:
        rows.append(("hf splits", " ".join(task.hf_splits.values()), "hf"))
    for part, accuracy in task.reference.items():
        if accuracy is not None:
            rows.append((f"{part} %", percent(accuracy), "reference"))
    rows += [(key, getattr(task, key), key) for key in ("about", "stands_for", "note", "needs") if getattr(task, key)]
    table = grid("", "value", "source", names=("",), folds=("value", "source"))
    for name, value, source in rows:
        default = "yours to prepare: train.npz, validation.npz, test.npz" if source == "npz" else ""
        table.add_row(name.replace("_", " "), Text(clean(value)), Text(task.sources.get(source, default)))
    named = f": {task.title}" if task.title != task.name else ""
    head = Text.assemble((task.name, "bold"), f"{named} ({', '.join(benchmarks)})")
    return Group(head, line(""), table)


def _part(task: "Task", part: str) -> str:
    images = f" ({task.sizes[part]:,} images)" if task.sizes else ""
    return f"{task.shown_split(part)}{images}"
