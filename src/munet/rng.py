"""Random streams: every draw of a run comes from one of these, and none of their states is ever saved.

A stream is named by its key, for instance `(seed, "mnist", iteration, generation, child, "mutations")`. The SHA-256 of
the key seeds it, so that any part of a run can be replayed alone, in any order, on any machine (promise P6).
"""

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

Key = tuple[str | int, ...]


def seed_of(*key: str | int) -> int:
    """63-bit seed of the stream named by `key`."""
    text = json.dumps(["munet-stream-1", *key], ensure_ascii=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_rng(*key: str | int) -> "np.random.Generator":
    """numpy generator (PCG64) for decisions and data order."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(seed_of(*key)))


def torch_rng(*key: str | int, device: str = "cpu") -> "torch.Generator":
    """torch generator for initial weights and augmentation."""
    import torch

    return torch.Generator(device=device).manual_seed(seed_of(*key))
