"""The shipped glyph root and quickstart tasks: sizes, shapes, and what was promised to be held out."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import munet

ASSETS = Path(munet.__file__).parent / "assets"
ROOT = ASSETS / "glyphs" / "root.safetensors"
TASKS = ("ethiopic", "georgian", "khmer", "malayalam", "thai")
HELD_OUT = ("THAI", "LAO", "GEORGIAN", "ETHIOPIC", "KHMER", "MALAYALAM")
SPLITS = {"train": 1200, "validation": 300, "test": 600}

BLOCK_SHAPES = {
    "norm1.weight": (192,), "norm1.bias": (192,), "attn.qkv.weight": (576, 192), "attn.qkv.bias": (576,),
    "attn.proj.weight": (192, 192), "attn.proj.bias": (192,), "norm2.weight": (192,), "norm2.bias": (192,),
    "mlp.fc1.weight": (768, 192), "mlp.fc1.bias": (768,), "mlp.fc2.weight": (192, 768), "mlp.fc2.bias": (192,),
}  # fmt: skip
SHAPES = {
    "cls_token": (1, 1, 192), "pos_embed": (1, 5, 192), "norm.weight": (192,), "norm.bias": (192,),
    "patch_embed.proj.weight": (192, 3, 16, 16), "patch_embed.proj.bias": (192,),
    **{f"blocks.{block}.{name}": shape for block in range(3) for name, shape in BLOCK_SHAPES.items()},
}  # fmt: skip


@pytest.fixture(scope="module")
def root() -> dict[str, np.ndarray]:
    with safe_open(ROOT, framework="numpy") as file:
        assert file.metadata() is None
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    with np.load(ASSETS / "quickstart" / f"{request.param}.npz", allow_pickle=False) as data:
        return dict(data)


def root_characters() -> list[str]:
    return (ASSETS / "glyphs" / "classes.txt").read_text("utf-8").splitlines()


def test_the_assets_are_small() -> None:
    assert ROOT.stat().st_size < 3_000_000
    assert sum(path.stat().st_size for path in (ASSETS / "quickstart").glob("*.npz")) <= 1_500_000


def test_the_root_has_the_names_and_shapes_of_timm_in_half_precision(root: dict[str, np.ndarray]) -> None:
    assert {name: value.shape for name, value in root.items()} == SHAPES
    assert {value.dtype for value in root.values()} == {np.dtype(np.float16)}
    assert all(np.isfinite(value).all() for value in root.values())


def test_the_three_blocks_differ(root: dict[str, np.ndarray]) -> None:
    for name in BLOCK_SHAPES:
        first, second, third = (root[f"blocks.{block}.{name}"] for block in range(3))
        assert not np.array_equal(first, second), name
        assert not np.array_equal(second, third), name
        assert not np.array_equal(first, third), name


def test_held_out_scripts_are_not_among_the_root_classes() -> None:
    classes = root_characters()
    assert len(classes) == len(set(classes)) > 3000
    scripts = {unicodedata.name(char, "?").split(" ")[0] for members in classes for char in members}
    assert {"LATIN", "HIRAGANA", "DEVANAGARI"} <= scripts
    assert not scripts & set(HELD_OUT)


def test_a_quickstart_task_has_three_splits_of_bytes(task: dict[str, np.ndarray]) -> None:
    classes = task["classes"]
    assert set(task) == {"classes"} | {f"{split}_{part}" for split in SPLITS for part in ("image", "label")}
    assert 10 <= len(classes) == len(set(classes)) <= 30
    assert classes.dtype.kind == "U"
    for split, count in SPLITS.items():
        image, label = task[f"{split}_image"], task[f"{split}_label"]
        assert (image.shape, image.dtype) == ((count, 28, 28), np.uint8)
        assert (label.shape, label.dtype) == ((count,), np.int64)
        assert image.max() == 255
        assert image.std((1, 2)).min() > 5  # no empty image
        assert np.bincount(label, minlength=len(classes)).min() >= count // len(classes) - 1


def test_no_image_is_in_two_splits(task: dict[str, np.ndarray]) -> None:
    seen = {split: {image.tobytes() for image in task[f"{split}_image"]} for split in SPLITS}
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


def test_the_letters_of_a_quickstart_task_are_unknown_to_the_root(task: dict[str, np.ndarray]) -> None:
    known = set("".join(root_characters()))
    letters = {str(letter) for letter in task["classes"]}
    assert not letters & known
    assert {unicodedata.name(letter).split(" ")[0] for letter in letters} < set(HELD_OUT)
