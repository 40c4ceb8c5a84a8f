"""Plots of experiments, in print quality and the width of a column. Matplotlib is imported only when one is drawn.

Colours tell the kind of method and stay the same from plot to plot; markers, filling and dashes tell its variants, so
that they can be distinguished without colour too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from munet.experiments.results.curves import (
    FIRST_SET,
    MEASURES,
    Curve,
    Growth,
    Point,
    Segment,
    growth,
    pareto,
    pareto_front,
    segments,
    spending,
)
from munet.experiments.results.placing import place_labels
from munet.experiments.results.read import RANKS, Name, Runs
from munet.report.style.fonts import families, writable
from munet.report.style.palette import FAINT, INK, colour
from munet.report.style.saving import check_suffix, save
from munet.text import cells, clean

__all__ = ["check_suffix", "cost_figure", "growth_figure", "pareto_figure", "save", "spending_figure"]

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _PANEL, _LEGEND_ROW, _HEAD = 3.4, 2.35, 0.145, 0.25  # inches; 3.4 is the column of a two-column paper
_SIZE = 7.5  # points
_MARKERS = ("o", "s", "^", "D", "v", "p", "<", ">", "h", "d", "*", "P", "X", (4, 1, 0), (6, 1, 0), "8")
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))
_PERCENT = 100.0
_UNITS = ((1e6, " (millions)"), (1e3, " (thousands)"))
_LETTER, _INSIDE = 0.06, 2.7  # inches: width of a letter at most, of the inside of a panel at least


def pareto_figure(runs: Runs, title: str, *, compute: bool = False, without: Sequence[str] = ()) -> "Figure":
    """Test accuracy over parameters, or FLOPs, per task. Methods that differ in one number are a curve with a band."""
    curves = pareto(runs, "flops" if compute else "parameters", without)
    cost = "FLOPs per task" if compute else "parameters per task"
    spread = "±1 std over seeds" if any(len(results) > 1 for results in runs.values()) else "one seed"
    return cost_figure(curves, title, cost, _accuracy_text(spread, without), front=True)


def cost_figure(curves: Sequence[Curve], title: str, cost: str, quality: str, *, front: bool = False) -> "Figure":
    """Test accuracy, given as fractions, over a cost; with the `front` of what nothing cheaper reaches."""
    dearest = max((point.x for curve in curves for point in curve.points), default=0.0)
    unit, word = next(((unit, word) for unit, word in _UNITS if dearest >= unit), (1.0, ""))
    with _figure(title, 1, [curve.name for curve in curves]) as (figure, (axes,), say):
        for curve, style in zip(curves, _styles(curves), strict=True):
            _draw_curve(axes, curve, style, say)
        if front and len(best := pareto_front([point for curve in curves for point in curve.points])) > 1:
            _draw_front(axes, best)
        axes.set_xlabel(cost + word)
        axes.set_ylabel(quality)
        axes.xaxis.set_major_formatter(_in(unit))
        axes.set_xlim(0, 1.05 * dearest or 1)  # also where all cost the same, their markers are whole
    place_labels(
        axes, [(p.x, _PERCENT * p.y, say(p.label)) for c in curves for p in c.points if p.label], _SIZE - 1, INK
    )
    return figure


def spending_figure(
    budgets: Mapping[str, Runs], title: str, *, without: Sequence[str] = (), trails: bool = False
) -> "Figure":
    """Test accuracy over training samples of a task, and over FLOPs spent on it: a point for each budget."""
    by_samples = spending(budgets, "samples", without, trails=trails)
    by_flops = spending(budgets, "flops", without, trails=trails)
    with _figure(title, 2, [curve.name for curve in by_samples]) as (figure, panels, say):
        for axes, curves, unit in zip(panels, (by_samples, by_flops), (1e3, 1e12), strict=True):
            for curve, style in zip(curves, _styles(curves), strict=True):
                for trail in curve.trails:
                    axes.plot(*_columns(trail), color=style["color"], lw=0.5, alpha=0.45, zorder=1)
                _draw_curve(axes, curve, style, say)
            _logarithmic(axes, [point.x for curve in curves for point in curve.points], unit)
            axes.set_ylabel(_accuracy_text("range over seeds", without))
        panels[0].set_xlabel("training samples per task (thousands)")
        panels[1].set_xlabel("TFLOPs spent per task, training and validation")
    return figure


def growth_figure(runs: Runs, title: str) -> "Figure":
    """A growing system over its task iterations, as Figure 3 of the mu2Net+ paper (arXiv 2209.07326)."""
    grown, parts = growth(runs), segments(runs)
    curves = [Curve(each.method, each.method, ()) for each in grown]
    units = (("test accuracy (%)", 1 / _PERCENT), ("parameters / task (M)", 1e6), ("FLOPs / task (M)", 1e6))
    with _figure(title, 3, [curve.name for curve in curves], panel=1.45, sharex=True) as (figure, panels, say):
        for each, style in zip(grown, _styles(curves), strict=True):
            for axes, measure, (_, unit) in zip(panels, MEASURES, units, strict=True):
                points = each.series[measure]
                _band(axes, points, style, 1 / unit)
                axes.plot([p.x for p in points], [p.y / unit for p in points], color=style["color"],
                          ls=style["ls"], lw=1.1, label=say(each.method))  # fmt: skip
            _draw_first_set(panels[0], each, style)
        for axes, (text, _) in zip(panels, units, strict=True):
            axes.set_ylabel(text)
            for part in parts[1:]:
                axes.axvline(part.first - 0.5, color=FAINT, lw=0.6, ls=(0, (2, 2)))
        panels[-1].set_xlabel("task iterations")
        panels[-1].set_xlim(0.5, max(len(next(iter(each.series.values()))) for each in grown) + 0.5)
        _name_segments(panels, [(part, say(part.name)) for part in parts])
    return figure


def learning_figure(systems: Mapping[str, Sequence[Path]], title: str, tasks: Sequence[str]) -> "Figure":
    """Learning curves of each task (A20), a colour for each method; `systems` are those of its seeds."""
    from munet.analysis import History
    from munet.report.figures.learning import curves_figure
    from munet.store import Store

    places = {f"{method}/{seed}": path for method, paths in systems.items() for seed, path in enumerate(paths)}
    history = History.of({label: Store.open(path) for label, path in places.items()})
    return curves_figure(history, {label: label.rpartition("/")[0] for label in places}, tasks, f": {title}")


# Drawing


def _draw_first_set(axes: "Axes", grown: Growth, style: dict[str, Any]) -> None:
    """The mean over the first segment's tasks, which later tasks do not move: the accuracy of the paper's Figure 3."""
    points = grown.series.get(FIRST_SET, ())
    if not points:
        return
    ys = [_PERCENT * point.y for point in points]
    axes.plot([point.x for point in points], ys, color=style["color"], lw=1.1, ls=(0, (3, 1)), label="_first set")
    # Below the end of the line, where later tasks leave room.
    axes.annotate("tasks of segment 1", (points[-1].x, ys[-1]), (0, -5), textcoords="offset points",
                  ha="right", va="top", fontsize=_SIZE - 1)  # fmt: skip


def _draw_front(axes: "Axes", front: Sequence[Point]) -> None:
    """Steps: up to the next point nothing is better."""
    xs, ys = [point.x for point in front], [_PERCENT * point.y for point in front]
    axes.step(xs, ys, where="post", color=FAINT, lw=0.9, ls=(0, (1, 1.5)), zorder=1.5, label="Pareto front")


def _draw_curve(axes: "Axes", curve: Curve, style: dict[str, Any], say: Callable[[str], str]) -> None:
    """Points joined by a line inside their band; a single point has a bar instead."""
    xs, ys = [point.x for point in curve.points], [_PERCENT * point.y for point in curve.points]
    if len(curve.points) == 1:
        point = curve.points[0]
        bar = [[_PERCENT * (point.y - point.low)], [_PERCENT * (point.high - point.y)]]
        axes.errorbar(xs, ys, yerr=bar, fmt="none", ecolor=style["color"], elinewidth=0.8, capsize=1.5, zorder=2)
    else:
        _band(axes, curve.points, style, _PERCENT)
    line: dict[str, Any] = style if len(xs) > 1 else style | {"ls": "none"}
    axes.plot(xs, ys, **line, lw=1.1, ms=4, mew=0.9, label=say(curve.name), zorder=3)


def _band(axes: "Axes", points: Sequence[Point], style: dict[str, Any], factor: float) -> None:
    low, high = [factor * point.low for point in points], [factor * point.high for point in points]
    axes.fill_between([point.x for point in points], low, high, color=style["color"], alpha=0.16, lw=0, zorder=1)


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [_PERCENT * y for _, y in pairs]


def _styles(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """Colour by the kind of method, marker by curve, filling and dashes by variant."""
    bases = list(dict.fromkeys([*RANKS, *(Name.of(curve.spec).base for curve in curves)]))
    seen: dict[str, int] = {}
    styles = []
    for place, curve in enumerate(curves):
        base = Name.of(curve.spec).base
        variant = seen[base] = seen.get(base, -1) + 1
        hue = colour(bases.index(base))
        styles.append(
            {
                "color": hue,
                "marker": _MARKERS[place % len(_MARKERS)],
                "mfc": "white" if variant % 2 else hue,
                "ls": _DASHES[variant % len(_DASHES)],
            }
        )
    return styles


def _accuracy_text(spread: str, without: Sequence[str]) -> str:
    left_out = f"\nwithout {', '.join(clean(task) for task in without)}" if without else ""
    return f"test accuracy (%), {spread}{left_out}"


def _logarithmic(axes: "Axes", values: Sequence[float], unit: float) -> None:
    """A log scale with plain numbers; within two decades also at 2 and 5."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    steps = (1.0, 2.0, 5.0) if max(values) < 100 * min(values) else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(_in(unit))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _in(unit: float) -> Any:
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{value / unit:g}")


