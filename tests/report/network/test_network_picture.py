"""The picture of a network: what is drawn is settled by a pure layout, and every system can be drawn."""

import random
from itertools import pairwise
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import munet
from growing import evolve
from munet.errors import InputError
from munet.report import draw_network
from munet.report.network.layout import GAP, Layer, Path, arrange, spread
from munet.report.network.picture import network_figure, picture, visible_slots
from munet.report.style.fonts import ellipsis, families, folded, writable
from munet.report.style.palette import colour, task_colours, text_on
from munet.text import cells, clean

SLOTS = ("embedding", "cls", "posembed", "block.0", "block.1", "norm", "head")


def grown(task: str, base: dict[str, Layer], *own: str, drop: tuple[str, ...] = ()) -> Path:
    """A path that shares `base` but for the slots in `own`, which the task trained, and its norm and head."""
    mine = {slot: Layer(f"{task}/{slot}", 10, task) for slot in (*own, "norm", "head")}
    return Path(task, {slot: layer for slot, layer in (base | mine).items() if slot not in drop}, 0.9)


ROOT = {slot: Layer(f"root/{slot}", 10, None) for slot in SLOTS if slot not in ("norm", "head")}


def random_paths(seed: int, tasks: int) -> list[Path]:
    rng = random.Random(seed)
    paths: list[Path] = []
    for number in range(tasks):
        base = dict(rng.choice([ROOT, *(path.layers for path in paths)]))
        own = [slot for slot in ROOT if rng.random() < 0.4]
        extra = ["adapter.1"] if rng.random() < 0.3 else []
        drop = ("block.1",) if rng.random() < 0.2 else ()
        paths.append(grown(f"task{number}", base, *own, *extra, drop=drop))
    return paths


def test_a_layer_is_one_box_and_its_users_are_those_that_share_it():
    first = grown("a", ROOT, "block.1")
    paths = [first, grown("b", dict(first.layers), "block.0"), grown("c", ROOT)]
    layout = arrange(paths, visible_slots(paths))
    assert layout.slots == ("embedding", "cls", "posembed", "block.0", "block.1", "head")
    users = {box.layer.identity: set(box.users) for box in layout.boxes if box.layer}
    assert users["root/embedding"] == {"a", "b", "c"}
    assert users["root/block.0"] == {"a", "c"}
    assert users["a/block.1"] == {"a", "b"}
    assert users["root/block.1"] == {"c"}
    assert len(users) == 3 + 2 + 2 + 3
    assert set(layout.lines) == {"a", "b", "c"}


def test_a_line_passes_where_its_task_has_no_layer():
    paths = [grown("deep", ROOT), grown("shallow", ROOT, drop=("block.1",))]
    layout = arrange(paths, visible_slots(paths))
    row = layout.slots.index("block.1")
    passing = [box for box in layout.boxes if box.row == row and box.layer is None]
    assert [box.users for box in passing] == [("shallow",)]
    assert all(len(points) == len(layout.slots) for points in layout.lines.values())


def test_columns_are_ordered_so_that_tasks_that_share_stand_together():
    paths = [grown("a", ROOT, "block.0", "block.1"), grown("x", ROOT), grown("y", ROOT), grown("z", ROOT)]
    paths.append(grown("b", dict(paths[0].layers)))
    layout = arrange(paths, visible_slots(paths))
    assert abs(layout.column("a") - layout.column("b")) == 1


def test_tasks_without_a_model_have_a_name_and_no_line():
    layout = arrange([Path("idle", {}), grown("a", ROOT)], visible_slots([grown("a", ROOT)]))
    assert layout.tasks == ("a", "idle")
    assert set(layout.lines) == {"a"}


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_boxes_of_a_row_never_touch_and_every_line_runs_through_its_boxes(seed: int, tasks: int):
    paths = random_paths(seed, tasks)
    layout = arrange(paths, visible_slots(paths))
    for row in range(len(layout.slots)):
        boxes = sorted((box for box in layout.boxes if box.row == row), key=lambda box: box.x)
        assert sorted(task for box in boxes for task in box.users) == sorted(layout.lines)
        for left, right in pairwise(boxes):
            assert right.x - left.x >= (left.width + right.width) / 2 + GAP - 1e-9
        assert boxes[0].x - boxes[0].width / 2 >= -0.5 - 1e-9
        assert boxes[-1].x + boxes[-1].width / 2 <= tasks - 0.5 + 1e-9
        for box in boxes:
            for task in box.users:
                assert layout.lines[task][row] == box.port(task)
                assert abs(box.port(task) - box.x) < box.width / 2


def test_boxes_stay_where_they_want_to_be_when_there_is_room():
    assert spread([0, 2, 4], [0.4] * 3, 5) == pytest.approx([0, 2, 4])
    pushed = spread([1, 1, 1], [0.4] * 3, 3)
    assert sum(pushed) == pytest.approx(3)
    assert pushed[1] == pytest.approx(1)


