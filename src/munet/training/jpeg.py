"""JPEG compression as an augmentation: encode and decode each image with Pillow. Slow, used only when asked for."""

import io

import numpy as np
import torch
from PIL import Image


def compress(images_BHWC: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """The uint8 images (C = 1 or 3) after JPEG at each one's integer quality (B,), 1 to 100, on their own device."""
    pixels = images_BHWC.cpu().numpy()
    results = np.empty_like(pixels)
    for index, level in enumerate(quality.tolist()):
        results[index] = _compress_one(pixels[index], int(level))
    return torch.from_numpy(results).to(images_BHWC.device)


def _compress_one(pixels_HWC: np.ndarray, quality: int) -> np.ndarray:
    grey = pixels_HWC.shape[2] == 1
    buffer = io.BytesIO()
    Image.fromarray(pixels_HWC[:, :, 0] if grey else pixels_HWC).save(buffer, format="JPEG", quality=quality)
    decoded = np.asarray(Image.open(buffer))
    return decoded[:, :, None] if grey else decoded
