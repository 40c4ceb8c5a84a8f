"""Matrices of numbers as coloured cells: shared layers (A7), transfers (A16) and the depth of transfer (A14)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from munet.report.figures.style import GRID, LETTER, SMALL, Page
from munet.report.style.palette import FAINT, INK
from munet.text import cells, clean

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

_LARGE, _LITTLE = 0.40, 0.075  # inches of a cell's side
_LEAST_SCALE = 1.0  # inches of a scale of colours
_ROOM = 5.3  # inches for all columns while cells are large enough to be read
NAME = 24  # letters of a name


def cell_side(count: int) -> float:
    """Inches of a cell in a matrix with so many columns."""
    return max(_LITTLE, min(_LARGE, _ROOM / max(1, count)))


def name_size(cell: float) -> float:
    """Points of a name beside a row of this height."""
    return min(SMALL, max(3.8, cell * 72 * 0.82))


def matrix_size(rows: Sequence[str], columns: Sequence[str], beside: float = 0.0) -> tuple[float, float]:
    """(width, height) in inches of a matrix with its names; `beside` for a scale at the right."""
    cell = cell_side(len(columns))
    size = name_size(cell)
    left, below = (
        min(NAME, max(cells(clean(name)) for name in names)) * size * LETTER + 0.25 for names in (rows, columns)
    )
    return max(3.4, left + cell * len(columns) + beside + 0.3), cell * len(rows) + below * 0.8 + 0.45


def matrix(
    made: Page,
    axes: "Axes",
    values: "np.ndarray",
    rows: Sequence[str],
    columns: Sequence[str],
    text: Callable[[float], str],
    **scale: Any,
) -> Any:
    """Cells with their numbers where they have room; zero is pale, no value grey and hatched. Returns the image."""
    import numpy as np

    cell = cell_side(len(columns))
    image = axes.imshow(values, cmap="Blues", interpolation="nearest", aspect="equal", **scale)
    size = name_size(cell)
    axes.set_xticks(range(len(columns)), [made.say(name, NAME) for name in columns], fontsize=size)
    axes.set_yticks(range(len(rows)), [made.say(name, NAME) for name in rows], fontsize=size)
    for label in axes.get_xticklabels():
        label.set(rotation=90 if cell < 0.2 else 45, ha="center" if cell < 0.2 else "right", rotation_mode="anchor")
        if cell < 0.2:
            label.set(ha="right", va="center")
    axes.patch.set(facecolor=GRID, edgecolor="white", hatch="/////")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _lines(axes, values.shape, min(0.8, cell * 4))
    longest = max((len(text(value)) for value in values.flat if np.isfinite(value)), default=1)
    points = min(SMALL, cell * 72 / (0.66 * longest + 0.5))
    if points >= 4.2:
        low, high = image.get_clim()
        middle = (low + high) / 2
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                ink = "white" if value > middle else INK if value else FAINT
                axes.text(column, row, text(value), ha="center", va="center", color=ink, fontsize=points)
    return image


def _lines(axes: "Axes", shape: tuple[int, ...], width: float) -> None:
    for edge in range(1, shape[0]):
        axes.axhline(edge - 0.5, color="white", lw=width)
    for edge in range(1, shape[1]):
        axes.axvline(edge - 0.5, color="white", lw=width)


def scale_bar(made: Page, axes: "Axes", image: Any, text: str, pad: float = 0.0) -> None:
    """The scale of the colours, at the right, `pad` inches further away."""
    from matplotlib.ticker import MaxNLocator

    cell = cell_side(round(axes.get_xlim()[1] + 0.5))
    if cell * len(axes.get_yticks()) < _LEAST_SCALE:
        return  # the numbers in the cells are enough
    width = 1 / (axes.get_xlim()[1] + 0.5) / cell  # of an inch, in units of the axes
    place = axes.inset_axes((1 + (pad + 0.08) * width, 0, 0.11 * width, 1))
    bar = made.figure.colorbar(image, cax=place)
    bar.set_label(text)
    values = image.get_array()
    if (values == values.round()).all():  # counts
        bar.locator = MaxNLocator(integer=True)
        bar.update_ticks()
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2)
    bar.ax.grid(visible=False)
