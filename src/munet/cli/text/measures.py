"""What a model's answers on labelled images come to, as a person reads it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group

from munet.cli.text.formatting import number, percent
from munet.cli.text.grid import grid, line
from munet.text import clean, counted

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_CLASSES = 20


def measures_view(found: Mapping[str, Any]) -> "RenderableType":
    """The figures in a sentence, classes by recall, the commonest confusions, the worst images."""
    return Group(line(_sentence(found)), line(""), *_classes(found), *_confusions(found), *_worst(found))


def _sentence(found: Mapping[str, Any]) -> str:
    five = found["top_5"]
    top = "" if five is None else f", the right class among the first five for {percent(five)} %"
    return (
        f"{clean(found['task'])} on {clean(found['data'])}: {percent(found['accuracy'])} % of "
        f"{counted(found['examples'], 'image')} right{top}; mean over classes {percent(found['mean_recall'])} %; "
        f"confidence is off by {percent(found['calibration_error'])} points (expected calibration error)."
    )


def _classes(found: Mapping[str, Any]) -> "list[RenderableType]":
    rows = [row for row in found["classes"] if row["examples"]]
    rows.sort(key=lambda row: row["recall"])
    table = grid("class", "images", "recall %", "precision %", names=("class",))
    for row in rows[:_MOST_CLASSES]:
        table.add_row(clean(row["class"]), number(row["examples"]), percent(row["recall"]), percent(row["precision"]))
    rest = len(rows) - _MOST_CLASSES
    more = [line(f"and {counted(rest, 'class')} with a higher recall; --json has all")] if rest > 0 else []
    return [table, *more, line("")]


def _confusions(found: Mapping[str, Any]) -> "list[RenderableType]":
    if not found["confusions"]:
        return [line("No image was taken for another class.")]
    table = grid("class", "taken for", "images", names=("class", "taken for"))
    for row in found["confusions"]:
        table.add_row(clean(row["class"]), clean(row["answer"]), number(row["images"]))
    return [table, line("")]


def _worst(found: Mapping[str, Any]) -> "list[RenderableType]":
    table = grid(
        "least sure of the right class",
        "class",
        "answer",
        "%",
        names=("least sure of the right class", "class", "answer"),
    )
    for row in found["worst"]:
        table.add_row(clean(row["image"]), clean(row["class"]), clean(row["answer"]), percent(row["probability"], 1))
    return [table]
