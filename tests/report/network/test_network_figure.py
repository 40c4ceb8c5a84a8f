"""The network of a history, as it is and as it was; and the tables that stand beside the figures."""

from itertools import pairwise
from pathlib import Path as File

import pytest

from analysis_tools import big_system
from munet import System
from munet.analysis import History, history
from munet.analysis.growth import best_at, paths_at
from munet.analysis.lineage import ancestor_tasks, transfers
from munet.analysis.summary import changes, totals
from munet.errors import InputError
from munet.report.figures import FIGURES, Options, draw
from munet.report.figures.tables import TABLES, tables
from munet.report.network.figure import FEW, layout_of, order_of, retained_paths
from munet.report.network.figure import paths_at as drawn_at
from munet.report.network.layout import Layer, Path, arrange
from munet.report.network.picture import picture, task_paths, visible_slots
from munet.tables.render import WRITERS
from munet.tables.table import Table


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    return big_system(tmp_path_factory.mktemp("network") / "grown", tasks=4, children=96, blocks=2)


@pytest.fixture(scope="module")
def grown(system: System) -> History:
    return history(system)


def test_the_paths_are_those_of_the_system(system: System, grown: History):
    assert retained_paths(grown) == task_paths(system.store)
    title = draw("network", grown).axes[0].texts[0].get_text()
    status = system.status()
    assert title.startswith(f"4 tasks  ·  {status['unique_parameters']:,} unique parameters")
    assert f"mean test accuracy {100 * status['mean_test_accuracy']:.1f} %" in title


def test_the_network_at_a_step_has_the_models_that_were_best_then(grown: History):
    for step in (0, 20, 95):
        known, best = paths_at(grown, step), best_at(grown, step)
        for path in drawn_at(grown, step):
            layers = known.get(path.task, {})
            assert {slot: layer.identity for slot, layer in path.layers.items()} == {
                s: one.id for s, one in layers.items()
            }
            assert path.accuracy == (best[path.task].accuracy if path.task in best else None)
            assert all((one.trained_by or "root") == layers[slot].trained_by for slot, one in path.layers.items())
    title = draw("network", grown, Options(step=20)).axes[0].texts[0].get_text()
    assert title.startswith("step 20  ·  1 task  ·  mean validation accuracy ")


def test_in_an_animation_columns_and_rows_stay_where_they_are(grown: History):
    last = drawn_at(grown, 95)
    slots, order = visible_slots(last), order_of(last)
    whole = arrange(last, slots, order)
    early = arrange(drawn_at(grown, 20), slots, order)
    assert early.tasks == whole.tasks == tuple(order)
    assert early.slots == whole.slots == tuple(slots)
    assert set(early.lines) < set(whole.lines)
    figures = [picture(paths, "title", layout=layout, caption=["one", "two"], highlight=order[0])
               for paths, layout in ((last, whole), (drawn_at(grown, 20), early))]  # fmt: skip
    assert figures[0].get_size_inches().tolist() == figures[1].get_size_inches().tolist()


def test_of_many_tasks_lines_pass_rows_without_making_room_and_columns_are_not_tried_one_by_one():
    root = {slot: Layer(f"root/{slot}", 1, None) for slot in ("embedding", "block.0")}
    paths = []
    for number in range(50):
        extra = {"adapter.0": Layer(f"{number}/adapter.0", 1, f"t{number}")} if number == 7 else {}
        paths.append(Path(f"t{number}", {**root, **extra, "head": Layer(f"{number}/head", 1, f"t{number}")}, 0.5))
    assert len(paths) > FEW
    layout = layout_of(paths)
    assert sorted(layout.tasks) == sorted(path.task for path in paths)
    row = layout.slots.index("adapter.0")
    assert [box.users for box in layout.boxes if box.row == row] == [("t7",)]
    for task, points in layout.lines.items():
        assert len(points) == len(layout.slots)
        if task != "t7":  # straight from the embedding to the block
            assert points[row] == pytest.approx((points[row - 1] + points[row + 1]) / 2)
    found = {(box.row, task): box for box in layout.boxes for task in box.users}
    assert all(points[r] == found[r, task].port(task) for task, points in layout.lines.items()
               for r in range(len(points)) if (r, task) in found)  # fmt: skip
    few = layout_of(paths[:5])
    assert few == arrange(paths[:5], visible_slots(paths[:5]))


def test_a_picture_of_many_tasks_has_room_for_its_numbers():
    paths = [Path(f"task-{n}", {"head": Layer(f"{n}", 1, f"task-{n}")}, 0.987) for n in range(60)]
    figure = picture(paths, "60 tasks", layout=layout_of(paths))
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text() == "98.7"]
    assert len(boxes) == 60
    boxes.sort(key=lambda box: box.x0)
    assert all(left.x1 <= right.x0 + 1 for left, right in pairwise(boxes))


# Tables


def column(table: Table, key: str) -> list[object]:
    place = [one.key for one in table.columns].index(key)
    return [getattr(row[place], "text", row[place]) for row in table.rows]


def test_the_leaderboard_has_the_numbers_of_status(system: System, grown: History):
    (board,) = tables("leaderboard", grown)
    rows = system.status()["tasks"]
    for key in ("validation_accuracy", "test_accuracy", "score", "parameters", "accounted_parameters", "flops"):
        assert column(board, key) == pytest.approx([row[key] for row in rows])
    assert column(board, "task") == [row["name"] for row in rows]
    (models,) = tables("models", grown)
    assert column(models, "model") == [row["model"][:12] for row in rows]


def test_the_summary_has_the_totals_and_what_the_last_run_changed(grown: History):
    made = tables("summary", grown)
    cells = dict(zip(column(made[0], "what"), column(made[0], "value"), strict=True))
    found = totals(grown)
    assert cells["children"] == "96"
    assert cells["unique parameters"] == f"{found['unique_parameters']:,}"
    assert cells["mean test accuracy"] == f"{found['mean_test_accuracy']:.4f}"
    changed = changes(grown)
    if len(changed):
        assert column(made[1], "test_accuracy_after") == pytest.approx(changed["test_accuracy_after"].tolist())


def test_the_ancestry_names_the_tasks_on_the_way(grown: History):
    (lines,) = tables("ancestry", grown)
    for task, names in zip(column(lines, "task"), column(lines, "tasks"), strict=True):
        assert names == ", ".join(ancestor_tasks(grown, str(task)))
    _, layers = tables("ancestry", grown, Options(task="task-003"))
    found = transfers(grown)
    found = found[found["task"] == "task-003"]
    assert column(layers, "layer") == found["slot"].tolist()
    assert column(layers, "tasks") == found["depth"].tolist()


def test_tables_can_be_written_and_have_other_names_than_figures(grown: History):
    assert not set(TABLES) & set(FIGURES)
    for name in TABLES:
        for write in WRITERS.values():
            assert "task" in write(tables(name, grown))
    with pytest.raises(InputError, match="did you mean 'models'"):
        tables("model", grown)


def test_several_systems_have_a_column_of_their_own(tmp_path: File):
    both = history(*(big_system(tmp_path / str(k), tasks=1, children=8, blocks=1, seed=k) for k in range(2)))
    (board,) = tables("leaderboard", both)
    assert column(board, "system") == ["0", "1"]
