"""Arrays as people store them: numpy archives and pairs, idx files, CIFAR; bounded in memory and time."""

import gzip
import io
import json
import re
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from munet import tasks
from munet.errors import InputError
from munet.tasks.sources import open_source, unpacking
from munet.tasks.sources.base import Source
from munet.tasks.sources.unpacking import refuse_bomb

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(2, 255, (40, 6, 6), dtype=np.uint8)
RGB = RANDOM.integers(2, 255, (40, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(40) % 2


def save(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return f"npz:{path}"


def refused(address: str, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        tasks.add("odd", address)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    return message


def pixels(source: Source, row: int, split: str = "train") -> np.ndarray:
    [item] = source.items(split, row, row + 1)
    assert isinstance(item, np.ndarray)
    return item


# names of arrays


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("x_train", "y_train", "x_test", "y_test"), ["train", "test"]),
        (("X_train", "Y_train", "X_valid", "Y_valid"), ["train", "validation"]),
        (("train_x", "train_y", "dev_x", "dev_y"), ["train", "validation"]),
        (("train_data", "train_labels", "test_data", "test_labels"), ["train", "test"]),
        (("X", "y"), ["train"]),
        (("data", "target"), ["train"]),
        (("images", "targets"), ["train"]),
    ],
)
def test_pairs_by_the_names_that_people_give(tmp_path: Path, names: tuple[str, ...], splits: list[str]) -> None:
    source = open_source(save(tmp_path / "a.npz", **{n: (GREY, LABELS)[k % 2] for k, n in enumerate(names)}))
    assert list(source.counts()) == splits
    np.testing.assert_array_equal(pixels(source, 7, splits[-1]), GREY[7][..., None])
    assert source.labels(splits[-1]).tolist() == LABELS.tolist()


def test_the_surer_name_wins_and_equals_are_refused(tmp_path: Path) -> None:
    source = open_source(save(tmp_path / "a.npz", image=GREY, x=GREY[::-1], label=LABELS, y=LABELS[::-1]))
    np.testing.assert_array_equal(pixels(source, 0), GREY[0][..., None])
    refused(save(tmp_path / "b.npz", x=GREY, X=GREY, y=LABELS), "X and x could both be the images of train")


def test_a_split_without_labels_is_left_out_and_told(tmp_path: Path) -> None:
    source = open_source(save(tmp_path / "a.npz", x_train=GREY, y_train=LABELS, x_test=GREY))
    assert source.counts() == {"train": 40}
    assert list(source.notes()) == ["the array 'x_test' has no test_label beside it: left out"]


def test_pairs_of_npy_files(tmp_path: Path) -> None:
    for name, array in {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:4], "y_test": LABELS[:4]}.items():
        np.save(tmp_path / f"{name}.npy", array)
    np.save(tmp_path / "class_names.npy", np.array(["cat", "dog"]))
    source = open_source(f"npz:{tmp_path}")
    assert (source.counts(), source.classes) == ({"train": 40, "test": 4}, ("cat", "dog"))
    np.testing.assert_array_equal(pixels(source, 5), GREY[5][..., None])
    assert source.name("train", 5) == f"{tmp_path}/x_train.npy[5]"
    refused(f"npz:{tmp_path}/x_train.npy", "one array alone", f"npz:{tmp_path} reads pairs")
    np.save(tmp_path / "y_train.npy", np.array([None] * 40))
    refused(f"npz:{tmp_path}", "y_train.npy", "pickled objects")


def test_a_folder_with_one_archive_of_splits_says_how_to_read_it(tmp_path: Path) -> None:
    save(tmp_path / "mnist.npz", x_train=GREY, y_train=LABELS)
    refused(f"npz:{tmp_path}", f"npz:{tmp_path}/mnist.npz reads the splits")


# labels and names


