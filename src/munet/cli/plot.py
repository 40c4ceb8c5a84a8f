"""plot, animate: figures of a system in print quality, and its growth as a video."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import SystemPath, complete_task, open_system, show, tell
from munet.errors import InputError

if TYPE_CHECKING:
    from munet.analysis import History
    from munet.report.figures import Options


def register(app: typer.Typer) -> None:
    app.command("plot")(plot)
    app.command("animate")(animate)


TEXTS = {".md": "markdown", ".csv": "csv", ".tex": "latex"}


def complete_name(incomplete: str) -> list[str]:
    from munet.report.figures import FIGURES
    from munet.report.figures.tables import TABLES

    return [name for name in (*FIGURES, *TABLES) if name.startswith(incomplete)]


def plot(
    system: SystemPath,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="The figure or table; without it they are listed.", autocompletion=complete_name
        ),
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="SYSTEM", help="Draw this one too, as another seed; repeatable."),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Only this task.", autocompletion=complete_task, show_default=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Only this model, by the start of its id.", show_default=False)
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Of the sampled models, for instance learning_rate.", show_default=False)
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=0, help="The network after so many children.", show_default=False)
    ] = None,
    write: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help=".png, .svg, .pdf; of a table .md, .csv, .tex; repeatable.", show_default="NAME.png"
        ),
    ] = None,
) -> None:
    """Draw a figure of a system's history in print quality, or show one of its tables.

    Without NAME all of them are listed; docs/gallery.md shows them.

    Examples:
      munet plot fleet
      munet plot fleet timeline
      munet plot fleet schedule --task mnist --column learning_rate --write schedule.pdf
      munet plot runs/0/system flow --with runs/1/system --with runs/2/system
      munet plot fleet leaderboard --write leaderboard.tex
    """
    if name is None:
        _list()
        return
    from munet.report.figures import FIGURES, Options, check

    options = Options(task, model, column, step)
    check(name, options, 1 + len(more or []))
    if name in FIGURES:
        _draw(name, system, more or [], options, write or [Path(f"{name}.png")])
    else:
        _tell_tables(name, system, more or [], options, write or [])


def _list() -> None:
    from munet.report.figures import FIGURES
    from munet.report.figures.tables import TABLES

    known = {**FIGURES, **TABLES}
    width = max(map(len, known))
    for name, kind in known.items():
        options = ", ".join(f"--{option}" for option in (*kind.options, *(["with"] if kind.several else [])))
        show(f"{name:{width}}  {kind.shows}{f'; {options}' if options else ''}")


def _draw(name: str, system: Path, more: list[Path], options: "Options", targets: list[Path]) -> None:
    from munet.cli.experiment.shared import check_target
    from munet.cli.text.progress import progress
    from munet.report.figures import draw
    from munet.report.style.saving import SUFFIXES, save

    for file in targets:
        check_target(file, SUFFIXES)
    made = _history(system, more)
    with progress("drawing"):
        figure = draw(name, made, options)
        for file in targets:
            save(figure, file)
    for file in targets:
        tell(f"wrote {file}")


def _tell_tables(name: str, system: Path, more: list[Path], options: "Options", targets: list[Path]) -> None:
    from munet.cli.common import console
    from munet.cli.experiment.shared import check_target
    from munet.fs.atomic import write_atomic
    from munet.report.figures.tables import tables
    from munet.tables.render import WRITERS
    from munet.tables.terminal import terminal

    for file in targets:
        check_target(file, list(TEXTS))
    made = tables(name, _history(system, more), options)
    show(*(terminal(table, console().width) for table in made))
    for file in targets:
        write_atomic(file, WRITERS[TEXTS[file.suffix.lower()]](made).encode())
        tell(f"wrote {file}")


def _history(system: Path, others: list[Path]) -> "History":
    """Of one system or of several; what is damaged or missing is printed."""
    from munet.analysis import history
    from munet.cli.text.progress import progress

    with progress("reading") as count:
        made = history(*(open_system(path).store for path in (system, *others)), progress=count)
    for note in made.notes:
        tell(note)
    return made


def animate(
    system: SystemPath,
    out: Annotated[Path, typer.Option("--out", help="File to write: .gif or .mp4.")] = Path("growth.gif"),
    every: Annotated[
        int | None,
        typer.Option(min=1, help="A frame for so many children, in place of one a change.", show_default=False),
    ] = None,
    width: Annotated[int | None, typer.Option(min=160, help="Pixels.", show_default=False)] = None,
    seconds: Annotated[float, typer.Option("--seconds-per-frame", min=0.02, help="How long each is shown.")] = 0.5,
) -> None:
    """Write how a system grew as a video: its network, child by child.

    MP4 needs the extra `video`: pip install 'munet-ml[video]'.

    Examples:
      munet animate fleet
      munet animate fleet --out growth.mp4 --seconds-per-frame 0.2
    """
    from munet.cli.text.progress import progress
    from munet.report.network.animation import MOST_FRAMES, check_target
    from munet.report.network.animation import animate as write
    from munet.text import counted

    check_target(out)
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")
    made = _history(system, [])
    with progress("drawing") as report:
        film = write(made, out, every=every, width=width, seconds=seconds, progress=report)
    if every is None and film.changes > MOST_FRAMES:
        tell(f"the network changed {film.changes:,} times, of which {MOST_FRAMES} are shown; --every N chooses others")
    show(f"{out}: {counted(len(film.steps) + 1, 'frame')} of {counted(film.total, 'sampled model')}")
