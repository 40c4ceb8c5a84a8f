"""Whole arrays of images at another size, made once when a set is loaded."""

import numpy as np
import torch

_CHUNK = 1000  # images in floating point at a time


def by_area(images: np.ndarray, side: int) -> np.ndarray:
    """Square images uint8 (N, H, H, 1) shrunk to (N, side, side, 1): each pixel the mean of the area it covers.

    Exact for any side up to H, also where a new pixel covers parts of old ones; rounded to whole grey levels.
    """
    across = torch.from_numpy(_overlaps(images.shape[1], side))
    resized = np.empty((len(images), side, side, 1), np.uint8)
    for first in range(0, len(images), _CHUNK):
        chunk = torch.from_numpy(images[first : first + _CHUNK, :, :, 0]).to(torch.float32)
        resized[first : first + _CHUNK, :, :, 0] = (across @ chunk @ across.T).round_().to(torch.uint8).numpy()
    return resized


def bilinear(images: np.ndarray, side: int) -> np.ndarray:
    """Images uint8 (N, H, W, C) enlarged to (N, side, side, C), pixel centres aligned, rounded to whole grey levels."""
    resized = np.empty((len(images), side, side, images.shape[3]), np.uint8)
    for first in range(0, len(images), _CHUNK):
        chunk = torch.from_numpy(images[first : first + _CHUNK]).permute(0, 3, 1, 2).to(torch.float32)
        larger = torch.nn.functional.interpolate(chunk, (side, side), mode="bilinear", align_corners=False)
        resized[first : first + _CHUNK] = larger.round_().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return resized


def _overlaps(before: int, after: int) -> np.ndarray:
    """Matrix float32 (after, before): which share of each new pixel along one axis every old one makes up."""
    edges = np.arange(after + 1) * (before / after)
    low, high = edges[:-1, None], edges[1:, None]
    old = np.arange(before)[None, :]
    shared = np.clip(np.minimum(high, old + 1) - np.maximum(low, old), 0, None)
    return (shared * after / before).astype(np.float32)