@pytest.mark.parametrize("names", [["cat", "dög"], [b"cat", "dög".encode()]])
def test_names_are_text_or_bytes_under_any_usual_key(tmp_path: Path, names: list[Any]) -> None:
    source = open_source(save(tmp_path / "a.npz", image=GREY, label=LABELS, class_names=np.array(names)))
    assert source.classes == ("cat", "dög")


def test_records_of_before_that_hold_bytes_as_names_still_read(tmp_path: Path) -> None:
    record = tasks.add("t", save(tmp_path / "a.npz", image=GREY, label=LABELS, classes=np.array([b"a", b"b"])))
    before = record | {"classes": ["b'a'", "b'b'"]}
    assert tasks.load(before, "train").labels.tolist() == tasks.load(record, "train").labels.tolist()  # type: ignore[arg-type]


def test_labels_are_numbered_by_value(tmp_path: Path) -> None:
    for values, classes in [((1, 2), ("1", "2")), ((5, 10**12), ("5", "1000000000000")), ((0, 7), ("0", "7"))]:
        source = open_source(save(tmp_path / "a.npz", image=GREY, label=np.array(values)[LABELS]))
        assert source.classes == classes
        assert source.labels("train").tolist() == LABELS.tolist()
    text = open_source(save(tmp_path / "b.npz", image=GREY, label=np.array(["no", "yes"])[LABELS]))
    assert text.classes == ("no", "yes")


@pytest.mark.parametrize(("values", "told"), [((1, 2), "count from 1 to 2: 1 is 'a'"), ((3, 9), "3 is 'a', 9 is 'b'")])
def test_names_of_labels_that_do_not_count_from_0(tmp_path: Path, values: tuple[int, int], told: str) -> None:
    label = np.array(values)[LABELS]
    source = open_source(save(tmp_path / "a.npz", image=GREY, label=label, classes=np.array(["a", "b"])))
    assert source.labels("train").tolist() == LABELS.tolist()
    assert any(told in note for note in source.notes())
    three = np.array(["a", "b", "c"])
    if values[1] > 3:
        refused(save(tmp_path / "b.npz", image=GREY, label=label, classes=three), "3 class names, but a label 9")


def test_a_record_of_labels_from_1_reads_as_it_did(tmp_path: Path) -> None:
    address = save(tmp_path / "a.npz", image=GREY, label=LABELS + 1)
    record = tasks.add("t", address)
    before = record | {"classes": ["0", "1", "2"]}
    loaded = tasks.load(before, "train", allow_changed=True)  # type: ignore[arg-type]
    assert set(loaded.labels.tolist()) == {1, 2}


def test_what_is_no_label(tmp_path: Path) -> None:
    one_hot, many = np.eye(2)[LABELS], np.ones((40, 3))
    for label, words in [
        (one_hot, ("one-hot labels: store argmax(1)",)),
        (many, ("several labels for an image",)),
        (LABELS * 1.5, ("measures such as 1.5",)),
        (LABELS[:0], ("is empty",)),
        (np.full(40, -1), ("no example has a label",)),
        ([-1, *LABELS[1:]], ("image[0]: no label", "--skip-bad")),
        (np.array([b"\xff", b"a"])[LABELS], ("not UTF-8",)),
    ]:
        refused(save(tmp_path / "a.npz", image=GREY, label=label), str(tmp_path / "a.npz"), *words)


# values


def test_12_bits_in_16_are_not_made_black(tmp_path: Path) -> None:
    dark = RANDOM.integers(0, 4096, (40, 6, 6), dtype=np.uint16)
    dark[0, 0, 0] = 4095
    address = save(tmp_path / "a.npz", image=dark, label=LABELS)
    message = refused(address, "almost black", "16 if 65535 is white", "?white=4095", "?white=65535 if")
    assert message.count("?white=") == 2
    for white, expected in ((4095, np.rint(dark[3] / 4095 * 255)), (65535, np.rint(dark[3] / 65535 * 255))):
        record = tasks.add("t", f"{address}?white={white}")
        assert record["source"].endswith(f"?white={white}")
        np.testing.assert_array_equal(pixels(open_source(record["source"]), 3)[..., 0], expected)
    refused(f"{address}?white=4000", "values from 0 to 4095, but white=4000")
    for white in ("0", "x", "-1", "9" * 12):
        refused(f"{address}?white={white}", f"white={white}: must be")


