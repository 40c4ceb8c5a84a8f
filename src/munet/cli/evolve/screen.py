"""The live view of an evolution: a pure function from its state to what a terminal shows."""

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from munet.cli.evolve.state import ACCEPTED, BEST, REJECTED, TRAINING, WAITING, ChildRow, RunState, TaskRow
from munet.cli.text.formatting import NOTHING, duration, percent, sparkline
from munet.tables.folding import folded
from munet.text import clean, counted

_STYLES = {BEST: "bold green", ACCEPTED: "green", REJECTED: "dim", TRAINING: "cyan", WAITING: "dim"}
_FIXED_LINES = 10  # the header, two headings with their rules, the empty lines
_GAP, _CURVE, _LEAST_STATE = 2, 18, 14  # cells between columns, of accuracies, of a state
_NUMBERS, _FEWER_NUMBERS = 52, 29  # cells beside the names of tasks, with accuracies before the run and without


def screen(state: RunState, width: int, height: int) -> RenderableType:
    """Header, a row for each child of the generation, a row for each task; never higher than `height` lines."""
    room = max(3, height - _FIXED_LINES)
    active = next((n for n, child in enumerate(state.children) if child.state in (TRAINING, WAITING)), 0)
    children = _window(len(state.children), active, room - 2)
    parts = [*_header(state, width), Text("")]
    lines = 0
    if children:
        table, lines = _children(state, children, width, max(len(children), room - len(state.tasks)))
        parts += [table, Text("")]
    parts.append(_tasks(state, room - lines, width))
    # The cursor rests on an empty line: where a Ctrl-C is echoed there, nothing moves.
    return Group(*parts, Text(""))


def _window(count: int, place: int, room: int) -> range:
    """At most `room` of `count` rows, around `place`."""
    first = max(0, min(place - room // 2, count - room))
    return range(first, min(count, first + room))


def _header(state: RunState, width: int) -> list[RenderableType]:
    run, task = state.run, state.task
    if run is None:
        return [_split(Text("preparing the run", "bold"), Text(duration(state.elapsed)), width)]
    left = f", about {duration(state.time_left)} left" if state.time_left is not None else ""
    title = Text.assemble((clean(run.method), "bold"), f"  run {run.run}{' (resumed)' if run.resumed else ''}")
    lines: list[RenderableType] = [_split(title, Text(f"{duration(state.elapsed)}{left}"), width)]
    where = Text("")
    if task is not None:
        # What may be long comes last, so that a cut never hides where the run is.
        place = f"task {run.tasks.index(task.task) + 1}/{len(run.tasks)}  "
        place += f"task iteration {task.iteration + 1}/{run.task_iterations}  "
        place += f"generation {state.generation + 1}/{run.generations}  "
        where = Text.assemble(place, (clean(task.task), "bold"))
    if state.trunk is not None:
        done = f"trunk {len(state.trunk_accuracies)}/{state.trunk.cycles}  "
        mean = f"mean validation {percent(state.trunk_accuracies[-1])} %  " if state.trunk_accuracies else ""
        where = Text.assemble(done, mean, (", ".join(map(clean, state.trunk.tasks)), "bold"))
    lines.append(_cut(where))
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(ratio=1)
    bar.add_column(justify="right", no_wrap=True, width=6)
    bar.add_row(ProgressBar(total=1.0, completed=state.progress), f"{percent(state.progress, 1)}%")
    return [*lines, bar]


def _split(left: Text, right: Text, width: int) -> Table:
    row = Table.grid(expand=True)
    row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    row.add_column(justify="right", no_wrap=True)
    row.add_row(left, right)
    return row


def _cut(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _children(state: RunState, shown: range, width: int, room: int) -> tuple[Table, int]:
    """A row for each child, and the lines that they take: what was mutated is folded where there are as many as `room`,
    else cut; before that goes the reason of a rejection."""
    rows = [state.children[number] for number in shown]
    changes, states = [clean(row.mutated) for row in rows], [_state(state, row) for row in rows]
    left = width - len("12") - _CURVE - 3 * _GAP
    tail = max(_LEAST_STATE, min(max(map(cell_len, states)), left - max(map(cell_len, changes))))
    lines = [folded(text, max(1, left - tail)) for text in changes]
    whole = sum(map(len, lines)) <= room
    table = _table("#", "mutated", "validation %", "state")
    table.columns[0].width, table.columns[1].width = len("12"), left - tail
    table.columns[2].width, table.columns[3].width = _CURVE, tail
    every = [accuracy for child in state.children for accuracy in child.accuracies]
    low, high = (min(every), max(every)) if every else (0.0, 1.0)
    for number, row, text, parts in zip(shown, rows, changes, lines, strict=True):
        told = Text(_state(state, row), _STYLES.get(row.state, ""))
        table.add_row(str(number + 1), "\n".join(parts) if whole else text, _accuracies(row, low, high), told)
    return table, sum(map(len, lines)) if whole else len(rows)


def _table(*columns: str) -> Table:
    """Nothing in it is wrapped; what is too long ends in an ellipsis."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    return table


def _accuracies(child: ChildRow, low: float, high: float) -> str:
    """At most `_CURVE` columns: bars of up to 8 cycles, then the best and the last accuracy where they differ."""
    if not child.accuracies:
        return ""
    last, best = percent(child.accuracies[-1], 1), percent(max(child.accuracies), 1)
    bars = sparkline(child.accuracies, low, high, 6)
    return f"{bars} {last}" + (f" ({best})" if best != last else "")


def _state(state: RunState, child: ChildRow) -> str:
    if child.state == TRAINING and state.run:
        return "fitting a head" if state.fits_heads else f"training {len(child.accuracies)}/{state.run.cycles}"
    if child.state == REJECTED and child.reason:
        return f"rejected: {clean(child.reason)}"
    return child.state


def _tasks(state: RunState, room: int, width: int) -> Table:
    """The tasks around the active one, as many as there is room for."""
    rows = list(state.tasks.values())
    active = state.task.task if state.task else None
    hidden = 0
    if len(rows) > room:
        place = next((n for n, row in enumerate(rows) if row.name == active), 0)
        shown = _window(len(rows), place, room - 1)
        hidden = len(rows) - len(shown)
        rows = rows[shown.start : shown.stop]
    named = max((cell_len(clean(row.name)) for row in rows), default=0)
    before = named + _NUMBERS <= width  # else the names need the room
    now = ("val % was", "now", "test % was", "now") if before else ("val %", "test %")
    table = _table("task", *now, "iterations")
    for column in table.columns[1:]:
        column.justify = "right"
        column.overflow = "crop"
    table.columns[0].max_width = None if before else max(1, width - _FEWER_NUMBERS)
    for row in rows:
        table.add_row(*_task(state, row, before), style="bold" if row.name == active else "")
    if hidden > 0:
        table.add_row(Text(f"and {counted(hidden, 'more task')}", "dim"))
    return table


def _task(state: RunState, row: TaskRow, before: bool) -> tuple[str, ...]:
    # An accuracy in brackets belongs to a child that is not retained yet.
    now = f"({percent(row.open)})" if row.open is not None else percent(row.validation)
    total = state.run.task_iterations if state.run else 0
    done = f"{row.iterations}/{total}" if total else NOTHING
    was, had = ((percent(row.validation_before),), (percent(row.test_before),)) if before else ((), ())
    return clean(row.name), *was, now, *had, percent(row.test), done
