"""How one column of the children is distributed over all sampled models (A9)."""

from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest
from munet.report.figures.needs import Frame, Options, chosen_tasks, some
from munet.report.figures.style import WIDTH, page
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import Series

    from munet.analysis import History

DEFAULT = "num_blocks"
BINS = 30
_WORDS = 40  # distinct values up to which each one has a bar
_ACCEPTED, _REJECTED = "#0072B2", "#c9cdd2"
_UNITS = {"_seconds": " (s)", "image_size": " (pixels a side)"}
# what tells children apart rather than measures them
_NOT = ("system", "step", "model", "parent", "parent_step", "cloned", "started", "finished", "reason")


def columns(children: Frame) -> list[str]:
    """Columns that can be drawn; hyperparameters without their `hp.`."""
    return [name.removeprefix("hp.") for name in children.columns if name not in _NOT]


def draw(history: "History", options: Options) -> "Figure":
    """Bars of accepted children on bars of rejected ones; 30 intervals, or one bar for each value of few."""
    children = some(history.children, "histogram", "sampled children")
    if options.task is not None:
        children = children[
            children["task"].isin(chosen_tasks(options, list(dict.fromkeys(children["task"])), "histogram"))
        ]
    asked = (options.column or DEFAULT).removeprefix("hp.")
    known = columns(children)
    if asked not in known:
        raise InputError(f"--column {asked}{suggest(asked, known)}: choose one of {', '.join(known)}")
    name = f"hp.{asked}" if f"hp.{asked}" in children.columns else asked
    held = children[children[name].notna()]
    some(held, "histogram", f"a value in the column {asked}", "choose another --column")
    of = f" of {options.task}" if options.task else ""
    title = f"{counted(len(held), 'sampled model')}{of} by {asked}"
    accepted = int(held["accepted"].sum())
    reading = f"Blue: accepted ({accepted:,}). Grey, on top: not accepted ({len(held) - accepted:,})."
    names = [str(value) for value in held[name].unique()] if not _numeric(held[name]) else []
    with page(title, reading, (WIDTH * 0.72, 2.5), names) as made:
        axes = made.panels()[0][0]
        if _numeric(held[name]) and held[name].nunique() > _WORDS // 2:
            _intervals(axes, held, name)
        else:
            _values(axes, held, name, made.say)
        axes.set_xlabel(asked + next((unit for end, unit in _UNITS.items() if asked.endswith(end)), ""))
        axes.set_ylabel("sampled models")
        axes.grid(visible=False, axis="x")
    return made.figure


def _numeric(values: "Series") -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(values) and not is_bool_dtype(values)


def _intervals(axes: "Axes", held: Frame, name: str) -> None:
    import numpy as np
    from matplotlib.ticker import FuncFormatter

    parts = [held.loc[held["accepted"] == accepted, name].to_numpy(float) for accepted in (True, False)]
    edges = np.histogram_bin_edges(held[name].to_numpy(float), BINS)
    axes.hist(parts, bins=edges.tolist(), stacked=True, color=[_ACCEPTED, _REJECTED], edgecolor="white", linewidth=0.4)
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}")
    )


def _values(axes: "Axes", held: Frame, name: str, say: Any) -> None:
    counts = held.groupby([name, "accepted"], observed=True).size().unstack(fill_value=0)
    order = counts.sum(axis=1).sort_values(ascending=False).index[:_WORDS]
    counts = counts.loc[counts.index.isin(order)]
    places = range(len(counts))
    accepted, lost = (counts[key] if key in counts else counts.iloc[:, 0] * 0 for key in (True, False))
    axes.bar(places, accepted, color=_ACCEPTED, width=0.75)
    axes.bar(places, lost, bottom=accepted, color=_REJECTED, width=0.75)
    labels = [say(f"{value:g}" if isinstance(value, float) else value, 20) for value in counts.index]
    turn = max(map(len, labels)) * len(labels) > 60
    axes.set_xticks(
        places, labels, rotation=45 if turn else 0, ha="right" if turn else "center", rotation_mode="anchor"
    )
