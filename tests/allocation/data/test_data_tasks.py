"""Examples as rows of shared arrays, batches without history, what happens to images on the way."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from munet.allocation.data import EXPERIMENTS, Batches, Examples, TaskData, epoch_order, load, on_device, options
from munet.allocation.data.transforms import _cut_by_numpy, _cut_by_torch, pad_and_crop
from munet.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), np.uint8)
LABELS = np.arange(30) % 5


def vectors(count: int) -> Examples:
    """Example i is the vector (i, i) with the target i."""
    values = np.arange(count, dtype=np.float32)
    return Examples(np.stack([values, values], axis=1), values)


def test_a_batch_is_what_the_rows_say():
    rows = np.array([20, 3, 7])
    inputs, targets = Examples(IMAGES, LABELS[rows], rows).batch([2, 0])
    assert inputs.shape == (2, 1, 8, 8)
    assert inputs.dtype == torch.float32
    assert inputs.is_contiguous()
    assert targets.tolist() == [LABELS[7], LABELS[20]]
    np.testing.assert_array_equal(inputs[0, 0].numpy(), IMAGES[7, :, :, 0].astype(np.float32) / 255)
    np.testing.assert_array_equal(inputs[1, 0].numpy(), IMAGES[20, :, :, 0].astype(np.float32) / 255)


def test_colours_become_channels():
    images = np.random.default_rng(1).integers(0, 256, (3, 4, 6, 3), np.uint8)
    examples = Examples(images, np.zeros(3, np.int64))
    inputs, _ = examples.batch([1])
    assert examples.input_shape == (3, 4, 6)
    for channel in range(3):
        np.testing.assert_array_equal(inputs[0, channel].numpy(), images[1, :, :, channel].astype(np.float32) / 255)


def test_rot90_turns_counter_clockwise_as_numpy_does():
    inputs, _ = Examples(IMAGES, LABELS, transform="rot90").batch(range(30))
    turned = np.stack([np.rot90(image[:, :, 0], k=1) for image in IMAGES])
    np.testing.assert_array_equal(inputs[:, 0].numpy(), turned.astype(np.float32) / 255)
    top_right = np.zeros((1, 4, 4, 1), np.uint8)
    top_right[0, 0, 3] = 255
    inputs, _ = Examples(top_right, np.zeros(1, np.int64), transform="rot90").batch([0])
    assert inputs[0, 0, 0, 0] == 1, "the corner at the upper right goes to the upper left"


def test_grey_in_three_channels():
    grey, _ = Examples(IMAGES, LABELS).batch([4, 5])
    inputs, _ = Examples(IMAGES, LABELS, transform="rgb").batch([4, 5])
    assert inputs.shape == (2, 3, 8, 8)
    assert all(torch.equal(inputs[:, [channel]], grey) for channel in range(3))


def test_examples_share_their_base_array():
    first, second = Examples(IMAGES, LABELS), Examples(IMAGES, LABELS, np.arange(30), transform="rot90")
    assert first._base.data_ptr() == second._base.data_ptr() == IMAGES.ctypes.data


def test_arrays_that_torch_cannot_share_are_copied():
    backwards = IMAGES[::-1]
    locked = IMAGES.copy()
    locked.setflags(write=False)
    for array in (backwards, locked):
        inputs, _ = Examples(array, LABELS).batch([2])
        np.testing.assert_array_equal(inputs[0, 0].numpy(), array[2, :, :, 0].astype(np.float32) / 255)


def test_all_in_order_with_the_last_partial_batch():
    parts = list(vectors(10).in_order(4))
    assert [len(targets) for _, targets in parts] == [4, 4, 2]
    assert torch.cat([targets for _, targets in parts]).tolist() == list(range(10))


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 3))
def test_batches_of_an_epoch_cover_every_example_once(count: int, size: int, epoch: int):
    batches = Batches(vectors(count), size, (1, "task"))
    numbers = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
    parts = [batches.of_round(number)[1] for number in numbers]
    assert all(len(part) == size for part in parts[:-1])
    assert 1 <= len(parts[-1]) <= size
    assert sorted(torch.cat(parts).tolist()) == list(range(count))


@given(st.integers(1, 300), st.integers(0, 10**6))
def test_an_epoch_is_a_permutation(count: int, epoch: int):
    order = epoch_order((3, "task"), vectors(count), epoch)
    assert sorted(order.tolist()) == list(range(count))


def test_every_epoch_task_and_seed_has_an_order_of_its_own():
    examples = vectors(50)
    orders = [
        epoch_order(key, examples, epoch).tolist()
        for key in ((0, "mnist"), (0, "mnist-2"), (1, "mnist"))
        for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 6
    assert epoch_order((0, "mnist"), examples, 1).tolist() == orders[1]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_any_batch_is_had_without_those_before_it(numbers: list[int]):
    examples = Examples(IMAGES, LABELS, augmentation="crop")
    run = Batches(examples, 7, (0, "task"))
    for number in numbers:
        fresh = Batches(examples, 7, (0, "task"))
        for one, other in zip(run.of_round(number), fresh.of_round(number), strict=True):
            assert torch.equal(one, other)


def test_crops_are_windows_of_the_padded_image():
    images = torch.from_numpy(np.random.default_rng(2).integers(1, 256, (200, 8, 8, 3), np.uint8))
    crops = pad_and_crop(images, torch.Generator().manual_seed(0))
    padded = np.pad(images.numpy(), ((0, 0), (4, 4), (4, 4), (0, 0)))
    corners = set()
    for image, crop in zip(padded, crops.numpy(), strict=True):
        found = [(y, x) for y in range(9) for x in range(9) if np.array_equal(image[y : y + 8, x : x + 8], crop)]
        assert len(found) == 1
        corners.add(found[0])
    assert {y for y, _ in corners} == {x for _, x in corners} == set(range(9))


def test_both_ways_to_cut_windows_agree():
    generator = torch.Generator().manual_seed(1)
    padded = torch.randint(0, 256, (20, 12, 14, 3), dtype=torch.uint8, generator=generator)
    down, across = torch.randint(0, 5, (2, 20), generator=generator)
    one, other = (cut(padded, down, across, 8, 10) for cut in (_cut_by_numpy, _cut_by_torch))
    assert one.shape == (20, 8, 10, 3)
    assert torch.equal(one, other)


def test_only_training_batches_are_augmented():
    examples = Examples(IMAGES, LABELS, augmentation="crop")
    plain = Examples(IMAGES, LABELS)
    batches = Batches(examples, 30, (0, "task"))
    order = batches.indices(0)
    assert torch.equal(examples.batch(order)[0], plain.batch(order)[0])
    assert not torch.equal(batches.of_round(0)[0], plain.batch(order)[0])
    shown = [batches.of_round(epoch)[0][np.argsort(batches.indices(epoch))] for epoch in (0, 1)]
    assert not torch.equal(*shown), "an epoch's crops are its own"
    assert torch.equal(next(examples.in_order(30))[0], plain.batch(range(30))[0])


def test_moved_tasks_share_one_copy():
    task = TaskData("t", "c", 5, {"train": Examples(IMAGES, LABELS), "test": Examples(IMAGES, LABELS)})
    there = on_device([task, task], "meta")
    bases = {id(examples._base) for moved in there for examples in moved.splits.values()}
    assert len(bases) == 1
    assert there[0].splits["train"]._base.device.type == "meta"
    moved = on_device([task], "cpu")[0].splits["train"].batch([3, 9])
    assert torch.equal(moved[0], task.splits["train"].batch([3, 9])[0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((IMAGES.astype(np.float64), LABELS), "float64"),
        ((IMAGES[:, :, :, 0], LABELS), "(30, 8, 8)"),
        ((IMAGES, LABELS[:29]), "30 inputs but 29 targets"),
        ((IMAGES, LABELS.astype(np.int32)), "int32"),
        ((IMAGES, LABELS, np.arange(29)), "rows of shape (29,)"),
        ((IMAGES, LABELS, np.arange(1, 31)), "rows from 1 to 30, but there are 30 inputs"),
        ((IMAGES, LABELS, None, "rot9"), "did you mean 'rot90'?"),
        ((IMAGES, LABELS, None, "", "crops"), "did you mean 'crop'?"),
        ((np.zeros((30, 2), np.float32), LABELS, None, "rot90"), "is for uint8 images"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments: tuple, said: str):
    with pytest.raises(InputError) as caught:
        Examples(*arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tasks_and_batches_that_cannot_be_are_refused():
    good = Examples(IMAGES, LABELS)
    with pytest.raises(InputError, match="4 classes are numbered 0 to 3"):
        TaskData("t", "c", 4, {"train": good})
    with pytest.raises(InputError, match="int64, but it must have float32 values"):
        TaskData("t", "c", 0, {"train": good})
    with pytest.raises(InputError, match="did you mean 'validation'"):
        TaskData("t", "c", 5, {"train": good, "valid": good})
    with pytest.raises(InputError, match="no split 'train'"):
        TaskData("t", "c", 5, {"test": good})
    with pytest.raises(InputError, match="batch size 0"):
        Batches(good, 0, (0, "t"))
    with pytest.raises(InputError, match="no examples"):
        Batches(Examples(IMAGES, LABELS[:0], np.arange(0)), 4, (0, "t"))


def test_unknown_names_of_experiments_and_options():
    with pytest.raises(InputError, match=r"unknown experiment 'omniglot' \(did you mean 'omniglot20'\?\)"):
        load("omniglot")
    with pytest.raises(InputError, match=r"unknown option 'correlations' of its data \(did you mean 'correlation'\?\)"):
        load("synthetic", correlations=0.5)
    assert [next(iter(options(name))) for name in EXPERIMENTS] == ["splits", "alphabets", "splits", "splits", "pairs"]


@pytest.mark.parametrize(
    ("name", "options_given", "said"),
    [
        ("omniglot20", {"alphabets": "five"}, "option 'alphabets' of its data is 'five': give a whole number"),
        ("omniglot20", {"alphabets": True}, "give a whole number"),
        ("omniglot20", {"invert": 1}, "option 'invert' of its data is 1: give true or false"),
        ("clusters40", {"tasks": 1.5}, "give a whole number"),
        ("mnist4", {"splits": None}, "give a word"),
        ("synthetic", {"noise": "0.1"}, "give a number"),
    ],
)
def test_options_of_another_type(name: str, options_given: dict, said: str):
    with pytest.raises(InputError) as caught:
        load(name, **options_given)
    assert said in str(caught.value)


def test_whole_numbers_are_numbers():
    assert len(load("synthetic", noise=0, pairs=1, train=5, validation=5, test=5)) == 2
