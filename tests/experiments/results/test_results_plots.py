"""What the plots show is settled as values; the pictures hold all of it and nothing covers anything else."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_tools import TASKS, grid, history, result
from munet.errors import InputError
from munet.experiments.results.curves import (
    FIRST_SET,
    Point,
    Segment,
    families,
    growth,
    meetings,
    pareto,
    pareto_front,
    segments,
    spending,
)
from munet.experiments.results.placing import Box, choose
from munet.experiments.results.plots import check_suffix, growth_figure, pareto_figure, save, spending_figure
from munet.experiments.results.read import Result, Runs, budgets, find
from munet.report.style import fonts


def made(method: str, seed: int, *accuracies: float, **changes: Any) -> Result:
    return Result.model_validate(result(method, seed, dict(zip(TASKS, accuracies, strict=False)), **changes))


# Values


def test_families_are_methods_that_differ_in_one_number():
    found = families(
        [
            *("multi-head", "finetune-full", "adapters:8", "adapters:64", "adapters:64+preprocessing=none"),
            *("munet", "munet+scale=0.3", "mu2net-plus", "munet+preprocessing=none+scale=0.3"),
        ]
    )
    assert found == [
        ("multi-head", "multi-head", [("multi-head", "")]),
        ("finetune-full", "finetune-full", [("finetune-full", "")]),
        ("adapters, 8 to 64", "adapters", [("adapters:8", "8"), ("adapters:64", "64")]),
        (
            "adapters:64+preprocessing=none",
            "adapters+preprocessing=none",
            [("adapters:64+preprocessing=none", "")],
        ),
        ("munet, scale 0.3 to 1", "munet", [("munet", "1"), ("munet+scale=0.3", "0.3")]),
        ("mu2net-plus", "mu2net-plus", [("mu2net-plus", "")]),
        (
            "munet+preprocessing=none+scale=0.3",
            "munet+preprocessing=none",
            [("munet+preprocessing=none+scale=0.3", "")],
        ),
    ]


def test_fine_tuning_the_top_layers_runs_from_multi_head_to_all_of_them():
    """As in the papers: the smallest point is multi-head, the largest full fine-tuning."""
    ((name, spec, members),) = families(["multi-head", "finetune-above:1", "finetune-full"])
    assert spec == "finetune-above"
    assert name == "finetune-above, multi-head to full"
    assert members == [("multi-head", "multi-head"), ("finetune-above:1", "1"), ("finetune-full", "full")]
    other = families(["multi-head+preprocessing=none", "finetune-above:1"])
    assert len(other) == 2, "with another preprocessing it is another curve"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_the_front_is_what_nothing_as_cheap_reaches(pairs: list[tuple[int, int]]):
    points = [Point(x, y, y, y) for x, y in pairs]
    front = pareto_front(points)
    assert all(one.x < other.x and one.y < other.y for one, other in pairwise(front))
    for point in points:
        assert any(one.x <= point.x and one.y >= point.y for one in front)


@pytest.mark.parametrize(("seeds", "text"), [(1, "one seed"), (2, "±1 std over seeds")])
def test_a_pareto_picture_has_its_front_and_one_seed_no_deviation(seeds: int, text: str):
    methods = {"multi-head": 100, "finetune-full": 900}
    runs = {
        method: [made(method, seed, 0.5 + size / 2000, parameters_per_task=size) for seed in range(seeds)]
        for method, size in methods.items()
    }
    axes = pareto_figure(runs, "title").axes[0]
    assert text in axes.get_ylabel()
    front = next(line for line in axes.get_lines() if line.get_label() == "Pareto front")
    assert np.array_equal(front.get_xdata(), [100, 900])


def test_pareto_points_by_hand():
    runs: Runs = {
        "munet": [
            made("munet", 0, 0.8, 0.6, parameters_per_task=2e6, flops_per_task=4e6),
            made("munet", 1, 0.9, 0.9, parameters_per_task=4e6, flops_per_task=6e6),
        ],
        "munet+scale=0.3": [made("munet+scale=0.3", 0, 0.5, 0.5, parameters_per_task=1e6, flops_per_task=9e6)],
    }
    (curve,) = pareto(runs, "parameters")
    small, large = curve.points
    assert (small.x, small.y, small.label) == (1e6, 0.5, "0.3")
    # means 0.7 and 0.9: their mean 0.8, population std 0.1
    assert (large.x, large.label) == (3e6, "1")
    assert (large.low, large.y, large.high) == pytest.approx((0.7, 0.8, 0.9))
    (by_compute,) = pareto(runs, "flops", without=[TASKS[0]])
    assert [point.x for point in by_compute.points] == [5e6, 9e6], "in order of x"
    assert by_compute.points[0].y == pytest.approx(0.75)
    assert pareto(runs, "flops", without=TASKS) == []


def test_spending_has_a_point_for_each_budget_and_trails_where_all_tasks_have_a_model():
    def at(seed: int, accuracy: float, samples: int) -> Result:
        spent = {"train": 3e9 * samples, "validation": 1e9 * samples}
        steps = history(TASKS[:2], 2)
        return made("munet", seed, accuracy, accuracy, samples=samples, flops_spent=spent, history=steps)

    held: dict[str, Runs] = {
        "small": {"munet": [at(0, 0.9, 4000)]},
        "mini": {"munet": [at(0, 0.5, 1000), at(1, 0.7, 1000)]},
    }
    (curve,) = spending(held, "samples", trails=True)
    mini, small = curve.points
    assert (mini.label, mini.x) == ("mini", 500.0)
    assert (mini.low, mini.y, mini.high) == pytest.approx((0.5, 0.6, 0.7))
    assert (small.x, small.low, small.high) == (2000.0, 0.9, 0.9)
    assert len(curve.trails) == 3
    # four moments with 1, 2, 2, 2 tasks after 1000 samples each
    assert [x for x, _ in curve.trails[0]] == [1000.0, 1500.0, 2000.0]
    (by_flops,) = spending(held, "flops")
    assert [point.x for point in by_flops.points] == [2e12, 8e12]
    assert by_flops.trails == ()


def test_where_curves_meet_is_told():
    runs = {
        budget: {name: [made(name, 0, accuracy, samples=samples)] for name, accuracy in scores.items()}
        for budget, samples, scores in (
            ("mini", 1000, {"munet": 0.4, "full": 0.5, "low": 0.1}),
            ("large", 100_000, {"munet": 0.6, "full": 0.5, "low": 0.2}),
        )
    }
    runs["large"]["late"] = [made("late", 0, 0.9, samples=200_000)]
    texts = meetings(spending(runs, "samples"), "full", "samples")
    assert texts == [
        "munet against full: behind at 1,000 samples, crosses at 10,000",
        "low against full: behind from 1,000 to 100,000 samples",
        "late against full: no samples in common",
    ]


def test_growth_by_hand():
    one, two = history(TASKS, 2, 0), history(TASKS, 2, 1)[:6]
    runs = {"munet": [made("munet", 0, 0.5, history=one), made("munet", 1, 0.5, history=two)]}
    (grown,) = growth(runs)
    points = grown.series["mean_test_accuracy"]
    assert [point.x for point in points] == [1, 2, 3, 4, 5, 6, 7, 8]
    pair = one[2]["mean_test_accuracy"], two[2]["mean_test_accuracy"]
    assert points[2] == Point(3, pytest.approx(sum(pair) / 2), min(pair), max(pair))  # pyright: ignore[reportArgumentType]
    assert points[7].low == points[7].high == one[7]["mean_test_accuracy"], "one run came that far"
    with pytest.raises(InputError, match="no finished run has a history"):
        growth({"munet": [made("munet", 0, 0.5)]})


def test_the_first_set_is_followed_by_itself():
    steps = history(TASKS, 2, 0, ("A", "B"))
    for number, step in enumerate(steps):  # a turn of two tasks, then of two others
        step["task"], step["test_accuracy"] = (TASKS[:2] if number < 4 else TASKS[2:4])[number % 2], number / 10
    (grown,) = growth({"munet": [made("munet", 0, 0.5, history=steps)]})
    points = grown.series[FIRST_SET]
    assert [point.x for point in points] == [2, 3, 4, 5, 6, 7, 8], "from when both have a model"
    assert [point.y for point in points] == pytest.approx([0.05, 0.15, 0.25, 0.25, 0.25, 0.25, 0.25])
    figure = growth_figure({"munet": [made("munet", 0, 0.5, history=steps)]}, "toy")
    assert "tasks of segment 1" in check(figure)


def test_segments_by_hand():
    def run(method: str, *names: str) -> list[Result]:
        return [made(method, 0, 0.5, history=history(TASKS, 2, 0, names))]

    assert segments({"a": run("a", "x", "y")}) == [Segment("x", 1, 4), Segment("y", 5, 8)]
    assert segments({"a": run("a")}) == []
    assert segments({"a": [made("a", 0, 0.5)]}) == []
    with pytest.raises(InputError, match="different segments"):
        segments({"a": run("a", "x", "y"), "b": run("b", "x", "z")})


# Labels


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 150)), max_size=5),
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 150)), max_size=8),
)
def test_labels_stay_inside_and_apart_where_there_is_room(anchors: list, obstacles: list):
    room = Box(-40, -40, 240, 190)
    around = [Box(x - 2, y - 2, x + 2, y + 2) for x, y in obstacles]
    boxes = choose(anchors, [(12.0, 6.0)] * len(anchors), around, room)
    for box in boxes:
        assert box.shared(room) == pytest.approx(box.area)
    for first, second in combinations(boxes, 2):
        assert first.shared(second) == 0


def test_a_lone_label_goes_above_its_point_and_elsewhere_at_an_edge():
    room = Box(0, 0, 100, 100)
    (box,) = choose([(50, 50)], [(10, 6)], [], room)
    assert box == Box(45, 54, 55, 60)
    (box,) = choose([(50, 98)], [(10, 6)], [], room)
    assert box.top < 98


# Pictures


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grid(tmp_path_factory.mktemp("plots"), budgets={"mini": 1, "small": 4})


@pytest.fixture(scope="module")
def runs(out: Path) -> Runs:
    return find(out, "toy", "mini").runs


def texts_of(figure: Any) -> list[tuple[str, Any]]:
    """Everything written in the figure with its place in pixels."""
    from matplotlib.text import Text

    renderer = figure.canvas.get_renderer()
    # ticks beyond the ends of an axis exist and are not drawn
    drawn = [
        text
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and not _beyond(text, figure.axes)
    ]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in drawn]


def _beyond(text: Any, every: Sequence[Any]) -> bool:
    for axes in every:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if text in (tick.label1, tick.label2) and not low <= tick.get_loc() <= high:
                    return True
    return False


def check(figure: Any) -> list[str]:
    """Nothing leaves the picture and no two texts overlap; returns the texts."""
    figure.canvas.draw()
    found = texts_of(figure)
    whole = figure.bbox
    for text, box in found:
        assert whole.x0 - 1 <= box.x0, text
        assert box.x1 <= whole.x1 + 1, text
        assert whole.y0 - 1 <= box.y0, text
        assert box.y1 <= whole.y1 + 1, text
    for (first, a), (second, b) in combinations(found, 2):
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(overlap) < 1, (first, second)
    return [text for text, _ in found]


@pytest.mark.parametrize("compute", [False, True])
def test_pareto_pictures(runs: Runs, compute: bool):
    texts = check(pareto_figure(runs, "toy, budget mini", compute=compute, without=["telugu"]))
    assert {"munet, scale 0.3 to 1", "adapters, 8 to 512", "mu2net-plus", "512", "0.9"} <= set(texts)
    assert any("FLOPs per task" in text for text in texts) == compute
    assert any("without telugu" in text for text in texts)


def test_spending_pictures(out: Path):
    held = {budget: find(out, "toy", budget).runs for budget in budgets(out, "toy")}
    figure = spending_figure(held, "toy", trails=True)
    texts = check(figure)
    assert "finetune-full+preprocessing=none+replicas=1" in texts
    assert [axes.get_xscale() for axes in figure.axes] == ["log", "log"]
    lone = check(spending_figure({"mini": {"munet": held["mini"]["munet"]}}, "toy"))
    assert "munet" not in lone, "one method needs no legend"


@pytest.mark.parametrize(
    "names",
    [
        ("A", "B", "A+B"),
        ("mu2net on A", "mu2net-plus on A", "mu2net-plus on B", "mu2net-plus on A+B"),
        ("漢字", "বাংলা"),
    ],
)
def test_growth_pictures(names: tuple[str, ...]):
    steps = [history(TASKS, 6, seed, names) for seed in (0, 1)]
    runs = {"munet": [made("munet", seed, 0.5, history=h) for seed, h in enumerate(steps)]}
    figure = growth_figure(runs, "continual-local 漢字 বাংলা")
    written = " ".join(check(figure)).replace("\xa0", " ")
    shown = [
        fonts.writable(name, fonts.families([name])) for name in names
    ]  # squares where no font of this machine has the script
    assert all(name in " ".join(written.split()) for name in shown)
    lines = [line for line in figure.axes[0].get_lines() if len(set(line.get_xdata())) == 1]  # pyright: ignore[reportArgumentType]
    assert [line.get_xdata()[0] for line in lines] == [  # pyright: ignore[reportIndexIssue]
        pytest.approx(24 * part / max(1, len(names)) + 0.5) for part in range(1, len(names))
    ]


def test_methods_differ_also_without_colour(runs: Runs):
    figure = spending_figure({"mini": runs}, "toy")
    marks = [
        (line.get_marker(), line.get_markerfacecolor() == "white", line.get_linestyle())
        for line in figure.axes[0].get_lines()
        if not line.get_label().startswith("_")  # pyright: ignore[reportAttributeAccessIssue]
    ]
    assert len(marks) == len(runs)
    assert len(set(marks)) == len(marks)
    by_label = {line.get_label(): line.get_color() for line in figure.axes[0].get_lines()}
    assert by_label["finetune-full"] == by_label["finetune-full+preprocessing=none"] != by_label["munet"]
    alone = spending_figure({"mini": {"munet": runs["munet"]}}, "toy").axes[0].get_lines()
    assert by_label["munet"] in [line.get_color() for line in alone], "it keeps its colour in every plot"


def test_one_seed_and_one_task_can_be_drawn():
    runs = {"munet": [made("munet", 0, 1.0, history=history(TASKS[:1], 1))]}
    for figure in (pareto_figure(runs, "x"), spending_figure({"mini": runs}, "x"), growth_figure(runs, "x")):
        check(figure)


@pytest.mark.parametrize("suffix", [".PNG", ".svg", ".pdf"])
def test_the_same_runs_give_the_same_file(runs: Runs, tmp_path: Path, suffix: str):
    for name in ("a", "b"):
        save(pareto_figure({"munet": runs["munet"]}, "toy"), tmp_path / f"{name}{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    assert data == (tmp_path / f"b{suffix}").read_bytes()
    assert data.startswith((b"\x89PNG", b"<?xml", b"%PDF"))


def test_another_suffix_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"a picture ends in \.png, \.svg, \.pdf"):
        check_suffix(tmp_path / "x.gif")
