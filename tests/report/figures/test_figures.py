"""Every figure shows the numbers of the history, whatever system it is of."""

# pandas carries no types of its own, and what is inferred of a table is a union of all it might hold:
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false

import warnings
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import Arc, FancyArrowPatch

import analysis_tools
from analysis_tools import big_system
from munet.analysis import History, history
from munet.analysis.costs import parameters, spent
from munet.analysis.flow import ancestor_shares, edges
from munet.analysis.learning import curves, gaps
from munet.analysis.lineage import line, transfers, tree
from munet.analysis.progress import progress
from munet.analysis.settings import by_depth, distributions, probability_histograms, schedule
from munet.analysis.sharing import shared_layers
from munet.errors import InputError
from munet.report.figures import FIGURES, Options, check, draw
from munet.report.figures.style import legend_plan, looks, page, plain_number
from munet.report.style.palette import task_colours

NAMES = ("日本語の手書き文字", "देवनागरी", "عربي", "x_1", "a" * 90, "русский_текст")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("seeds")
    return history(*(big_system(folder / str(k), tasks=2, children=32, blocks=2, seed=k) for k in range(2)))


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Names in many scripts, one of them long."""
    kind = analysis_tools._Task

    def task(name: str, **more: Any) -> Any:
        return kind(NAMES[int(name[5:])], **more)

    with patch.object(analysis_tools, "_Task", task):
        system = big_system(tmp_path_factory.mktemp("named") / "s", tasks=len(NAMES), children=8 * len(NAMES), blocks=2)
    return history(system)


def axes_of(figure: Any, place: int = 0) -> Any:
    return figure.axes[place]


def lines(axes: Any) -> list[tuple[list[float], list[float]]]:
    return [(list(one.get_xdata()), list(one.get_ydata())) for one in axes.get_lines()]


# Over time


def test_timeline_has_every_score_and_a_cross_at_each_best(grown: History):
    drawn = lines(axes_of(draw("timeline", grown)))
    scored = grown.children[grown.children["score"].notna()]
    for task in grown.tasks["task"]:
        mine = scored[scored["task"] == task]
        kept, lost = mine[mine["accepted"]], mine[~mine["accepted"].astype(bool)]
        assert (lost["step"].tolist(), lost["score"].tolist()) in drawn
        best = np.maximum.accumulate(mine["score"].where(mine["accepted"].astype(bool), -np.inf)).to_numpy()
        reached = best[np.isfinite(best)].tolist()
        assert (mine["step"].tolist()[-len(reached) :], reached) in drawn, "the line never falls"
        assert (kept["step"].tolist(), kept["score"].tolist()) in drawn, "accepted ones are filled"
    crosses = {(x[0], y[0]) for x, y in drawn if len(x) == 1}
    best = scored.loc[scored.groupby("task")["score"].idxmax()]
    assert set(zip(best["step"], best["score"], strict=True)) <= crosses


def test_ancestors_are_the_lines_of_the_tree_and_the_retained_lineages_stand_out(grown: History):
    axes = axes_of(draw("ancestors", grown))
    faint, strong = (one for one in axes.collections if isinstance(one, LineCollection))
    table = tree(grown)
    table = table[table["parent_score"].notna()]
    ends = table[["parent_step", "parent_score", "step", "score"]].to_numpy(float).reshape(-1, 2, 2)
    assert np.array_equal(np.array(faint.get_segments()), ends)
    assert np.array_equal(np.array(strong.get_segments()), ends[table["retained"].to_numpy()])
    plus = next(one for one in axes.get_lines() if one.get_marker() == "+")
    steps = {one.step for task in grown.tasks["task"] for one in line(grown, task)} - {None}
    assert set(plus.get_xdata()) == steps


def test_growth_has_what_each_task_iteration_came_to(grown: History):
    figure = draw("growth", grown)
    table = progress(grown)
    for axes, measure, unit in zip(
        figure.axes, ("mean_test_accuracy", "parameters_per_task", "flops_per_task", "tasks"), (100, 1e-6, 1e-6, 1),
        strict=True,
    ):  # fmt: skip
        xs, ys = lines(axes)[0]
        assert xs == [point + 1 for point in table["point"]]
        assert ys == pytest.approx(table[measure] * unit)
    assert figure.axes[0].get_xlim() == (0.5, len(table) + 0.5)
    starts = [one.get_xdata()[0] for one in figure.axes[0].get_lines()[1:]]
    runs = table["run"].tolist()
    assert starts == [place + 0.5 for place in range(1, len(runs)) if runs[place] != runs[place - 1]]


def test_growth_of_several_systems_is_their_mean_inside_their_range(seeds: History):
    axes = axes_of(draw("growth", seeds))
    held = progress(seeds).groupby("point")["mean_test_accuracy"]
    assert lines(axes)[0][1] == pytest.approx(100 * held.mean())
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert min(band) == pytest.approx(100 * held.min().min())
    assert max(band) == pytest.approx(100 * held.max().max())


def test_schedule_has_the_values_along_each_lineage(grown: History):
    figure = draw("schedule", grown)
    tasks = list(grown.tasks["task"])
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == tasks
    for task, axes in zip(tasks, figure.axes, strict=False):
        table = schedule(grown, task, "learning_rate")
        assert lines(axes)[0] == (table["step"].tolist(), table["value"].tolist())
    words = draw("schedule", grown, Options(task=tasks[0], column="hp.flip"))
    assert {label.get_text() for label in axes_of(words).get_yticklabels()} <= {"False", "True"}
    one = draw("schedule", grown, Options(model=str(grown.tasks["model"][0])[:10]))
    assert lines(axes_of(one))[0] == lines(figure.axes[0])[0]


# Matrices and graphs


def test_sharing_is_the_matrix_with_its_numbers(grown: History):
    axes = axes_of(draw("sharing", grown))
    table = shared_layers(grown)
    assert np.array_equal(axes.get_images()[0].get_array(), table)
    assert [text.get_text() for text in axes.texts] == [str(value) if value else "" for value in table.to_numpy().flat]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(grown.tasks["task"])


def test_transfer_depth_is_the_number_of_tasks_and_the_mean_beside_it(grown: History):
    axes = axes_of(draw("transfer-depth", grown))
    values = np.asarray(axes.get_images()[0].get_array())
    slots = [label.get_text() for label in axes.get_yticklabels()]
    assert slots[0] == "head"
    assert slots[-1] == "embedding"
    tasks = list(grown.tasks["task"])
    for row in transfers(grown).itertuples():
        assert values[slots.index(row.slot), tasks.index(row.task)] == row.depth
    means = [text.get_text() for text in axes.texts if text.get_position()[0] > len(tasks) - 0.5]
    assert means == [f"{mean:.1f}" for mean in np.nanmean(values, axis=1)]


def test_flow_has_an_arrow_for_each_pair_as_wide_as_its_share(grown: History):
    figure = draw("flow", grown)
    table = edges(grown)
    colours = task_colours(list(grown.tasks["task"]))
    others = table[table["ancestor"] != table["task"]]
    arrows = {one.get_gid(): one for one in axes_of(figure).patches if isinstance(one, FancyArrowPatch)}
    assert set(arrows) == {f"{row.ancestor}>{row.task}" for row in others.itertuples()}
    assert len(others)
    widths = [arrows[f"{row.ancestor}>{row.task}"].get_linewidth() / row.width for row in others.itertuples()]
    assert widths == pytest.approx([widths[0]] * len(widths))
    loops = [one for one in axes_of(figure).patches if isinstance(one, Arc)]
    assert len(loops) == len(table) - len(others)
    names = {text.get_text() for text in axes_of(figure).texts}
    assert names == set(colours)


def test_transfers_are_shares_in_percent(grown: History):
    values = np.asarray(axes_of(draw("transfers", grown)).get_images()[0].get_array())
    assert values == pytest.approx(100 * ancestor_shares(grown).to_numpy())


def test_several_systems_are_summed(seeds: History):
    values = np.asarray(axes_of(draw("transfers", seeds)).get_images()[0].get_array())
    assert values == pytest.approx(100 * ancestor_shares(seeds).to_numpy())
    assert "2 systems" in draw("flow", seeds).texts[2].get_text()


# Settings, learning, costs


def test_hyperparameters_have_a_bar_for_each_value(grown: History):
    figure = draw("hyperparameters", grown)
    table = distributions(grown)
    for axes in (one for one in figure.axes if one.get_visible()):
        held = table[table["name"] == axes.get_title(loc="left").replace(" ", "_")]
        assert [bar.get_height() for bar in axes.patches] == pytest.approx(100 * held["share"])
    assert sum(one.get_visible() for one in figure.axes) == table["name"].nunique()


def test_mutation_probabilities_by_depth_have_the_line_of_least_squares(grown: History):
    axes = axes_of(draw("mutation-depth", grown))
    fit = by_depth(grown)
    dots = {tuple(place) for place in np.asarray(axes.collections[0].get_offsets()).tolist()}
    assert dots == {(float(point.block), value) for point in fit.points for value in point.probabilities}
    drawn = next(one for one in axes.get_lines() if one.get_marker() in ("None", None))
    assert fit.slope is not None
    assert drawn.get_ydata() == pytest.approx([fit.intercept + fit.slope * x for x in drawn.get_xdata()])


def test_mutation_histograms_have_all_shares(grown: History):
    figure = draw("mutation-histograms", grown)
    table = probability_histograms(grown)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}
    assert "clone block" in panels
    assert not any(title[-1].isdigit() for title in panels), "blocks are taken together"
    for mutation, title in (("clone:block", "clone block"), ("hyperparameter:flip", "flip")):
        held = table[table["mutation"] == mutation]
        assert [bar.get_height() for bar in panels[title].patches] == pytest.approx(100 * held["share"])


def test_learning_curves_end_at_the_selected_model_and_its_test_accuracy(grown: History):
    figure = draw("learning", grown)
    table, ends = curves(grown), gaps(grown).set_index("task")
    for task, axes in zip(grown.tasks["task"], figure.axes, strict=False):
        (xs, ys), dotted, selected, tested = lines(axes)
        mine = table[table["task"] == task]
        assert xs == mine["validation"].tolist()
        assert ys == pytest.approx(100 * mine["accuracy"])
        end = ends.loc[task]
        assert selected == ([end["validations"]], [pytest.approx(100 * end["validation_accuracy"])])
        assert tested == ([end["validations"]], [pytest.approx(100 * end["test_accuracy"])])
        assert dotted[1] == pytest.approx([100 * end["validation_accuracy"], 100 * end["test_accuracy"]])
        low, high = axes.get_ylim()
        assert low <= 100 * min(end["test_accuracy"], mine["accuracy"].min())
        assert high >= 100 * max(end["test_accuracy"], mine["accuracy"].max())
        assert (low, high) == figure.axes[0].get_ylim(), "panels that are compared have one scale"


def test_histogram_counts_accepted_and_other_children(grown: History):
    for column in ("num_blocks", "learning_rate", "flip", "parameters", "task"):
        figure = draw("histogram", grown, Options(column=column))
        name = column if column in grown.children else f"hp.{column}"
        known = grown.children[grown.children[name].notna()]
        assert sum(bar.get_height() for bar in axes_of(figure).patches) == len(known)
    bars = axes_of(draw("histogram", grown, Options(column="flip"))).patches
    table = grown.children
    expected = [
        len(table[(table["hp.flip"] == v) & (table["accepted"] == a)]) for a in (True, False) for v in (False, True)
    ]
    assert [bar.get_height() for bar in bars] == expected
    some = draw("histogram", grown, Options(task="task-001"))
    assert sum(bar.get_height() for bar in axes_of(some).patches) == len(table[table["task"] == "task-001"])


def test_costs_add_up(grown: History):
    figure = draw("costs", grown)
    time, flops, weights, fates = figure.axes
    totals = spent(grown, "system").iloc[0]
    assert sum(bar.get_width() for bar in time.patches) == pytest.approx(totals["seconds"] / 60)
    assert sum(bar.get_width() for bar in flops.patches) == pytest.approx(totals["flops"] / 1e12)
    assert sum(bar.get_width() for bar in weights.patches) == pytest.approx(parameters(grown)["trained"].sum() / 1e6)
    assert sum(bar.get_width() for bar in fates.patches) == len(grown.children)
    words = [text.get_text() for text in fates.get_legend().get_texts()]  # pyright: ignore[reportOptionalMemberAccess]
    assert words[:2] == ["retained", "accepted, not retained"]
    assert "not better than its parent" in words


# All of them


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.usefixtures("answered")
def test_names_of_any_script_stay_inside_the_figure_and_do_not_cover_each_other(named: History, name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(name, named)
        figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    texts = [*figure.texts, *(text for axes in figure.axes if axes.get_visible() for text in axes.texts)]
    for text in texts:
        if text.get_text():
            box = text.get_window_extent()
            assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
            assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()
    heads = [text.get_window_extent() for text in figure.texts if text.get_text()]
    assert not any(one.overlaps(other) for one, other in combinations(heads, 2))
    legend = figure.legends[0].get_window_extent() if figure.legends else None
    for axes in figure.axes if legend else ():
        assert not axes.get_window_extent().overlaps(legend)


@pytest.mark.parametrize("children", [0, 1, 3])
@pytest.mark.usefixtures("answered")
def test_the_smallest_systems_are_drawn_or_say_what_is_missing(tmp_path: Path, children: int):
    for tasks in (0, 1):
        if tasks or not children:
            large = history(big_system(tmp_path / str(tasks), tasks=tasks, children=children, blocks=1))
            for name in FIGURES:
                if children:
                    draw(name, large)
                else:
                    with pytest.raises(InputError, match=rf"^{name} needs [^\n]+$"):
                        draw(name, large)


def test_what_cannot_be_asked_for_is_refused_in_one_line(grown: History, seeds: History):
    for name, options, systems, said in (
        ("timelin", Options(), 1, "did you mean 'timeline'"),
        ("timeline", Options(task="a"), 1, "--task goes with schedule"),
        ("sharing", Options(step=1), 1, "--step goes with network, not with sharing"),
        ("schedule", Options(task="a", model="b"), 1, "cannot be used together"),
        ("timeline", Options(), 2, "timeline shows one system; several go with growth"),
    ):
        with pytest.raises(InputError, match=said):
            check(name, options, systems)
    for name, options, said in (
        ("schedule", Options(column="learning_rat"), "did you mean 'learning_rate'"),
        ("schedule", Options(task="task-00"), "did you mean 'task-00"),
        ("histogram", Options(column="num_block"), "did you mean 'num_blocks'"),
        ("network", Options(step=96), "the system has sampled models 0 to 95"),
    ):
        with pytest.raises(InputError, match=said):
            draw(name, grown, options)
    with pytest.raises(InputError, match="one system"):
        draw("sharing", seeds)


def test_a_legend_of_many_tasks_has_many_columns_and_stays_below_a_page():
    columns, _, height = legend_plan([f"task-{number}" for number in range(124)], 7.0)
    assert columns >= 8
    assert height < 3
    assert legend_plan([], 7.0)[2] == 0
    assert legend_plan(["x" * 200] * 2, 3.4)[0] == 1


def test_numbers_are_written_without_powers_of_ten():
    assert [plain_number(value) for value in (0.0005, 0.1, 12.5, 1234567.0)] == ["0.0005", "0.1", "12.5", "1,234,567"]


def test_axes_write_numbers_out_and_no_number_twice():
    with page("title", "reading", (4, 2)) as made:
        axes = made.panels()[0][0]
        axes.plot([1, 2, 3], [14.69001, 14.69002, 14.69003])
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert axes.yaxis.get_offset_text().get_text() == ""
    assert len(set(labels)) == len(labels)
    assert "14.69002" in " ".join(labels)


def test_legends_of_sixteen_tasks_differ():
    drawn = looks([f"task-{number}" for number in range(16)])
    assert len({look.colour for look in drawn.values()}) == 16
    beside = list(drawn.values())
    assert all(one.marker != other.marker for one, other in pairwise(beside))


def test_zero_is_pale_and_what_is_absent_is_hatched(grown: History):
    axes = axes_of(draw("transfers", grown))
    values = np.ma.filled(axes.images[0].get_array().astype(float), np.nan)
    sums = ancestor_shares(grown).sum(axis=1).to_numpy()
    assert np.isnan(values[sums == 0]).all()
    assert np.isfinite(values[sums > 0]).all()
    assert axes.patch.get_hatch()
    written = {text.get_text() for text in axes.texts}
    assert ("0" in written) == bool((values == 0).any())
