"""A task that grew: what was test stays test, new images are dealt by the same rule, classes are added at the end."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

import munet
from munet.errors import DamagedError, InputError
from munet.store.schema import TaskRecord
from munet.tasks import load
from munet.tasks.dealing import NEW, deal
from munet.tasks.listing import entries, entry, fingerprint_of
from munet.tasks.splits import PARTS

NAMES = ("disc", "horizontal", "vertical")


def write(folder: Path, seed: int, count: int, name: Any = NAMES.__getitem__) -> None:
    """Images of noise in class folders, as many of each; `name` gives the class of a label."""
    rng = np.random.default_rng(seed)
    for row in range(count):
        label = row % len(NAMES)
        (folder / name(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (12, 12), np.uint8)).save(folder / name(label) / f"{seed}-{row:03d}.png")


@pytest.fixture
def system(tmp_path: Path) -> munet.System:
    """A system without tasks, beside the folder `images` of 120 images in three classes."""
    write(tmp_path / "images", 7, 120)
    return munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)


def images_of(record: TaskRecord, part: str) -> Counter[bytes]:
    return Counter(image.tobytes() for image in load(record, part).images)


def sizes(record: TaskRecord) -> list[int]:
    return [record["splits"][part]["examples"] for part in PARTS]


@pytest.mark.parametrize("options", ["", "?order=stratified"])
def test_images_keep_their_split_and_new_ones_are_dealt_by_the_rule(system: munet.System, options: str) -> None:
    folder = system.path.parent / "images"
    before = system.add_task("shapes", f"folder:{folder}{options}", train="train[20%:]", validation="train[:20%]")
    held = {part: images_of(before, part) for part in PARTS}
    write(folder, 8, 60)
    said: list[str] = []
    after = system.update_task("shapes", tell=said.append)
    assert sum(sizes(after)) == 180
    assert all(held[part] <= images_of(after, part) for part in PARTS)
    assert abs(after["splits"]["validation"]["examples"] - 0.2 * 180) <= 3
    assert "60 new images" in said[0]
    assert after["fingerprint"] != before["fingerprint"]
    assert "older" not in after, "there is no model yet"
    assert system.task("shapes") == after
    assert system.update_task("shapes") == after, "nothing is new any more"
    tested = images_of(after, "test")
    write(folder, 9, 60)
    again = system.update_task("shapes")
    assert sum(sizes(again)) == 240
    assert tested <= images_of(again, "test")
    assert abs(again["splits"]["validation"]["examples"] - 0.2 * 240) <= 4


def test_splits_that_share_images_have_no_split_to_keep(system: munet.System) -> None:
    folder = system.path.parent / "images"
    system.add_task("shapes", f"folder:{folder}", train="train", test="train[:50%]", allow_overlap=True)
    with pytest.raises(InputError, match="--allow-overlap"):
        system.update_task("shapes")


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([NEW, 0, 1, 2])), min_size=1, max_size=60),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sets(st.integers(0, 3)),
)
@example([(0, 1), (0, 1), (1, NEW), (1, NEW)], 0, 1, {1})  # a new class, and more held than the rule has
def test_dealing_keeps_what_is_held_and_leaves_nothing(
    images: list[tuple[int, int]], test: int, validation: int, apart: set[int]
) -> None:
    labels, held = (np.array(values, np.int64) for values in zip(*images, strict=True))
    rest = max(0, len(labels) - test - validation)
    rule = {2: test, 1: validation, 0: rest}
    wanted = {part: size for part, size in rule.items() if size} or {0: len(labels)}
    found = deal(labels, held, wanted, np.array(sorted(apart), np.int64))
    assert np.array_equal(found[held != NEW], held[held != NEW])
    assert set(found.tolist()) <= {0, 1, 2}
    for part in (1, 2):
        had = int(np.count_nonzero(held == part))  # may be more than the rule's already
        grown = np.count_nonzero(found == part) - had
        few = len(apart)  # each class that is dealt apart may be rounded up
        assert not grown or np.count_nonzero(found == part) <= max(wanted.get(part, 0), 1, had) + few or not rest


def test_a_new_class_is_in_every_split() -> None:
    labels, held = np.array([0] * 50 + [1] * 5), np.array([2] * 5 + [0] * 45 + [NEW] * 5)
    found = deal(labels, held, {0: 49, 1: 3, 2: 3}, np.array([1]))
    assert np.bincount(found[50:], minlength=3).tolist() == [3, 1, 1]
    assert deal(np.array([0, 0, 1]), np.array([0, 0, NEW]), {0: 1, 2: 2}, np.array([1])).tolist() == [0, 0, 0]


def test_new_images_of_a_split_of_the_source_are_of_that_split(tmp_path: Path, system: munet.System) -> None:
    for seed, part in enumerate(("train", "val", "test")):
        write(tmp_path / "split" / part, 20 + seed, 30)
    system.add_task("shapes", f"folder:{tmp_path / 'split'}")
    write(tmp_path / "split" / "test", 30, 9)
    assert sizes(system.update_task("shapes")) == [30, 30, 39]


def test_slices_that_leave_images_out_leave_new_ones_out(system: munet.System) -> None:
    folder = system.path.parent / "images"
    system.add_task("shapes", f"folder:{folder}", train="train[:60]", validation="train[60:70]", test="train[70:80]")
    write(folder, 8, 30)
    said: list[str] = []
    assert sizes(system.update_task("shapes", tell=said.append)) == [60, 10, 10]
    assert "left unused" in said[0]


def test_gone_images_are_told_and_a_copy_of_a_known_one_joins_it(system: munet.System) -> None:
    folder = system.path.parent / "images"
    before = system.add_task("shapes", f"folder:{folder}")
    test = images_of(before, "test")
    files = {np.asarray(Image.open(path)).tobytes(): path for path in folder.rglob("*.png")}
    kept, gone = (files[image] for image in list(test)[:2])
    shutil.copy(kept, kept.with_name("again.png"))
    gone.unlink()
    said: list[str] = []
    after = system.update_task("shapes", tell=said.append)
    assert any("1 image of test gone" in sentence for sentence in said)
    assert images_of(after, "test")[np.asarray(Image.open(kept)).tobytes()] == 2


def test_classes_are_added_behind_the_old_ones_and_only_when_asked(system: munet.System) -> None:
    folder = system.path.parent / "images"
    before = system.add_task("shapes", f"folder:{folder}")
    held = {part: images_of(before, part) for part in PARTS}
    write(folder, 9, 30, lambda label: ("arc", "zigzag", "horizontal")[label])
    with pytest.raises(InputError, match="--extend"):
        system.update_task("shapes")
    with pytest.raises(InputError, match=r"munet update SYSTEM shapes --extend"):
        load(system.task("shapes"), "train")
    after = system.update_task("shapes", extend=True)
    assert after["classes"] == ["disc", "horizontal", "vertical", "arc", "zigzag"]
    for part in PARTS:
        assert held[part] <= images_of(after, part)
        assert set(load(after, part).labels.tolist()) == set(range(5)), part
    with pytest.raises(InputError, match="leave --extend out"):
        system.update_task("shapes", extend=True)
    shutil.rmtree(folder / "disc")
    with pytest.raises(InputError, match=r"gone \(disc\)"):
        system.update_task("shapes")
    assert system.task("shapes") == after


def test_labels_follow_the_names_of_classes(system: munet.System, tmp_path: Path) -> None:
    images = np.random.default_rng(3).integers(0, 255, (60, 12, 12), np.uint8)
    labels = np.arange(60) % 3
    for name, order in (("one", [0, 1, 2]), ("other", [2, 0, 1])):
        places = np.argsort(order)
        np.savez(tmp_path / f"{name}.npz", image=images, label=places[labels], classes=[NAMES[k] for k in order])
    record = system.add_task("shapes", f"npz:{tmp_path / 'one.npz'}?order=shuffled")
    expected = load(record, "train").labels
    shutil.copy(tmp_path / "other.npz", tmp_path / "one.npz")
    np.testing.assert_array_equal(load(record, "train").labels, expected)


def test_a_new_image_under_two_classes_is_refused(system: munet.System) -> None:
    folder = system.path.parent / "images"
    before = system.add_task("shapes", f"folder:{folder}")
    shutil.copy(next((folder / "disc").iterdir()), folder / "vertical" / "same.png")
    with pytest.raises(InputError, match="under another class too"):
        system.update_task("shapes")
    assert system.task("shapes") == before
    assert sum(sizes(system.update_task("shapes", allow_duplicates=True))) == 121


def test_images_that_became_12_bits_in_16_are_refused(system: munet.System) -> None:
    folder = system.path.parent / "images"
    before = system.add_task("t", f"folder:{folder}")
    rng = np.random.default_rng(1)
    for path in folder.rglob("*.png"):  # a scanner's other setting
        Image.fromarray(rng.integers(0, 4096, (12, 12), np.uint16)).save(path)
    with pytest.raises(InputError, match=r"almost black.*new task and say .*white=4095"):
        system.update_task("t")
    assert system.store.read_task("t") == before


def test_a_record_without_listings_is_updated_where_its_images_can_be_told(system: munet.System) -> None:
    """As earlier versions wrote them."""
    folder = system.path.parent / "images"
    system.add_task("shapes", f"folder:{folder}")
    shutil.rmtree(system.path / "listings")
    system = munet.System.open(system.path)
    write(folder, 8, 30)
    with pytest.raises(InputError, match="does not tell which images it had"):
        system.update_task("shapes")
    for path in folder.rglob("8-*.png"):
        path.unlink()
    system.update_task("shapes")
    write(folder, 8, 30)
    assert sum(sizes(system.update_task("shapes"))) == 150


def test_the_listing_is_what_the_fingerprint_is_of(system: munet.System) -> None:
    record = system.add_task("shapes", f"folder:{system.path.parent / 'images'}")
    for split in record["splits"].values():
        listing = system.store.listings.get(split["fingerprint"].removeprefix("sha256:"))
        assert len(list(entries(listing))) == split["examples"]
        assert b"".join(entry(*pair) for pair in entries(listing)) == listing
        assert fingerprint_of(listing) == split["fingerprint"]
    assert system.gc().listings == 0
    path = next((system.path / "listings").rglob("*.bin"))
    path.write_bytes(b"no listing")
    (damage,) = system.fsck().damaged
    assert "hurts only `munet update` of task shapes" in str(damage)
    with pytest.raises(DamagedError):
        system.update_task("shapes")
    system.remove_task("shapes")
    assert system.gc().listings == 3
    assert system.fsck().ok
