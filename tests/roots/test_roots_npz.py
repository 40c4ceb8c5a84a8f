"""AugReg checkpoints, written here in the layout of the papers' files and read by munet and by timm's own loader."""

from pathlib import Path

import numpy as np
import pytest
import torch
from timm.models.vision_transformer import VisionTransformer

from munet.errors import InputError
from munet.model.network import Network
from munet.model.weight_init import new_head
from munet.roots import load_root

WIDTH, HEADS, HIDDEN, SIDE, BLOCKS, CLASSES = 48, 3, 96, 48, 3, 5


def augreg(numbers: tuple[int, int, int] = (1, 2, 3), seed: int = 0) -> dict[str, np.ndarray]:
    """Arrays of a small AugReg ViT; `numbers` are those of attention, second norm and MLP inside a block."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int, offset: float = 0.0) -> np.ndarray:
        spread = 0.3 if len(shape) < 2 else shape[0] ** -0.5
        return (offset + spread * rng.standard_normal(shape)).astype(np.float32)

    attention, second, mlp = numbers
    arrays = {
        "embedding/kernel": draw(16, 16, 3, WIDTH) / 27,
        "embedding/bias": draw(WIDTH),
        "cls": draw(1, 1, WIDTH),
        "Transformer/posembed_input/pos_embedding": draw(1, 1 + (SIDE // 16) ** 2, WIDTH),
        "Transformer/encoder_norm/scale": draw(WIDTH, offset=1),
        "Transformer/encoder_norm/bias": draw(WIDTH),
        "head/kernel": draw(WIDTH, CLASSES),
        "head/bias": draw(CLASSES),
    }
    for k in range(BLOCKS):
        block = f"Transformer/encoderblock_{k}"
        for norm in (0, second):
            arrays[f"{block}/LayerNorm_{norm}/scale"] = draw(WIDTH, offset=1)
            arrays[f"{block}/LayerNorm_{norm}/bias"] = draw(WIDTH)
        part = f"{block}/MultiHeadDotProductAttention_{attention}"
        for name in ("query", "key", "value"):
            arrays[f"{part}/{name}/kernel"] = draw(WIDTH, HEADS, WIDTH // HEADS)
            arrays[f"{part}/{name}/bias"] = draw(HEADS, WIDTH // HEADS)
        arrays[f"{part}/out/kernel"] = draw(HEADS, WIDTH // HEADS, WIDTH) / 4
        arrays[f"{part}/out/bias"] = draw(WIDTH)
        for name, shape in (("Dense_0", (WIDTH, HIDDEN)), ("Dense_1", (HIDDEN, WIDTH))):
            arrays[f"{block}/MlpBlock_{mlp}/{name}/kernel"] = draw(*shape)
            arrays[f"{block}/MlpBlock_{mlp}/{name}/bias"] = draw(shape[1])
    return arrays


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "Ti_16-small.npz"
    np.savez(path, **augreg())  # type: ignore[arg-type]
    return path


def test_logits_equal_those_of_timms_own_loader(checkpoint: Path):
    vit = VisionTransformer(
        img_size=SIDE, embed_dim=WIDTH, depth=BLOCKS, num_heads=HEADS, mlp_ratio=HIDDEN / WIDTH, num_classes=CLASSES
    ).eval()
    vit.load_pretrained(str(checkpoint))
    root = load_root(f"npz:{checkpoint}")
    assert (root.architecture.heads, root.architecture.mlp_hidden, root.image_size) == (HEADS, HIDDEN, SIDE)
    head = {"weight": vit.head.weight.detach(), "bias": vit.head.bias.detach()}  # type: ignore[union-attr]
    assert head["weight"].abs().sum() > 0
    network = Network(root.architecture, {**root.layers, "head": head}, SIDE)
    images = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network(images), vit(images), rtol=0, atol=1e-5)


def test_newer_numbering_reads_the_same(checkpoint: Path, tmp_path: Path):
    newer = tmp_path / "newer.npz"
    np.savez(newer, **augreg(numbers=(0, 1, 0)))  # type: ignore[arg-type]
    first, second = load_root(f"npz:{checkpoint}"), load_root(f"npz:{newer}")
    for slot, layer in first.layers.items():
        assert all(torch.equal(tensor, second.layers[slot][name]) for name, tensor in layer.items())


def test_depth_and_image_size(checkpoint: Path):
    root = load_root(f"npz:{checkpoint}", depth=2, image_size=32)
    assert list(root.layers) == ["embedding", "cls", "posembed", "block.0", "block.1", "norm"]
    assert (root.image_size, root.native_image_size) == (32, SIDE)
    assert root.native_posembed["pos_embed"].shape == (1, 10, WIDTH)
    corners = root.native_posembed["pos_embed"][0, 1:].reshape(3, 3, WIDTH)[::2, ::2].reshape(4, WIDTH)
    assert torch.equal(root.layers["posembed"]["pos_embed"][0, 1:], corners)
    layers = {**root.layers, "head": new_head(WIDTH, 4)}
    assert Network(root.architecture, layers, 32)(torch.zeros(1, 3, 32, 32)).shape == (1, 4)


def test_source_names_no_folder(checkpoint: Path):
    assert load_root(f"npz:{checkpoint}").source == "npz:Ti_16-small.npz"


@pytest.mark.parametrize("missing", ["cls", "Transformer/encoder_norm/bias", "Transformer/encoderblock_1/MlpBlock_3"])
def test_a_missing_array_is_named(tmp_path: Path, missing: str):
    path = tmp_path / "part.npz"
    np.savez(path, **{key: array for key, array in augreg().items() if not key.startswith(missing)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"part\.npz.*no {missing.split('_3')[0]}"):
        load_root(f"npz:{path}")


def test_arrays_of_another_shape_are_named(tmp_path: Path):
    path = tmp_path / "odd.npz"
    np.savez(path, **{**augreg(), "Transformer/encoderblock_1/LayerNorm_2/bias": np.zeros(7)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"odd\.npz.*block\.1.*norm2\.bias is \(7,\)"):
        load_root(f"npz:{path}")


def test_files_that_are_none(tmp_path: Path, checkpoint: Path):
    with pytest.raises(InputError, match=r"gone\.npz is not there"):
        load_root(f"npz:{tmp_path / 'gone.npz'}")
    with pytest.raises(InputError, match="is a folder"):
        load_root(f"npz:{tmp_path}")
    text = tmp_path / "text.npz"
    text.write_text("no zip")
    with pytest.raises(InputError, match=r"text\.npz is no AugReg checkpoint"):
        load_root(f"npz:{text}")
    empty = tmp_path / "empty.npz"
    empty.touch()
    with pytest.raises(InputError, match=r"empty\.npz is no AugReg checkpoint"):
        load_root(f"npz:{empty}")
    cut_off = tmp_path / "cut.npz"
    cut_off.write_bytes(checkpoint.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"cut\.npz is no AugReg checkpoint"):
        load_root(f"npz:{cut_off}")


def test_other_archives_are_refused(tmp_path: Path):
    images = tmp_path / "train.npz"
    np.savez(images, image=np.zeros((2, 4, 4), np.uint8), label=np.zeros(2))
    with pytest.raises(InputError, match="encoderblock_0"):
        load_root(f"npz:{images}")
    hybrid = tmp_path / "hybrid.npz"
    np.savez(hybrid, **{"conv_root/kernel": np.zeros(1)}, **augreg())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="hybrid"):
        load_root(f"npz:{hybrid}")
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, **{**augreg(), "cls": np.array([{"a": 1}], dtype=object)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"pickled\.npz"):
        load_root(f"npz:{pickled}")


def test_a_single_numpy_array_is_refused(tmp_path: Path):
    path = tmp_path / "array.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"array\.npz is no AugReg checkpoint"):
        load_root(f"npz:{path}")
