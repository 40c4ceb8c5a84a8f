"""Pictures of allocations: what they show, that they can be written, and what cannot be drawn."""

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import FixedAllocation
from munet.allocation.runs.draw import draw
from munet.allocation.runs.figures import Pattern, fraction_figure, pattern_figure, similarity_figure
from munet.allocation.runs.folder import RunFolder, best_round
from munet.allocation.training.trainer import train
from munet.errors import InputError
from munet.experiments.results.plots import save
from run_tools import NAMES, QUICK, Stop, image_network, image_tasks, learned

ROWS = np.array([[1, 1, 0, 0, 1], [1, 1, 0, 0, 1], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
CLUSTERS = ("red", "red", "blue", "blue")


def pattern() -> Pattern:
    return Pattern(NAMES, CLUSTERS, (ROWS[:, :3], ROWS[:, 3:]), (("a", "b", "c"), ("d", "e")))


def many(tasks: int) -> Pattern:
    rng = np.random.default_rng(0)
    names = tuple(f"a task with a long name {k} $x$ 漢字" for k in range(tasks))
    return Pattern(names, tuple(str(k // 20) for k in range(tasks)), tuple(rng.random((3, tasks, 16)) < 0.5))


def texts(figure: object) -> list[str]:
    from matplotlib.text import Text

    return [item.get_text() for item in figure.findobj(Text) if item.get_visible()]  # type: ignore[attr-defined]


def test_a_pattern_shows_who_uses_what_in_bands() -> None:
    assert np.array_equal(pattern().matrix, ROWS)
    assert pattern().bands == [("red", 0, 2), ("blue", 2, 4)]
    figure = pattern_figure(pattern(), "title")
    axes = figure.axes[0]
    assert np.array_equal(axes.images[0].get_array(), ROWS)  # pyright: ignore[reportArgumentType]
    assert {"title", "layer 1", "layer 2", "red", "blue", *NAMES, "a", "e"} <= set(texts(figure))
    assert "40 % of all cells" in axes.get_xlabel()


def test_similarity_is_the_cosine_and_an_empty_row_is_like_none() -> None:
    figure = similarity_figure(pattern(), "title")
    values = figure.axes[0].images[0].get_array()
    assert values is not None
    assert values[0, 1] == pytest.approx(1)
    assert values[0, 2] == pytest.approx(1 / np.sqrt(6))
    assert values[3].tolist() == [0, 0, 0, 1]
    assert "0.41" in texts(figure)


def test_fractions_are_means_of_clusters_over_rounds() -> None:
    lines = [
        {"round": 10 * k, "fraction_used": 0.5, "used": dict(zip(NAMES, (1, 0.8, 0.2, 0), strict=True))} for k in (1, 2)
    ]
    axes = fraction_figure(lines, NAMES, CLUSTERS, "title", budget=0.75).axes[0]
    drawn = {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in axes.get_lines()}
    assert (drawn["red"], drawn["blue"]) == (pytest.approx([90, 90]), pytest.approx([10, 10]))
    assert drawn["mean of all tasks"] == [50, 50]
    assert [75, 75] in drawn.values()


@pytest.mark.parametrize("tasks", [1, 30, 60])
def test_any_number_of_tasks_and_any_names_can_be_drawn(tasks: int, tmp_path: Path) -> None:
    for kind, figure in (("p", pattern_figure(many(tasks), "t")), ("s", similarity_figure(many(tasks), "t"))):
        save(figure, tmp_path / f"{kind}.png")
        assert (tmp_path / f"{kind}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_the_same_picture_is_the_same_file(suffix: str, start: bytes, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for file in files:
        save(pattern_figure(pattern(), "title"), file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(start)


def test_drawing_a_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(image_network(), learned(), image_tasks(), QUICK, tmp_path, stop=Stop(2))
    with pytest.raises(InputError, match="has not been evaluated yet"):
        draw(tmp_path, "pattern")
    with pytest.raises(KeyboardInterrupt):
        train(image_network(), learned(), image_tasks(), QUICK, tmp_path, stop=Stop(7))
    folder = RunFolder(tmp_path)
    assert folder.rounds() == [4, 8]
    for kind in ("pattern", "similarity", "fraction"):
        assert any("seed 0" in text for text in texts(draw(tmp_path, kind)))
    best = draw(tmp_path, "pattern", "best").axes[0].images[0].get_array()
    held = folder.checkpoint(best_round(folder.metrics()))["greedy"]
    assert np.array_equal(best, np.concatenate([matrix.numpy() for matrix in held], axis=1))  # type: ignore[arg-type]
    assert any("round 4" in text for text in texts(draw(tmp_path, "pattern", "4")))
    with pytest.raises(InputError, match=r"--checkpoint 5: give best, last or a round that was kept: 4, 8"):
        draw(tmp_path, "pattern", "5")


def test_a_run_without_routed_layers_has_nothing_to_draw(tmp_path: Path) -> None:
    tasks = image_tasks()
    network = MultitaskNetwork([nn.Flatten()], [nn.Linear(36, 3) for _ in tasks])
    train(network, FixedAllocation(NAMES, [], normalize=False), tasks, QUICK, tmp_path)
    with pytest.raises(InputError, match="no layer with several components"):
        draw(tmp_path, "pattern")
