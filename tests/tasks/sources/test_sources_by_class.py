"""Cuts class by class: every class is trained on, and in validation and test where it has images enough."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from munet.errors import InputError
from munet.store.schema import TaskData
from munet.tasks.planning import plan_splits
from munet.tasks.record import TaskOptions, add, load
from munet.tasks.sources.by_class import by_class

PIXELS = np.random.default_rng(3).integers(0, 255, (600, 5, 5), dtype=np.uint8)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=12), st.integers(0, 9))
def test_blocks_are_fair(sizes: Sequence[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    order, blocks = by_class(labels)
    assert sorted(order.tolist()) == list(range(len(labels)))
    ends = (0, blocks.first, blocks.first + blocks.second, len(labels))
    found = [np.bincount(labels[order[i:j]], minlength=len(sizes)) for i, j in pairwise(ends)]
    for label, size in enumerate(sizes):
        first, second, rest = (int(block[label]) for block in found)
        assert rest >= 1
        assert (first >= 1) == (size >= 3)
        assert (second >= 1) == (size >= 2)
        assert max(first, second) <= max(1, round(size * 0.05 + 0.01))
    for i, j in pairwise(ends):
        assert order[i:j].tolist() == sorted(order[i:j].tolist()), "the order within a block stays"


def fill(root: Path, sizes: Sequence[int], start: int = 0) -> Path:
    done = start
    for number, size in enumerate(sizes):
        (root / f"c{number:03d}").mkdir(parents=True)
        for row in range(size):
            Image.fromarray(PIXELS[done]).save(root / f"c{number:03d}" / f"{row}.png")
            done += 1
    return root


def classes_in(record: TaskData, part: str) -> set[int]:
    return set(load(record, part).labels.tolist())


def test_a_long_tail_is_cut_class_by_class_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    record = add("whales", f"folder:{fill(tmp_path, [2, 3] * 75)}", tell=told.append)
    assert record["source"] == f"folder:{tmp_path}?order=stratified"
    assert classes_in(record, "train") == classes_in(record, "validation") == set(range(150))
    assert classes_in(record, "test") == set(range(1, 150, 2))
    assert record["splits"]["validation"]["expression"] == "train[75:225]"
    assert any("class by class (?order=stratified), for cut as usual train 'train[10%:]' has no" in t for t in told)
    assert any("test has no image of 75 classes:" in text for text in told)


def test_a_tiny_set_is_cut_and_not_refused(tmp_path: Path) -> None:
    record = add("tiny", f"folder:{fill(tmp_path, [4, 4, 4])}")
    assert [split["examples"] for split in record["splits"].values()] == [6, 3, 3]


def test_what_could_be_cut_before_is_cut_as_before(tmp_path: Path) -> None:
    record = add("plain", f"folder:{fill(tmp_path, [40, 40])}")
    assert record["source"] == f"folder:{tmp_path}"
    assert record["splits"]["test"]["expression"] == "train[:5%]"


def test_it_cuts_any_source(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=PIXELS[:90], label=np.repeat(np.arange(3), 30))
    with pytest.raises(InputError, match=r"order=stratified"):
        add("as-stored", f"npz:{tmp_path}/a.npz?order=stored")
    told: list[str] = []
    record = add("sorted", f"npz:{tmp_path}/a.npz", tell=told.append)
    assert record["source"] == f"npz:{tmp_path}/a.npz?order=stratified"
    assert any("class by class (?order=stratified), for cut as usual validation 'train[5%:10%]'" in t for t in told)
    for part in ("train", "validation", "test"):
        assert classes_in(record, part) == {0, 1, 2}


def test_one_missing_split_is_the_second_block(tmp_path: Path) -> None:
    _, blocks = by_class(np.repeat(np.arange(4), [2, 3, 40, 1]))
    plan = plan_splits({"train": 46, "test": 5}, {}, blocks={"train": blocks}.get)
    assert {name: selection.expression for name, selection in plan.items()} == {
        "train": "train[0:3]+train[7:46]",
        "validation": "train[3:7]",
        "test": "test",
    }


@pytest.mark.parametrize(("train", "images"), [("A", 1), ("A+B", 2)])
def test_whole_splits_of_any_name_are_cut_class_by_class(tmp_path: Path, train: str, images: int) -> None:
    for number, site in enumerate("AB"):
        fill(tmp_path / site, [6] * 5, start=100 * number)
    told: list[str] = []
    record = add("sites", f"folder:{tmp_path}?level=2", TaskOptions(train=train), tell=told.append)
    assert record["source"].endswith("level=2&order=stratified")
    for part, each in (("train", 4 * images), ("validation", images), ("test", images)):
        labels = load(record, part).labels
        assert np.bincount(labels).tolist() == [each] * 5, part
    assert not any(text.startswith(("test has no image", "validation has no image")) for text in told)


def test_the_way_out_of_too_few_works(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--test 'train\[0:2\]' --validation 'train\[2:4\]'"):
        plan_splits({"train": 12}, {})
    assert len(plan_splits({"train": 12}, {"test": "train[0:2]", "validation": "train[2:4]"})["train"].ranges) == 1
    with pytest.raises(InputError, match="add images"):
        plan_splits({"train": 2}, {})


def test_where_validation_would_lack_a_class_it_is_cut_class_by_class(tmp_path: Path) -> None:
    told: list[str] = []
    fill(tmp_path, [60, 60, 4])
    record = add("a", f"folder:{tmp_path}", tell=told.append)
    assert record["source"] == f"folder:{tmp_path}?order=stratified"
    assert "for cut as usual validation has no image of 1 class and test has no image of 1 class" in " ".join(told)
    assert classes_in(record, "validation") == classes_in(record, "test") == {0, 1, 2}
    assert not any("(?order=stratified cuts" in text for text in told)


@pytest.mark.parametrize("options", [TaskOptions(train="train[:90%]"), TaskOptions(test="train[:3]")])
def test_slices_that_were_named_mean_the_order_that_they_were_named_in(tmp_path: Path, options: TaskOptions) -> None:
    told: list[str] = []
    fill(tmp_path, [60, 60, 4])
    record = add("a", f"folder:{tmp_path}", options, tell=told.append)
    assert record["source"] == f"folder:{tmp_path}"
    assert any("validation has no image of 1 class (?order=stratified cuts class by class): c002" in t for t in told)


def test_a_class_that_no_order_could_give_to_validation_leaves_the_order(tmp_path: Path) -> None:
    record = add("a", f"folder:{fill(tmp_path, [60, 60, 1])}", TaskOptions(rare="keep"))
    assert record["source"].startswith(f"folder:{tmp_path}")
    assert classes_in(record, "train") == {0, 1, 2}


def test_where_the_order_is_not_to_blame_it_is_not_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        add("one", f"folder:{fill(tmp_path, [40, 40, 1])}")
    assert "class 'c002' has one usable image only" in str(caught.value)
    assert "order=" not in str(caught.value)