def test_the_picture_holds_a_box_for_each_layer_a_line_for_each_task_and_all_numbers():
    paths = random_paths(3, 6)
    figure = picture(paths, "6 tasks  ·  123 unique parameters")
    layout = arrange(paths, visible_slots(paths))
    shapes = [type(patch).__name__ for patch in figure.axes[0].patches]
    assert shapes.count("FancyBboxPatch") == sum(box.layer is not None for box in layout.boxes)
    assert shapes.count("PathPatch") == 2 * 6  # the line and the white below it that sets it off where lines cross
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("90.0 %") == 6
    assert "6 tasks  ·  123 unique parameters" in texts
    assert {"embedding", "block.0", "head", "task0", "task5"} <= set(texts)
    assert "norm" not in texts


@pytest.mark.parametrize("tasks", [1, 2, 8, 30])
def test_no_text_leaves_the_picture_and_names_do_not_overlap(tasks: int):
    paths = [Path(f"{path.task}_of_a_very_long_name_" + "x" * 50, path.layers, 1.0) for path in random_paths(1, tasks)]
    figure = picture(
        paths, f"{tasks} tasks  ·  4,613,214 unique parameters  ·  768,869 per task  ·  mean test accuracy 97.2 %"
    )
    width, height = figure.get_size_inches() * figure.dpi
    boxes = {text: text.get_window_extent() for text in figure.axes[0].texts}
    for text, box in boxes.items():
        assert 0 <= box.x0 < box.x1 <= width, text.get_text()
        assert 0 <= box.y0 < box.y1 <= height, text.get_text()
    upright = [box for text, box in boxes.items() if text.get_rotation() == 0]
    for number, box in enumerate(upright):
        assert not any(box.overlaps(other) for other in upright[:number])


@pytest.mark.parametrize(
    "name",
    ["Ελληνικά", "日本語の手書き文字", "देवनागरी", "عربي", "$x_1$", "^{\\frac", "a" * 100, "\U000f0000", "x\ny\u202e"],
)
def test_names_of_any_script_are_drawn_without_a_warning(name: str):
    paths = [grown(name, ROOT), grown("other", ROOT)]
    picture(paths, "2 tasks").canvas.draw()


def test_names_are_shortened_in_the_middle_and_folded_at_their_marks():
    assert ellipsis("short", 10) == "short"
    long = ellipsis("task-with-a-long-name-7", 12)
    assert cells(long) <= 12
    assert long.startswith("task")
    assert long.endswith("e-7")
    assert folded("one_two_three", 8, 3) == ["one_two_", "three"]
    assert folded("日本語の手書き文字", 8, 3) == ["日本語の", "手書き文", "字"]
    lines = folded("a" * 100, 10, 3)
    assert len(lines) == 3
    assert max(map(cells, lines)) <= 10
    assert clean("a\nb\u202ec") == "a□b□c"
    assert writable("a\U000f0000", families(["a\U000f0000"])) == "a□"


def test_colours_differ_and_stay_when_tasks_are_added():
    names = [f"t{i}" for i in range(60)]
    colours = task_colours(names)
    assert len(set(colours.values())) == 60
    assert task_colours(names[:5]) == {name: colours[name] for name in names[:5]}
    assert text_on("#ffffff") != text_on("#000000")
    assert all(text_on(colour(number)).startswith("#") for number in range(60))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_npz: File) -> munet.System:
    """Two tasks evolved for a moment, one not at all."""
    folder = tmp_path_factory.mktemp("drawn") / "system"
    made = munet.System.create(folder, "random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name in ("one", "zwei", "idle"):
        made.add_task(name, f"npz:{tiny_npz}")
    budget: dict[str, Any] = {
        "task_iterations": 1,
        "generations": 1,
        "children": 1,
        "cycles": 1,
        "samples_per_cycle": 32,
    }
    evolve(made, ["one", "zwei"], **budget, batch_size=16, device="cpu", threads=1)
    return made


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_the_suffix_chooses_the_kind_and_the_same_system_gives_the_same_file(
    system: munet.System, tmp_path: File, suffix: str, start: bytes
):
    first = draw_network(system, tmp_path / f"a{suffix}")
    second = draw_network(system, tmp_path / f"b{suffix}")
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_the_title_has_the_totals_of_status(system: munet.System):
    status = system.status()
    texts = [text.get_text() for text in network_figure(system.store).axes[0].texts]
    title = next(text for text in texts if "unique parameters" in text)
    assert title.startswith("2 tasks")
    assert f"{status['unique_parameters']:,}" in title
    assert f"{100 * status['mean_test_accuracy']:.1f} %" in title
    assert any("Not evolved yet: idle" in text for text in texts)


def test_a_system_without_models_says_so(tmp_path: File, tiny_npz: File):
    made = munet.System.create(tmp_path / "s", "random:vit_tiny_patch16_224", depth=1, image_size=32)
    for names in ([], ["waiting"]):
        for name in names:
            made.add_task(name, f"npz:{tiny_npz}")
        texts = " ".join(text.get_text() for text in network_figure(made.store).axes[0].texts)
        assert "No task has been evolved yet" in texts
        assert all(name in texts for name in names)


def test_another_suffix_is_refused_and_nothing_is_written(system: munet.System, tmp_path: File):
    with pytest.raises(InputError, match=r"picture\.gif: a picture ends in \.png, \.svg, \.pdf"):
        draw_network(system, tmp_path / "picture.gif")
    assert not list(tmp_path.iterdir())
