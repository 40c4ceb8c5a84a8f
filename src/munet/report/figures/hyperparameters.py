"""Which hyperparameters the retained models have (A17, Figure 5)."""

from typing import TYPE_CHECKING, Any

from munet.report.figures.needs import Frame, Options, evolved, some
from munet.report.figures.style import SMALL, WIDTH, page, plain_number
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

_COLUMNS, _HEIGHT = 5, 1.12
_COLOUR = "#0072B2"


def draw(history: "History", options: Options) -> "Figure":
    """A panel for each hyperparameter, a bar for each value that occurs, as a share of the retained models."""
    from munet.analysis.settings import distributions

    models = len(evolved(history, "hyperparameters"))
    table = some(distributions(history), "hyperparameters", "hyperparameters of retained models")
    names = list(dict.fromkeys(table["name"]))
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    together = f" of {len(history.systems)} systems" if len(history.systems) > 1 else ""
    title = f"Hyperparameters of {counted(models, 'retained model')}{together}"
    reading = "Share of models with each value; values that no retained model has are left out."
    words = [*names, *(value for value in table["value"] if isinstance(value, str))]
    with page(
        title, reading, (columns * WIDTH / _COLUMNS, rows * _HEIGHT + 0.1), words, labels=("", "models (%)")
    ) as made:
        panels = [axes for row in made.panels(rows, columns, sharey=True) for axes in row]
        for axes, name in zip(panels, names, strict=False):
            _bars(axes, table[table["name"] == name], made.say)
            axes.set_title(made.say(name.replace("_", " "), 22), fontsize=SMALL)
        for axes in panels[len(names) :]:
            axes.set_visible(False)
    return made.figure


def _bars(axes: "Axes", held: Frame, say: Any) -> None:
    places = range(len(held))
    axes.bar(places, 100 * held["share"], width=0.8, color=_COLOUR)
    labels = [say(as_in_papers(value), 10) for value in held["value"]]
    crowded = sum(map(len, labels)) > 20
    look: dict[str, Any] = {"rotation": 90} if crowded else {}
    axes.set_xticks(places, labels, fontsize=SMALL - 1, **look)
    middle, half = (len(held) - 1) / 2, max(len(held), 3) / 2 + 0.1
    axes.set_xlim(middle - half, middle + half)
    axes.set_yticks([0, 50, 100])
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0, pad=2)


def as_in_papers(value: Any) -> str:
    """A value as the papers write it: small ones as 5e-3."""
    if isinstance(value, (bool, str)) or value is None:
        return str(value)
    number = float(value)
    if 0 < abs(number) < 0.01:
        mantissa, exponent = f"{number:.3g}" if "e" in f"{number:.3g}" else f"{number:.2e}".replace(".00e", "e"), ""
        return mantissa.replace("e-0", "e-") + exponent
    return plain_number(number)
