"""What a run of `munet allocation train` shows: a bar with the time left in a terminal, plain lines elsewhere, JSON."""

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, default_int_handler, signal
from threading import current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from munet.cli.common import console
from munet.cli.text.formatting import NOTHING, duration, json_text, number, percent
from munet.text import clean

if TYPE_CHECKING:
    from rich.console import Console

    from munet.allocation.training.trainer import Observer


@contextmanager
def watching(as_json: bool) -> "Iterator[Observer]":
    """Yields what the trainer tells its events."""
    out = console()
    if as_json:
        yield _json_line
    elif out.is_terminal and not out.is_dumb_terminal:
        with _bar(out) as observe:
            yield observe
    else:
        yield _plain(lambda line: print(line, flush=True))


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Yields whether to stop: the first Ctrl-C lets the round end and its state be saved, the second stops at once."""
    asked = False

    def ask(signal_number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            default_int_handler(signal_number, frame)  # type: ignore[arg-type]
        asked = True
        print("munet: stopping after this round; Ctrl-C again stops at once", file=sys.stderr, flush=True)

    if current_thread() is not main_thread():
        yield lambda: False
        return
    before = signal(SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal(SIGINT, before)


def _json_line(event: str, fields: Mapping[str, Any]) -> None:
    if event != "round":
        sys.stdout.write(json_text({"event": event, **fields}, indent=None) + "\n")
        sys.stdout.flush()


class Clock:
    """Seconds left, from the mean time of the rounds of this session."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.now, self.first, self.began = now, 0, now()

    def start(self, round: int) -> None:
        self.first, self.began = round, self.now()

    def left(self, round: int, rounds: int) -> float | None:
        done = round - self.first
        return (rounds - round) * (self.now() - self.began) / done if done > 0 else None


def _plain(say: Callable[[str], None], clock: Clock | None = None) -> "Observer":
    """One line for the start and for each evaluation."""
    clock = clock or Clock()

    def observe(event: str, fields: Mapping[str, Any]) -> None:
        if event == "started":
            clock.start(fields["round"])
            if fields["resumed"]:
                say(f"going on after round {number(fields['round'])} of {number(fields['rounds'])}")
        elif event == "evaluated":
            say(evaluation_line(fields, clock.left(fields["round"], fields["rounds"])))

    return observe


def evaluation_line(fields: Mapping[str, Any], left: float | None) -> str:
    """`round 250/37,500: validation 93.12 % (best), used 71 %, training loss 0.31; 0:12, about 29:31 left`."""
    losses = fields["training_loss"].values()
    scored = fields.get("mean_validation")
    best = " (best)" if scored is not None and fields["best"] else ""
    parts = [f"validation {percent(scored)} %{best}"] if scored is not None else []
    parts += [f"used {percent(fields['fraction_used'], 0)} %", f"training loss {sum(losses) / len(losses):.4g}"]
    if fields["empty_rows"]:
        parts.append(f"{fields['empty_rows']} empty layers")
    ending = f", about {duration(left)} left" if left else ""
    where = f"round {number(fields['round'])}/{number(fields['rounds'])}"
    return f"{where}: {', '.join(parts)}; {duration(fields['seconds'])}{ending}"


@contextmanager
def _bar(out: "Console") -> "Iterator[Observer]":
    """A bar that goes when the run ends; the lines of evaluations scroll by above it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, refresh_per_second=2) as bar:
        task = bar.add_task("rounds", total=None)
        lines = _plain(lambda line: bar.console.print(Text(line)))

        def observe(event: str, fields: Mapping[str, Any]) -> None:
            lines(event, fields)
            if event in ("started", "round"):
                bar.update(task, completed=fields["round"], total=fields["rounds"])

        yield observe


def summary_lines(summary: Mapping[str, Any], out: Path) -> list[str]:
    """What a finished run says: the best checkpoint, the last one where it is another, and what comes next."""
    best, last = summary["best"], summary["last"]
    named = [("best by validation" if "validation" in best["means"] else "last", best)]
    if last["round"] != best["round"]:
        named.append(("last", last))
    lines = [f"{what} (round {number(held['round'])}): {means_text(held)}; {uses_text(held)}" for what, held in named]
    spent = f"{number(summary['samples'])} training samples in {duration(summary['seconds'])}"
    return [*lines, f"{spent}; {clean(out)}", f"Next: munet allocation plot {clean(shlex.quote(str(out)))}"]


def means_text(held: Mapping[str, Any]) -> str:
    """`test 98.10 %, validation 98.00 %, train 99.12 %`, the mean over tasks."""
    return ", ".join(f"{part} {percent(held['means'][part])} %" for part in ("test", "validation", "train")
                     if part in held["means"])  # fmt: skip


def uses_text(held: Mapping[str, Any]) -> str:
    similarity = held["similarity"]
    within, across = (NOTHING if similarity[k] is None else f"{similarity[k]:.2f}" for k in ("within", "across"))
    return (
        f"used {percent(held['fraction_used'], 1)} %, similarity {within} within and {across} across clusters, "
        f"{number(held['accounted_parameters_per_task'])} parameters a task"
    )
