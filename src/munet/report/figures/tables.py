"""What of a history is read rather than drawn: leaderboard (A1), summary (A2), models (A8), ancestry (A13, A14).

The tables are those of `munet.experiments`: for a terminal, Markdown, CSV and LaTeX.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest
from munet.report.figures.needs import Options, chosen_tasks, evolved, one_system

if TYPE_CHECKING:
    from munet.analysis import History
    from munet.tables.table import Cell, Table, Unit


def leaderboard(history: "History", options: Options) -> "list[Table]":
    """Accuracy and cost of each task's model."""
    from munet.analysis.summary import leaderboard as board

    evolved(history, "leaderboard")
    units: dict[str, tuple[str, Unit]] = {
        "validation_accuracy": ("validation %", "percent"),
        "test_accuracy": ("test %", "percent"),
        "score": ("score %", "percent"),
        "parameters": ("parameters", "count"),
        "accounted_parameters": ("accounted", "count"),
        "flops": ("MFLOPs", "mflops"),
        "num_blocks": ("blocks", "count"),
        "image_size": ("image size", "count"),
    }
    frame = board(history)
    claimed = history.tasks.loc[history.tasks["model"].notna(), "claimed"]
    if claimed.any():
        frame["claimed"] = ["claimed" if one else None for one in claimed]
        units["claimed"] = ("accuracies", "text")
    return [_of_frame("leaderboard", "Leaderboard", history, frame, units)]


def models(history: "History", options: Options) -> "list[Table]":
    """The retained models by their ids."""
    held = evolved(history, "models")
    held = held.assign(model=[model[:12] for model in held["model"]])
    units: dict[str, tuple[str, Unit]] = {
        "model": ("model", "text"),
        "num_blocks": ("blocks", "count"),
        "validation_accuracy": ("validation %", "percent"),
        "score": ("score %", "percent"),
    }
    return [_of_frame("models", "Retained models", history, held, units)]


def summary(history: "History", options: Options) -> "list[Table]":
    """Totals, and what the last run changed of the tasks that were there before it."""
    from munet.analysis.summary import changes, totals
    from munet.tables.table import Column, Table

    one_system(history, "summary")
    found = totals(history)
    rows = tuple((_label(name), *_value(found[name])) for name in found if not isinstance(found[name], dict))
    spent = found["flops_spent"]
    rows += tuple((_label(f"{part}_tflops"), *_value(spent[part] / 1e12)) for part in spent)
    columns = (Column("what", "total"), Column("value", "value"))
    made = [Table("summary", "What the system came to and what it took", columns, rows)]
    table = changes(history)
    if len(table):
        units: dict[str, tuple[str, Unit]] = {
            f"{measure}_{when}": (f"{word} {when}", "percent")
            for measure, word in (("score", "score"), ("validation_accuracy", "val."), ("test_accuracy", "test"))
            for when in ("before", "after")
        }
        made.append(_of_frame("changes", "What the last run changed, %", history, table, units))
    return made


def ancestry(history: "History", options: Options) -> "list[Table]":
    """The tasks that each model's lineage leads through; of one task also those of each layer."""
    from munet.analysis.lineage import ancestor_tasks, line, transfers
    from munet.tables.table import Column, Label, Table

    one_system(history, "ancestry")
    tasks = chosen_tasks(options, list(evolved(history, "ancestry")["task"]), "ancestry")
    columns = (
        Column("task", "task"),
        Column("ancestors", "ancestors", "count"),
        Column("tasks", "of the tasks, nearest first"),
    )
    rows: list[tuple[Cell, ...]] = [
        (Label(task), len(line(history, task)) - 1, Label(", ".join(ancestor_tasks(history, task)))) for task in tasks
    ]
    remarks = ("Ancestors count the root; a task's own earlier models count as its own.",)
    made = [Table("ancestry", "From whom the models descend", columns, tuple(rows), remarks=remarks)]
    if options.task is not None:
        found = transfers(history)
        found = found[found["task"] == options.task]
        rows_found = zip(found["slot"], found["depth"].tolist(), found["through"], strict=True)
        layers = tuple((Label(slot), depth, Label(", ".join(through) or "-")) for slot, depth, through in rows_found)
        columns = (
            Column("layer", "layer"),
            Column("tasks", "tasks", "count"),
            Column("through", "its weights came through"),
        )
        made.append(Table("layers", f"Layers of {options.task}", columns, layers))
    return made


@dataclass(frozen=True)
class Kind:
    """A table: what it shows, which options it takes, whether of several systems."""

    make: "Callable[[History, Options], list[Table]]"
    shows: str
    options: tuple[str, ...] = ()
    several: bool = False


TABLES: Mapping[str, Kind] = {
    "leaderboard": Kind(leaderboard, "accuracy and cost of each task's model (table)", several=True),
    "summary": Kind(summary, "totals, and what the last run changed (tables)"),
    "models": Kind(models, "the retained models (table)", several=True),
    "ancestry": Kind(ancestry, "from which tasks' models each one descends (table)", ("task",)),
}


def tables(name: str, history: "History", options: Options = Options()) -> "list[Table]":  # noqa: B008
    """The tables of this name. InputError for an unknown one, or where the history lacks what it needs."""
    if name not in TABLES:
        raise InputError(f"no table '{name}'{suggest(name, TABLES)}; there are {', '.join(TABLES)}")
    return TABLES[name].make(history, options)


def _of_frame(key: str, title: str, history: "History", frame: Any, units: "Mapping[str, tuple[str, Unit]]") -> "Table":
    """A row for each task, labelled with its name, and with its system where there are several."""
    from munet.tables.table import Column, Label, Table

    several = len(history.systems) > 1
    columns: list[Column] = [Column("task", "task"), *([Column("system", "system")] if several else [])]
    columns += [Column(name, word, unit) for name, (word, unit) in units.items()]
    rows = []
    for row in frame.to_dict("records"):
        places = [Label(row["task"]), *([Label(row["system"])] if several else [])]
        rows.append((*places, *(_cell(row[name], unit) for name, (_, unit) in units.items())))
    return Table(key, title, tuple(columns), tuple(rows))


def _cell(value: Any, unit: "Unit") -> "Cell":
    from munet.tables.table import Label

    if value is None or value != value:  # NaN
        return None
    return Label(str(value)) if unit == "text" else value


def _label(name: str) -> "Cell":
    from munet.tables.table import Label

    return Label(name.replace("_", " "))


def _value(value: Any) -> "tuple[Cell]":
    from munet.tables.table import Label

    if value is None:
        return (None,)
    if isinstance(value, float):
        digits = 4 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
        return (Label(f"{value:,.{digits}f}"),)
    return (Label(f"{value:,}" if isinstance(value, int) else str(value)),)