def test_splits_of_different_white_are_refused(tmp_path: Path) -> None:
    bright = GREY.astype(np.float32)
    address = save(tmp_path / "a.npz", x_train=bright, y_train=LABELS, x_test=bright / 255, y_test=LABELS)
    refused(address, "255 in train, 1 in test", "?white=255")


def test_any_white_for_arrays(tmp_path: Path) -> None:
    sixteenths = RANDOM.integers(0, 17, (40, 6, 6), dtype=np.uint8)
    refused(
        save(tmp_path / "a.npz", image=sixteenths, label=LABELS), "16 if 255 is white", "?white=16", "?white=255 if"
    )
    source = open_source(f"npz:{tmp_path}/a.npz?white=16")
    np.testing.assert_array_equal(pixels(source, 0)[..., 0], np.rint(sixteenths[0] / 16 * 255))
    refused(save(tmp_path / "b.npz", image=(GREY > 99).astype(np.uint8), label=LABELS), "only 0 and 1", "?white=1")
    np.testing.assert_array_equal(
        pixels(open_source(f"npz:{tmp_path}/b.npz?white=1"), 0)[..., 0], (GREY[0] > 99) * np.uint8(255)
    )


def test_rows_of_numbers_say_their_shape(tmp_path: Path) -> None:
    refused(save(tmp_path / "a.npz", data=GREY.reshape(40, -1), target=LABELS), "images.reshape(-1, 6, 6)")
    refused(
        save(tmp_path / "b.npz", data=RGB.reshape(40, -1), labels=LABELS),
        "reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)",
    )


# bounds


