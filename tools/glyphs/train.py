"""Trains the glyph root: a ViT Ti/16 with three blocks at 32 pixels that names the character of a rendered glyph.

    python tools/glyphs/train.py --out src/munet/assets/glyphs --seed 0 --cache build/glyphs

Needs the cache of glyphs.py. A checkpoint beside the cache makes the run resumable: start the same command again.
"""

from __future__ import annotations

import argparse
import math
import shutil
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from render import augment
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

BATCH, PEAK_RATE, WEIGHT_DECAY, CLIP, SMOOTHING = 256, 1.5e-3, 0.05, 1.0, 0.1
WARM_UP, CLASS_POWER, EMA_DECAY = 300, 0.3, 0.998
RAMP = 0.25  # part of the training after which geometry and polarity have their full strength


def build_model(classes: int) -> VisionTransformer:
    return VisionTransformer(img_size=32, patch_size=16, embed_dim=192, depth=3, num_heads=3, mlp_ratio=4,
                             qkv_bias=True, global_pool="token", num_classes=classes)  # fmt: skip


def row_weights(labels: np.ndarray, classes: list[str], digits: float) -> Tensor:
    """Draws a class in proportion to (its images) ** CLASS_POWER, its images evenly, digits `digits` times as often."""
    counts = np.bincount(labels)
    boost = np.array([digits if any(char.isdecimal() for char in members) else 1.0 for members in classes])
    return torch.from_numpy(counts[labels] ** (CLASS_POWER - 1.0) * boost[labels])


def amount_at(step: int, steps: int) -> float:
    """Strength of geometry and polarity: none in the warm-up, full at a quarter of the training.

    With half the images inverted from the first step the loss never leaves the entropy of the class prior.
    """
    start = min(2 * WARM_UP, steps // 20)
    return min(1.0, max(0.0, (step - start) / (RAMP * steps - start)))


def rate_at(step: int, steps: int) -> float:
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))


def optimiser_of(model: torch.nn.Module) -> torch.optim.AdamW:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98), foreach=True)


class Run:
    """Everything that changes during training, so that a checkpoint is one dictionary."""

    def __init__(self, classes: int, seed: int) -> None:
        torch.manual_seed(seed)  # only the initial weights come from the global generator
        self.model = build_model(classes)
        self.average = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.optimiser = optimiser_of(self.model)
        self.generator = torch.Generator().manual_seed(seed)
        self.step, self.seconds = 0, 0.0

    def state(self) -> dict:
        return {"model": self.model.state_dict(), "average": self.average, "optimiser": self.optimiser.state_dict(),
                "generator": self.generator.get_state(), "step": self.step, "seconds": self.seconds}  # fmt: skip

    def load(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.average, self.step, self.seconds = state["average"], state["step"], state["seconds"]

    def update_average(self) -> None:
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        values = list(self.model.state_dict().values())
        torch._foreach_lerp_(list(self.average.values()), values, 1 - decay)


def train_step(run: Run, images: Tensor, labels: Tensor, steps: int) -> tuple[float, float]:
    for group in run.optimiser.param_groups:
        group["lr"] = rate_at(run.step, steps)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = run.model(images)
    loss = F.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.model.parameters(), CLIP)
    run.optimiser.step()
    run.step += 1
    run.update_average()
    return loss.item(), (logits.argmax(1) == labels).float().mean().item()


def save_root(average: dict[str, Tensor], path: Path) -> None:
    """The averaged weights without the head, fp16, under timm's names."""
    root = {name: value.half().contiguous() for name, value in average.items() if not name.startswith("head.")}
    save_file(root, path)


def save_checkpoint(run: Run, path: Path) -> None:
    torch.save(run.state(), path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def train(args: argparse.Namespace) -> None:
    glyphs = torch.from_numpy(np.load(args.cache / "glyphs.npy", mmap_mode=None))
    labels = np.load(args.cache / "labels.npy")
    classes = (args.cache / "classes.txt").read_text("utf-8").splitlines()
    weights, targets = row_weights(labels, classes, args.digits), torch.from_numpy(labels)
    run, checkpoint = Run(int(labels.max()) + 1, args.seed), args.cache / f"{args.name}.pt"
    if checkpoint.exists():
        run.load(torch.load(checkpoint, weights_only=True))
    began, losses, rights = time.monotonic() - run.seconds, [], []
    while run.step < args.steps:
        rows = torch.multinomial(weights, BATCH, replacement=True, generator=run.generator)
        images = augment(glyphs[rows], amount_at(run.step, args.steps), run.generator)
        loss, right = train_step(run, images, targets[rows], args.steps)
        losses.append(loss)
        rights.append(right)
        if run.step % 100 == 0:
            run.seconds = time.monotonic() - began
            print(f"step {run.step} loss {np.mean(losses):.3f} right {np.mean(rights):.3f} "
                  f"amount {amount_at(run.step, args.steps):.2f} seconds {run.seconds:.0f}", flush=True)  # fmt: skip
            losses, rights = [], []
        if run.step % 500 == 0 or run.step == args.steps:
            save_checkpoint(run, checkpoint)
            save_root(run.average, args.cache / f"{args.name}.safetensors")
    args.out.mkdir(parents=True, exist_ok=True)
    save_root(run.average, args.out / "root.safetensors")
    shutil.copyfile(args.cache / "classes.txt", args.out / "classes.txt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("build/glyphs"))
    parser.add_argument("--name", default="root", help="name of the checkpoint in the cache")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--digits", type=float, default=1.0, help="how much more often a digit is drawn")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    train(args)


if __name__ == "__main__":
    main()
