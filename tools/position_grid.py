"""How much it matters how the grid of position embeddings is resized: linearly with aligned corners, as munet and the
published systems do, or as timm does (bicubic, antialiased). Heads in closed form on frozen features of photographs.

    python tools/position_grid.py PHOTOS WEIGHTS 70
"""

import sys
from pathlib import Path

import numpy as np
import torch
from timm.layers.pos_embed import resample_abs_pos_embed

from munet.model import weight_init
from munet.model.network import Network
from munet.model.vit import ViTArchitecture
from munet.roots import load_root
from munet.tasks.record import add, load
from munet.training import Preprocessing, prepare
from munet.training.closed_form import fit, hold_out

ROOT = "timm:vit_small_patch14_dinov2.lvd142m"
MOST = 600  # training images of a set


def as_timm(pos_embed: torch.Tensor, architecture: ViTArchitecture, from_size: int, to_size: int) -> torch.Tensor:
    old, new = architecture.grid(from_size), architecture.grid(to_size)
    prefix = architecture.posembed_rows(from_size) - old * old
    return resample_abs_pos_embed(pos_embed, [new, new], [old, old], num_prefix_tokens=prefix)


@torch.inference_mode()
def features(network: Network, pre: Preprocessing, images: np.ndarray) -> torch.Tensor:
    """Class token and mean patch token, (N, 2 W)."""
    parts = [prepare(torch.from_numpy(images[i : i + 32]), pre) for i in range(0, len(images), 32)]
    return torch.cat([network(part) for part in parts])


def main(photos: Path, weights: Path, size: int) -> None:
    networks = {}
    for name, resize in {"linear": weight_init.resize_posembed, "timm": as_timm}.items():
        weight_init.resize_posembed = resize
        root = load_root(ROOT, weights=weights, image_size=size)
        networks[name] = Network(root.architecture, root.layers, size)
        networks[name].with_patches = True
    kind = networks["linear"].architecture
    pre = Preprocessing.from_hyperparameters({"image_size": size}, variant="mu2net-plus", mean=kind.mean, std=kind.std)
    print("| set | test images | " + " | ".join(networks) + " |")
    means = dict.fromkeys(networks, 0.0)
    folders = sorted(path for path in photos.iterdir() if path.is_dir())
    for folder in folders:
        address = f"csv:{folder}/labels.csv" if (folder / "labels.csv").exists() else f"folder:{folder}"
        record = add(folder.name, address)
        train, test = load(record, "train", side=2 * size), load(record, "test", side=2 * size)
        some = np.random.default_rng(0).permutation(len(train.images))[:MOST]
        labels, found = torch.from_numpy(train.labels[some]), []
        for name, network in networks.items():
            here = features(network, pre, train.images[some])
            evidence = hold_out(here, labels, len(record["classes"]), np.random.default_rng(0))
            head = fit(here, labels, len(record["classes"]), evidence)
            logits = features(network, pre, test.images) @ head["weight"].T + head["bias"]
            right = 100 * float((logits.argmax(1).numpy() == test.labels).mean())
            means[name] += right / len(folders)
            found.append(f"{right:.1f}")
        print(f"| {folder.name} | {len(test.images)} | " + " | ".join(found) + " |", flush=True)
    print("| mean | | " + " | ".join(f"{value:.2f}" for value in means.values()) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
