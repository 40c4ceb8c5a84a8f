"""The live view of an evolution: a pure function from its state to what a terminal shows."""

from rich import box
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from munet.cli.evolve.state import ACCEPTED, BEST, REJECTED, TRAINING, WAITING, ChildRow, RunState, TaskRow
from munet.cli.text.formatting import NOTHING, duration, percent, sparkline
from munet.text import clean, counted

_STYLES = {BEST: "bold green", ACCEPTED: "green", REJECTED: "dim", TRAINING: "cyan", WAITING: "dim"}
_FIXED_LINES = 10  # the header, two headings with their rules, the empty lines


def screen(state: RunState, width: int, height: int) -> RenderableType:
    """Header, a row for each child of the generation, a row for each task; never higher than `height` lines."""
    room = max(3, height - _FIXED_LINES)
    active = next((n for n, child in enumerate(state.children) if child.state in (TRAINING, WAITING)), 0)
    children = _window(len(state.children), active, room - 2)
    parts = [*_header(state, width), Text("")]
    if children:
        parts += [_children(state, children), Text("")]
    parts.append(_tasks(state, room - len(children)))
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


def _children(state: RunState, shown: range) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), expand=True, header_style="bold"
    )
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("mutated", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("validation %", no_wrap=True, width=18)
    table.add_column("state", ratio=2, no_wrap=True, overflow="ellipsis", min_width=14)
    every = [accuracy for child in state.children for accuracy in child.accuracies]
    low, high = (min(every), max(every)) if every else (0.0, 1.0)
    for number in shown:
        child = state.children[number]
        style = _STYLES.get(child.state, "")
        table.add_row(
            str(number + 1), clean(child.mutated), _accuracies(child, low, high), Text(_state(state, child), style)
        )
    return table


def _accuracies(child: ChildRow, low: float, high: float) -> str:
    """At most 18 columns: bars of up to 8 cycles, then the best and the last accuracy where they differ."""
    if not child.accuracies:
        return ""
    last, best = percent(child.accuracies[-1], 1), percent(max(child.accuracies), 1)
    bars = sparkline(child.accuracies, low, high, 6)
    return f"{bars} {last}" + (f" ({best})" if best != last else "")


def _state(state: RunState, child: ChildRow) -> str:
    if child.state == TRAINING and state.run:
        return f"training {len(child.accuracies)}/{state.run.cycles}"
    if child.state == REJECTED and child.reason:
        return f"rejected: {clean(child.reason)}"
    return child.state


def _tasks(state: RunState, room: int) -> Table:
    """The tasks around the active one, as many as there is room for."""
    rows = list(state.tasks.values())
    active = state.task.task if state.task else None
    hidden = 0
    if len(rows) > room:
        place = next((n for n, row in enumerate(rows) if row.name == active), 0)
        shown = _window(len(rows), place, room - 1)
        hidden = len(rows) - len(shown)
        rows = rows[shown.start : shown.stop]
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), expand=True, header_style="bold"
    )
    table.add_column("task", ratio=1, no_wrap=True, overflow="ellipsis", min_width=8)
    for heading in ("val % before", "now", "test % before", "now", "task iterations"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_task(state, row), style="bold" if row.name == active else "")
    if hidden > 0:
        table.add_row(Text(f"and {counted(hidden, 'more task')}", "dim"))
    return table


def _task(state: RunState, row: TaskRow) -> tuple[str, ...]:
    # An accuracy in brackets belongs to a child that is not retained yet.
    now = f"({percent(row.open)})" if row.open is not None else percent(row.validation)
    total = state.run.task_iterations if state.run else 0
    done = f"{row.iterations}/{total}" if total else NOTHING
    return clean(row.name), percent(row.validation_before), now, percent(row.test_before), percent(row.test), done
