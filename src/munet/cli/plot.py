"""plot, animate: figures of a system in print quality, and its growth as a video."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from munet.cli.common import SystemPath, complete_task, open_system, show, tell

if TYPE_CHECKING:
    from munet.analysis import History


def register(app: typer.Typer) -> None:
    app.command("plot")(plot)
    app.command("animate")(animate)


def _names() -> list[str]:
    from munet.report.figures import FIGURES

    return list(FIGURES)


def plot(
    system: SystemPath,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The figure; without it they are listed.", autocompletion=_names),
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
        str | None, typer.Option(help="Of the sampled models, for instance hp.learning_rate.", show_default=False)
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=0, help="The network after so many children.", show_default=False)
    ] = None,
    write: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The picture: .png, .svg or .pdf; repeatable.", show_default="NAME.png"),
    ] = None,
) -> None:
    """Draw a figure of a system's history in print quality.

    docs/gallery.md shows all of them.

    Examples:
      munet plot fleet
      munet plot fleet timeline
      munet plot fleet schedule --task mnist --column hp.learning_rate --write schedule.pdf
      munet plot runs/0/system flow --with runs/1/system --with runs/2/system
    """
    from munet.report.figures import FIGURES, Options, draw, find
    from munet.report.saving import check_suffix, save

    if name is None:
        width = max(map(len, FIGURES))
        show(*(f"{one:{width}}  {kind.shows}" for one, kind in FIGURES.items()))
        return
    find(name)
    targets = write or [Path(f"{name}.png")]
    for file in targets:
        check_suffix(file)
    figure = draw(name, _history(system, more or []), Options(task, model, column, step))
    for file in targets:
        save(figure, file)
        tell(f"wrote {file}")


def _history(system: Path, others: list[Path]) -> "History":
    """Of one system or of several; what is damaged or missing is told."""
    from munet.analysis import history

    made = history(*(open_system(path).store for path in (system, *others)))
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
    from munet.cli.formatting import counted
    from munet.cli.progress import progress
    from munet.report.animation import animate as write
    from munet.report.animation import check_target

    check_target(out)
    made = _history(system, [])
    with progress("drawing") as report:
        film = write(made, out, every=every, width=width, seconds=seconds, progress=report)
    show(f"{out}: {counted(len(film.steps) + 1, 'frame')} of {film.total:,} sampled children")