@contextmanager
def _figure(
    title: str, panels: int, names: Sequence[str], *, panel: float = _PANEL, sharex: bool = False
) -> Iterator[tuple["Figure", list["Axes"], Callable[[str], str]]]:
    """A figure of panels below each other, whose legend comes below them all; and what makes any text writable."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fonts = families([clean(text) for text in (title, *names)])
    columns = 2 if max((cells(name) for name in names), default=0) <= 24 and len(names) > 3 else 1
    legend = _LEGEND_ROW * -(-(len(names) + 1) // columns) if len(names) > 1 else 0  # and what is no method
    style: Any = {
        "font.family": fonts, "font.size": _SIZE, "axes.titlesize": _SIZE, "legend.fontsize": _SIZE - 0.5,
        "xtick.labelsize": _SIZE - 0.5, "ytick.labelsize": _SIZE - 0.5, "axes.linewidth": 0.6, "axes.edgecolor": FAINT,
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.grid": True,
        "grid.color": "#e6e8ea", "grid.linewidth": 0.5, "axes.axisbelow": True, "axes.spines.top": False,
        "axes.spines.right": False, "legend.frameon": False, "legend.handlelength": 2.6,
        "axes.formatter.useoffset": False,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(_WIDTH, _HEAD + panels * panel + legend), facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        made = figure.subplots(panels, 1, sharex=sharex, squeeze=False)[:, 0]
        made[0].set_title(writable(clean(title), fonts), loc="left", pad=8)
        yield figure, list(made), lambda text: writable(clean(text), fonts)
        if len(names) > 1 or len(made[0].get_legend_handles_labels()[1]) > 1:
            handles, labels = made[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=columns, labelspacing=0.25, borderpad=0.2)
        figure.draw_without_rendering()  # ticks are made now, in this style, and everything has its place


def _name_segments(panels: Sequence["Axes"], parts: Sequence[tuple[Segment, str]]) -> None:
    """Names above their parts, or numbers and a list below where a name is wider than its part."""
    if not parts:
        return
    whole = parts[-1][0].last
    fits = all(cells(text) * _LETTER <= _INSIDE * (part.last - part.first + 1) / whole for part, text in parts)
    for number, (part, text) in enumerate(parts, 1):
        place = ((part.first + part.last) / 2, 1.02)
        shown = text if fits else str(number)
        panels[0].text(*place, shown, transform=panels[0].get_xaxis_transform(), ha="center", fontsize=_SIZE - 1)
    panels[0].set_title(panels[0].get_title(loc="left"), loc="left", pad=18)
    if not fits:
        # a space that does not break keeps each entry on one line
        entries = ", ".join(f"{number}: {text}".replace(" ", "\xa0") for number, (_, text) in enumerate(parts, 1))
        lines = wrap(entries, int(_INSIDE / _LETTER), break_long_words=False, break_on_hyphens=False)
        panels[-1].set_xlabel("\n".join([panels[-1].get_xlabel(), *lines]))