@pytest.fixture
def small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What any file may expand to, so small that the tests are quick."""
    monkeypatch.setattr(unpacking, "_SMALL", 1 << 20)


def deflated(file: Path, name: str, header: bytes, zeros: int) -> None:
    """An archive with one array of zeros, well packed."""
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{name}.npy", "w") as member:
        member.write(header)
        for _ in range(zeros >> 20):
            member.write(bytes(1 << 20))


def header(shape: str, kind: str = "|u1") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_zeros_that_unpack_to_far_too_much_are_not_unpacked(tmp_path: Path, small_bound: None) -> None:
    file = tmp_path / "a.npz"
    deflated(file, "image", header(f"({30 << 20}, 1, 1)"), 30 << 20)
    with zipfile.ZipFile(file, "a") as archive:
        held = io.BytesIO()
        np.save(held, LABELS)
        archive.writestr("label.npy", held.getvalue())
    tracemalloc.start()
    try:
        refused(f"npz:{file}", "'image'", "31,457,", "not unpacked")
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "shape", ["(1000000000000,)", "(4, 1000000, 1000000)", "(-1, 5)", "(2**62, 4)", "[40]", "('a',)"]
)
def test_an_array_that_lies_about_its_shape(tmp_path: Path, shape: str) -> None:
    file = tmp_path / "a.npz"
    save(file, label=LABELS)
    deflated(file, "image", header(shape), 1 << 20)
    refused(f"npz:{file}", "'image' is damaged")


def test_bombs_are_told_by_how_much_they_unpack() -> None:
    refuse_bomb("a", 1, 100 << 20)
    refuse_bomb("a", 1 << 30, 10 << 30)
    with pytest.raises(InputError, match="1,000 bytes that unpack to 8,589,934,592"):
        refuse_bomb("a", 1000, 8 << 30)


# idx


def write_idx(file: Path, array: np.ndarray, kind: int = 8) -> None:
    content = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)


def test_idx_files_packed_or_not(tmp_path: Path) -> None:
    for suffix in ("", ".gz"):
        folder = tmp_path / f"mnist{suffix}"
        folder.mkdir()
        for split, rows in (("train", 32), ("t10k", 8)):
            write_idx(folder / f"{split}-images-idx3-ubyte{suffix}", GREY[:32] if split == "train" else GREY[32:])
            write_idx(folder / f"{split}-labels-idx1-ubyte{suffix}", LABELS[:rows].astype(np.uint8))
        source = open_source(f"idx:{folder}")
        assert (source.counts(), source.classes) == ({"train": 32, "test": 8}, ("0", "1"))
        np.testing.assert_array_equal(pixels(source, 7, "test"), GREY[39][..., None])
        assert tasks.add("t", f"idx:{folder}")["splits"]["test"]["examples"] == 8


def test_a_folder_with_several_sets_of_idx_files(tmp_path: Path) -> None:
    for name in ("emnist-letters", "emnist-digits"):
        write_idx(tmp_path / f"{name}-train-images-idx3-ubyte.gz", GREY)
        write_idx(tmp_path / f"{name}-train-labels-idx1-ubyte.gz", (LABELS + 1).astype(np.uint8))
    refused(f"idx:{tmp_path}", f"several sets: name one, idx:{tmp_path}/emnist-digits")
    source = open_source(f"idx:{tmp_path}/emnist-letters")
    assert source.classes == ("1", "2")
    assert any("on their side" in note for note in source.notes())
    refused(f"idx:{tmp_path}/letters", "holds no set 'letters'")


def test_idx_refusals(tmp_path: Path, small_bound: None) -> None:
    images = tmp_path / "train-images-idx3-ubyte"
    refused(f"idx:{tmp_path}", "no idx file")
    write_idx(images, GREY)
    refused(f"idx:{tmp_path}", "train-labels-idx1-ubyte")
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS.astype(np.uint8))
    whole = images.read_bytes()
    for content in (b"", b"\0\0", b"\1\0\x08\3", whole[:-1], whole + b"\0", whole[:10], b"\0\0\x08\xff" + whole[4:]):
        images.write_bytes(content)
        refused(f"idx:{tmp_path}", str(images))
    images.write_bytes(gzip.compress(whole)[:-9])
    refused(f"idx:{tmp_path}", str(images), "damaged or truncated")
    images.write_bytes(gzip.compress(bytes(3 << 20)))
    refused(f"idx:{tmp_path}", str(images), "not unpacked")


# CIFAR


def write_cifar(file: Path, *labels: np.ndarray, rows: slice = slice(None)) -> None:
    planes = np.moveaxis(RGB, -1, 1).reshape(40, -1)
    columns = [label.astype(np.uint8)[:, None] for label in labels]
    file.write_bytes(np.concatenate([*columns, planes], 1)[rows].tobytes())


def test_binary_cifar_10(tmp_path: Path) -> None:
    write_cifar(tmp_path / "data_batch_1.bin", LABELS, rows=slice(0, 20))
    write_cifar(tmp_path / "data_batch_2.bin", LABELS, rows=slice(20, 40))
    write_cifar(tmp_path / "test_batch.bin", LABELS)
    (tmp_path / "batches.meta.txt").write_text("airplane\nautomobile\n\n")
    source = open_source(f"cifar:{tmp_path}")
    assert (source.counts(), source.classes) == ({"train": 40, "test": 40}, ("airplane", "automobile"))
    np.testing.assert_array_equal(pixels(source, 33), RGB[33])
    assert len(source.files("train") or ()) == 2
    with (tmp_path / "test_batch.bin").open("ab") as file:
        file.write(b"\0")
    refused(f"cifar:{tmp_path}", "test_batch.bin", "truncated")


def test_binary_cifar_100_has_two_kinds_of_label(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write_cifar(tmp_path / f"{name}.bin", LABELS, np.arange(40) % 4)
    (tmp_path / "fine_label_names.txt").write_text("a\nb\nc\nd\n")
    (tmp_path / "coarse_label_names.txt").write_text("x\ny\n")
    assert open_source(f"cifar:{tmp_path}").classes == ("a", "b", "c", "d")
    coarse = open_source(f"cifar:{tmp_path}?label=coarse")
    assert (coarse.classes, coarse.labels("test").tolist()) == (("x", "y"), LABELS.tolist())
    refused(f"cifar:{tmp_path}?label=corse", "did you mean 'coarse'")


def test_the_pickled_cifar_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02cos\nsystem\n(S'touch ran'\ntR.")
    (tmp_path / "batches.meta").write_bytes(b"")
    refused(f"cifar:{tmp_path}", "pickles, which may run code and are never read", "cifar-10-binary.tar.gz")
    refused(f"cifar:{tmp_path / 'none'}", "there is no such folder")


# MATLAB


def converted(address: str, folder: Path) -> str:
    """Run the conversion that a refusal offers; the address that it names."""
    with pytest.raises(InputError) as caught:
        open_source(address)
    found = re.search(r'python -c "(.*)" makes archives that (npz:[^ )]+) reads', str(caught.value))
    assert found is not None, str(caught.value)
    subprocess.run([sys.executable, "-c", found[1]], cwd=folder, check=True)
    return found[2]


@pytest.mark.parametrize("scheme", ["npz", "folder"])
def test_svhn_comes_with_a_conversion_that_works(tmp_path: Path, scheme: str) -> None:
    matlab = pytest.importorskip("scipy.io")
    for name, rows in (("train_32x32", 40), ("test_32x32", 10)):
        held = {"X": np.moveaxis(RGB[:rows], 0, -1), "y": (LABELS[:rows, None] + 9).astype(np.uint8)}
        matlab.savemat(tmp_path / f"{name}.mat", held, do_compression=True)
    source = open_source(converted(f"{scheme}:{tmp_path}", tmp_path))
    assert (source.counts(), source.classes) == ({"train": 40, "test": 10}, ("9", "10"))
    np.testing.assert_array_equal(pixels(source, 7), RGB[7])
    refused(f"npz:{tmp_path}/train_32x32.mat", "scipy.io.loadmat", f"npz:{tmp_path} reads")


def test_matlab_7_3_is_for_h5py(tmp_path: Path) -> None:
    (tmp_path / "train.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\0\x02IM" + bytes(512))
    refused(f"npz:{tmp_path}", "h5py.File", "transpose(0, 3, 2, 1)")


def test_arrays_whose_last_axis_counts_the_images(tmp_path: Path) -> None:
    source = open_source(save(tmp_path / "a.npz", X=np.moveaxis(RGB, 0, -1), y=LABELS))
    np.testing.assert_array_equal(pixels(source, 7), RGB[7])


def test_meta_with_names(tmp_path: Path) -> None:
    save(tmp_path / "train.npz", X=GREY, y=LABELS + 1)
    (tmp_path / "meta.json").write_text(json.dumps({"classes": ["no", "yes"]}))
    assert open_source(f"npz:{tmp_path}").labels("train").tolist() == LABELS.tolist()
    (tmp_path / "meta.json").write_text("[" * 100_000)
    refused(f"npz:{tmp_path}", "meta.json", "JSON")


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("train-images-idx3-ubyte.gz", "idx"),
        ("data_batch_1.bin", "cifar"),
        ("train.npz", "npz"),
        ("train-0000.tar", "wds"),
        ("train-00000-of-00001.parquet", "hf"),
        ("train.csv", "csv"),
    ],
)
def test_folders_of_other_files_say_what_reads_them(tmp_path: Path, name: str, scheme: str) -> None:
    (tmp_path / name).write_bytes(b"")
    refused(f"folder:{tmp_path}", "no sub-folders", f"({scheme}:{tmp_path}")
