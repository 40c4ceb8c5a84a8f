"""Whatever arrays, shards and data sets hold, opening them gives a source or one line, never another error."""

import gzip
import io
import shutil
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from examples import examples
from munet.errors import InputError
from munet.tasks.record import TaskOptions, add
from munet.tasks.sources import open_source

PIXEL = b"P5 1 1 255\n"
DTYPES = st.sampled_from(["u1", "u2", "i1", "i4", "i8", "f2", "f4", "f8", "?", "S3", "U2", "c8", "M8[s]"])
SHAPES = st.one_of(
    st.lists(st.sampled_from([0, 1, 2, 3, 4, 6]), max_size=5),
    st.tuples(st.just(6), st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.just(6), st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 3, 4])),
    st.tuples(st.just(6), st.sampled_from([1, 2, 9])),
    st.just((6,)),
)
KEYS = st.sampled_from(
    ["image", "label", "images", "labels", "x", "y", "X", "x_train", "y_train", "x_test", "y_test", "train_image",
     "train_label", "val_images", "val_labels", "data", "target", "classes", "class_names", "other"]
)  # fmt: skip
ARRAY = st.tuples(DTYPES, SHAPES).flatmap(lambda pair: arrays.arrays(np.dtype(pair[0]), tuple(pair[1])))
OPTIONS = st.sampled_from(["", "?white=255", "?white=4095", "?order=shuffled", "?order=stratified", "?label=txt"])


def tried(address: str) -> None:
    """Use a source as far as `add` does, without and with its unusable examples."""
    for skip_bad in (False, True):
        with suppress(InputError):
            source = open_source(address)
            for split, count in source.counts().items():
                assert len(source.labels(split)) == count == len(list(source.items(split, 0, count)))
                assert set(source.labels(split).tolist()) <= set(range(-1, len(source.classes)))
            record = add("odd", address, TaskOptions(skip_bad=skip_bad, allow_duplicates=True))
            assert open_source(record["source"]).classes == tuple(record["classes"])


def in_scratch(write: Callable[[Path], str]) -> None:
    folder = Path(mkdtemp(prefix="odd-"))
    try:
        tried(write(folder))
    finally:
        shutil.rmtree(folder)


@settings(max_examples=examples(60), deadline=None)
@given(st.dictionaries(KEYS, ARRAY, max_size=6), OPTIONS, st.sampled_from(["a.npz", "dir", "npy", "split"]))
def test_any_archive(held: dict[str, np.ndarray], options: str, kind: str) -> None:
    def write(folder: Path) -> str:
        if kind == "npy":
            for name, array in held.items():
                np.save(folder / f"{name}.npy", array)
            return f"npz:{folder}{options}"
        np.savez(folder / ("train.npz" if kind == "split" else "a.npz"), **held)  # type: ignore[arg-type]
        return f"npz:{folder / 'a.npz' if kind == 'a.npz' else folder}{options}"

    in_scratch(write)


@settings(max_examples=examples(40), deadline=None)
@given(
    arrays.arrays(np.dtype("u1"), (6, 2, 2), elements=st.integers(0, 255)),
    arrays.arrays(st.sampled_from([np.dtype("u1"), np.dtype("i8"), np.dtype("f4"), np.dtype("S2")]), (6,)),
    OPTIONS,
)
def test_any_labels(images: np.ndarray, labels: np.ndarray, options: str) -> None:
    def write(folder: Path) -> str:
        np.savez(folder / "a.npz", image=images, label=labels)
        return f"npz:{folder / 'a.npz'}{options}"

    in_scratch(write)


def flipped(content: bytes, place: int, value: int) -> bytes:
    changed = bytearray(content)
    if changed:
        changed[place % len(changed)] ^= value
    return bytes(changed)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 40), st.integers(0, 255), st.booleans(), st.booleans())
def test_any_damage_of_idx_files(place: int, value: int, packed: bool, labels: bool) -> None:
    def write(folder: Path) -> str:
        for name, shape, head in (("images-idx3", (6, 2, 2), (6, 2, 2)), ("labels-idx1", (6,), (6,))):
            array = np.arange(np.prod(shape), dtype=np.uint8) % (2 if len(shape) == 1 else 200)
            content = (
                bytes([0, 0, 8, len(shape)]) + b"".join(side.to_bytes(4, "big") for side in head) + array.tobytes()
            )
            content = gzip.compress(content) if packed else content
            hit = labels == (len(shape) == 1)
            (folder / f"train-{name}-ubyte").write_bytes(flipped(content, place, value) if hit else content)
        return f"idx:{folder}"

    in_scratch(write)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 1 << 14), st.integers(0, 255), st.integers(0, 1 << 14))
def test_any_damage_of_an_archive_or_a_shard(place: int, value: int, length: int) -> None:
    def write(folder: Path) -> str:
        held = io.BytesIO()
        np.savez_compressed(held, image=np.arange(24, dtype=np.uint8).reshape(6, 2, 2), label=np.arange(6) % 2)
        (folder / "a.npz").write_bytes(flipped(held.getvalue()[: length or None], place, value))
        tried(f"npz:{folder / 'a.npz'}")
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w") as tar:
            for number in range(6):
                for suffix, content in (("pgm", PIXEL + bytes([number])), ("cls", b"%d" % (number % 2))):
                    member = tarfile.TarInfo(f"{number}.{suffix}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
        (folder / "train.tar").write_bytes(flipped(held.getvalue()[: length or None], place, value))
        return f"wds:{folder}"

    in_scratch(write)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["0", "1", "2", "a/0", "b/1", "", "."]),
            st.sampled_from(["pgm", "png", "cls", "json", "txt", "seg.pgm", ""]),
            st.one_of(
                st.sampled_from(
                    [PIXEL + b"\1", PIXEL + b"\2", b"1", b"0", b"cat", b'{"label": 1}', b'{"label": [1, 2]}', b"[", b""]
                ),
                st.binary(max_size=8),
            ),
        ),
        max_size=14,
    ),
    OPTIONS,
)
def test_any_shard(files: list[tuple[str, str, bytes]], options: str) -> None:
    def write(folder: Path) -> str:
        with tarfile.open(folder / "train-0.tar", "w") as tar:
            for name, suffix, content in files:
                member = tarfile.TarInfo(f"{name}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return f"wds:{folder}{options}"

    in_scratch(write)


LABEL = st.one_of(st.none(), st.integers(-3, 9), st.floats(width=32), st.text(max_size=3), st.booleans(), st.just([1]))


@pytest.mark.filterwarnings("ignore")  # of datasets
@settings(max_examples=examples(20), deadline=None)
@given(st.lists(LABEL, min_size=1, max_size=8), st.data())
def test_any_labels_of_a_hugging_face_set(labels: list[Any], data: st.DataObject) -> None:
    import datasets

    kind = data.draw(st.sampled_from([int, bool, float, str, list]))
    column = [label if type(label) is kind else None for label in labels]
    image = st.sampled_from([None, PIXEL + b"\1", PIXEL + b"\2", b"", b"x"])
    images = data.draw(st.lists(image, min_size=len(column), max_size=len(column)))

    def write(folder: Path) -> str:
        datasets.Dataset.from_dict({"image": images, "label": column}).save_to_disk(folder / "a")
        return f"hf:{folder / 'a'}"

    datasets.disable_progress_bars()
    try:
        in_scratch(write)
    finally:
        datasets.enable_progress_bars()
