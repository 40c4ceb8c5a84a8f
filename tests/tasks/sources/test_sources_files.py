"""Addresses, `folder:` and `npz:`: layouts, order, and one line for whatever they cannot use."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet.tasks.sources import open_source
from munet.tasks.sources.base import split_address
from sources_tools import GREY, LABELS, refused

# addresses


def test_addresses() -> None:
    assert split_address("a/b?order=shuffled&label=x y") == ("a/b", {"order": "shuffled", "label": "x y"})
    assert split_address("what?.npz") == ("what?.npz", {})
    assert split_address("a?b?order=stored") == ("a?b", {"order": "stored"})
    refused("flowers", "did you mean 'folder:flowers'")
    refused("nzp:a", "did you mean 'npz'", "folder:, npz:, csv:, hf:, tfds:, idx:, cifar:, wds:")
    refused("npz:", "LOCATION")
    refused("npz:a?ordre=stored", "did you mean 'order'")
    refused("folder:a?order=shufled", "did you mean 'shuffled'")


def test_address_is_absolute(tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_npz.parent)
    assert open_source(f"npz:{tiny_npz.name}").address == f"npz:{tiny_npz}"
    assert open_source(f"npz:{tiny_npz.name}?order=shuffled").address == f"npz:{tiny_npz}?order=shuffled"


def test_a_name_that_is_too_long() -> None:
    for scheme in ("folder", "npz", "hf"):
        refused(f"{scheme}:/{'x' * 400}", "name too long")


# folder:


def make_folder(root: Path, splits: tuple[str, ...] = ("",), classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    for split in splits:
        for label, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            for row in range(5):
                Image.fromarray(GREY[row] // 2 + label * 100).save(folder / f"{row}.png")
    return root


def test_folder_of_classes(tiny_folder: Path) -> None:
    source = open_source(f"folder:{tiny_folder}")
    assert source.classes == ("disc", "horizontal", "vertical")
    assert source.counts() == {"train": 150}
    labels = source.labels("train")
    assert Counter(labels.tolist()) == {0: 50, 1: 50, 2: 50}
    for index in (0, 70, 149):
        file = Path(source.name("train", index))
        assert file.parent.name == source.classes[labels[index]]
        assert list(source.items("train", index, index + 1)) == [file.read_bytes()]


def test_folder_order_mixes_the_classes_and_depends_on_paths_only(tiny_folder: Path, tmp_path: Path) -> None:
    first = open_source(f"folder:{tiny_folder}").labels("train")
    assert len(set(first[:15].tolist())) == 3
    assert Counter(first[:60].tolist()).most_common()[-1][1] >= 10
    copy = shutil.copytree(tiny_folder, tmp_path / "elsewhere")
    np.testing.assert_array_equal(open_source(f"folder:{copy}").labels("train"), first)
    stored = open_source(f"folder:{tiny_folder}?order=stored").labels("train")
    assert stored.tolist() == sorted(stored.tolist())


def test_folder_with_splits(tmp_path: Path) -> None:
    source = open_source(f"folder:{make_folder(tmp_path, ('train', 'val', 'test', 'extra'))}")
    assert list(source.counts()) == ["train", "validation", "test", "extra"]
    assert source.classes == ("cat", "dog")
    assert source.name("validation", 0).startswith(f"{tmp_path}/val/")


def test_a_class_called_train_is_no_split(tmp_path: Path) -> None:
    source = open_source(f"folder:{make_folder(tmp_path, classes=('bus', 'train'))}")
    assert source.classes == ("bus", "train")
    assert source.counts() == {"train": 10}


def test_folder_leaves_other_files_out_and_looks_deep(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "cat" / "._0.png").write_text("left by another system")
    deeper = tmp_path / "cat" / "2024" / "may"
    deeper.mkdir(parents=True)
    Image.fromarray(GREY[0]).save(deeper / "X.PNG")
    assert open_source(f"folder:{tmp_path}").counts() == {"train": 11}


def test_folder_refusals(tmp_path: Path) -> None:
    refused(f"folder:{tmp_path / 'none'}", "there is no such folder")
    refused(f"folder:{tmp_path}", "no sub-folders")
    (tmp_path / "file").write_bytes(b"")
    refused(f"folder:{tmp_path / 'file'}", "this is a file; give the folder that holds")
    (tmp_path / "a").mkdir()
    refused(f"folder:{tmp_path}", str(tmp_path), "no image file")
    make_folder(tmp_path / "some", classes=("x", "y"))
    (tmp_path / "some" / "empty").mkdir()
    refused(f"folder:{tmp_path / 'some'}", "some/empty", "class 'empty'")
    make_folder(tmp_path / "twice", ("train", "val", "validation"))
    refused(f"folder:{tmp_path / 'twice'}", "val and validation are the same split")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_folder_without_permission(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for path in (tmp_path / "cat" / "1.png", tmp_path / "cat", tmp_path):
        mode = path.stat().st_mode
        path.chmod(0)
        try:
            refused(f"folder:{tmp_path}", str(path), "Permission denied")
        finally:
            path.chmod(mode)


def test_a_read_error_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path)

    def fail(*path: Any, **how: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("munet.tasks.images.os.read", fail)
    refused(f"folder:{tmp_path}", f"{tmp_path}/", ".png: cannot be read: Permission denied")


def test_a_broken_link_is_an_unusable_image(tmp_path: Path) -> None:
    from munet.tasks.sources.base import Unusable

    (make_folder(tmp_path) / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    items = open_source(f"folder:{tmp_path}").items("train", 0, 11)
    assert [item.reason for item in items if isinstance(item, Unusable)] == [
        f"{tmp_path}/cat/gone.png: there is no such file"
    ]


# npz:


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_npz_folder(tiny_npz: Path, tmp_path: Path) -> None:
    source = open_source(f"npz:{tiny_npz}")
    assert source.counts() == {"train": 90, "validation": 30, "test": 30}
    assert source.classes == ("0", "1", "2")
    with np.load(tiny_npz / "train.npz") as stored:
        np.testing.assert_array_equal(source.labels("train"), stored["label"])
        [pixels] = source.items("train", 7, 8)
        np.testing.assert_array_equal(pixels, stored["image"][7][..., None])
    assert source.name("test", 3) == f"{tiny_npz}/test.npz image[3]"
    save(tmp_path / "train.npz", images=GREY, labels=LABELS)
    save(tmp_path / "val.npz", images=GREY[:9], labels=LABELS[:9, None])
    save(tmp_path / "statistics.npz", mean=np.zeros(3))
    (tmp_path / "meta.json").write_text(json.dumps({"classes": ["no", "yes", "never"]}))
    source = open_source(f"npz:{tmp_path}")
    assert source.counts() == {"train": 40, "validation": 9}
    assert source.classes == ("no", "yes", "never")


def test_npz_shuffled_order_is_a_fixed_permutation(tiny_npz: Path) -> None:
    stored, shuffled = (open_source(f"npz:{tiny_npz}?order={order}") for order in ("stored", "shuffled"))
    order = shuffled.order("train")
    assert sorted(order.tolist()) == list(range(90))
    assert order.tolist() != list(range(90))
    np.testing.assert_array_equal(shuffled.labels("train"), stored.labels("train")[order])
    [pixels], [same] = shuffled.items("train", 4, 5), stored.items("train", order[4], order[4] + 1)
    np.testing.assert_array_equal(pixels, same)
    assert order[:3].tolist() == [15, 39, 42], "the order is part of the format: records of tasks rely on it"


def test_npz_file(tmp_path: Path) -> None:
    arrays = {"train_images": GREY, "train_labels": LABELS, "val_images": GREY[:4], "val_labels": LABELS[:4]}
    source = open_source(f"npz:{save(tmp_path / 'a.npz', classes=np.array(['x', 'y']), **arrays)}")
    assert source.counts() == {"train": 40, "validation": 4}
    assert source.classes == ("x", "y")
    assert open_source(f"npz:{save(tmp_path / 'b.npz', image=GREY, label=LABELS)}").counts() == {"train": 40}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_npz_without_permission(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = save(tmp_path / "in" / "train.npz", image=GREY, label=LABELS)
    for path in (file, file.parent, tmp_path):
        mode = path.stat().st_mode
        path.chmod(0)
        try:
            refused(f"npz:{file.parent}", "Permission denied")
            refused(f"npz:{file}", "Permission denied")
        finally:
            path.chmod(mode)


def test_npz_refusals(tmp_path: Path) -> None:
    file = tmp_path / "train.npz"
    refused(f"npz:{file}", "no such folder or .npz file")
    refused(f"npz:{tmp_path}", "no split found")
    for arrays, words in [
        ({"image": GREY}, ("needs the arrays image and label", "holds image")),
        ({"image": GREY, "label": LABELS[:39]}, ("40 images in 'image' but 39 labels",)),
        ({"image": GREY, "label": np.eye(2)[LABELS]}, ("argmax",)),
        ({"image": GREY[:0], "label": LABELS[:0]}, ("'label' is empty",)),
        ({"image": np.array([object()] * 40), "label": LABELS}, ("pickled objects", "'image'")),
        ({"image": GREY, "label": np.array([None] * 40)}, ("pickled objects", "'label'")),
        ({"image": GREY[:, 0], "label": LABELS}, ("(N, H, W)",)),
        ({"image": GREY[:, None], "label": LABELS}, ("channels come first",)),
        ({"image": np.ones_like(GREY), "label": LABELS}, ("holds only 0 and 1",)),
        ({"image": GREY - 500.0, "label": LABELS}, ("normalised",)),
    ]:
        assert str(file) in refused(f"npz:{save(file, **arrays).parent}", *words)
    save(file, image=GREY, label=LABELS)
    (tmp_path / "meta.json").write_text('{"classes": ["one"]}')
    refused(f"npz:{tmp_path}", "1 class names, but a label 1")
    (tmp_path / "meta.json").write_text("{")
    refused(f"npz:{tmp_path}", "meta.json", "JSON")
    save(tmp_path / "lonely.npz", train_image=GREY)
    refused(f"npz:{tmp_path / 'lonely.npz'}", "has no train_label beside it")


@pytest.mark.parametrize("length", [0, 10, 300, 900, -30])
def test_truncated_npz(tmp_path: Path, length: int) -> None:
    file = save(tmp_path / "train.npz", image=GREY, label=LABELS)
    file.write_bytes(file.read_bytes()[:length])
    refused(f"npz:{tmp_path}", str(file))


def test_damaged_npz_and_a_plain_pickle(tmp_path: Path) -> None:
    file = save(tmp_path / "train.npz", image=GREY, label=LABELS)
    content = bytearray(file.read_bytes())
    content[700] ^= 255  # in the pixels: the archive's checksum tells
    file.write_bytes(content)
    refused(f"npz:{tmp_path}", str(file), "damaged")
    file.write_bytes(b"\x80\x04N.")
    refused(f"npz:{tmp_path}", str(file), "not a numpy archive")
