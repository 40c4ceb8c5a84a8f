"""Linear probe of a glyph root on real image sets: logistic regression on its frozen class-token features.

    python tools/glyphs/probe.py --root src/munet/assets/glyphs/root.safetensors --data DATA

The real sets are only ever probed, never trained on. The strength of the regularisation is chosen on the set's own
validation images, never on its test images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor
from train import build_model

SETS = ("mnist", "kmnist10k", "cmaterdb_bangla", "letters_az6k", "cmaterdb_devanagari", "cmaterdb_telugu",
        "femnist_digits6k")  # fmt: skip
TRAIN_IMAGES, VALIDATION_IMAGES, TEST_IMAGES = 3000, 3000, 10000
STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)

Part = tuple[Tensor, Tensor]  # features, labels


def load_root(path: Path) -> VisionTransformer:
    model = build_model(0)
    model.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return model.eval()


def to_input(images: np.ndarray) -> Tensor:
    """(n, h, w) or (n, h, w, 3) bytes to (n, 3, 32, 32) in -1..1, resized bilinearly."""
    pixels = torch.from_numpy(images).float()
    pixels = pixels[..., None].expand(-1, -1, -1, 3) if pixels.ndim == 3 else pixels
    pixels = pixels.permute(0, 3, 1, 2)
    if pixels.shape[-2:] != (32, 32):
        pixels = F.interpolate(pixels, size=(32, 32), mode="bilinear", align_corners=False, antialias=True)
    return pixels / 127.5 - 1


@torch.no_grad()
def features(model: VisionTransformer, images: np.ndarray) -> Tensor:
    return torch.cat([model.forward_features(to_input(part))[:, 0] for part in np.array_split(images, 8)])


def fit(x: Tensor, y: Tensor, classes: int, strength: float) -> Tensor:
    """Weights (features + 1, classes) of a logistic regression with an L2 penalty, by L-BFGS."""
    x = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    weight = torch.zeros(x.shape[1], classes, requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=150, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(x @ weight, y) + 0.5 * strength * weight[:-1].square().sum() / 10
        loss.backward()
        return loss

    solver.step(closure)
    return weight.detach()


def accuracy(weight: Tensor, x: Tensor, y: Tensor) -> float:
    return ((x @ weight[:-1] + weight[-1]).argmax(1) == y).float().mean().item()


def probe(train: Part, validation: Part, test: Part) -> tuple[float, float]:
    """Test accuracy and the strength that was best on the validation part."""
    mean, spread, classes = train[0].mean(0), train[0].std(0) + 1e-6, int(train[1].max()) + 1
    (x, y), (xv, yv), (xt, yt) = (((each - mean) / spread, labels) for each, labels in (train, validation, test))
    weights = {strength: fit(x, y, classes, strength) for strength in STRENGTHS}
    best = max(STRENGTHS, key=lambda strength: accuracy(weights[strength], xv, yv))
    return accuracy(weights[best], xt, yt), best


def load_split(folder: Path, split: str, limit: int, rng: np.random.Generator | None) -> tuple[np.ndarray, Tensor]:
    with np.load(folder / f"{split}.npz", allow_pickle=False) as data:
        images, labels = data["image"], data["label"]
    rows = rng.permutation(len(labels))[:limit] if rng else np.arange(min(limit, len(labels)))
    return images[rows], torch.from_numpy(labels[rows]).long()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sets", nargs="*", default=SETS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = load_root(args.root)
    for name in args.sets:
        rng = np.random.default_rng(args.seed)
        limits = (("train", TRAIN_IMAGES, rng), ("validation", VALIDATION_IMAGES, None), ("test", TEST_IMAGES, None))
        loaded = [load_split(args.data / name, *limit) for limit in limits]
        score, strength = probe(*((features(model, images), labels) for images, labels in loaded))
        sizes = "/".join(str(len(labels)) for _, labels in loaded)
        counts = f"{sizes} training/validation/test images, L2 {strength:g}"
        print(f"{name:20s} {100 * score:5.1f} %  ({counts})", flush=True)


if __name__ == "__main__":
    main()
