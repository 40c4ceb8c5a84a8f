"""Decoded splits, in memory and on disk: shared by processes, kept over restarts, made again where missing.

    splits.py    Splits: decoded once, small ones in memory, others memory-mapped
    decode.py    decoding one split, in memory or to disk
    filling.py   what `add` reads kept for the first training
    disk.py      the folder: opened as memory maps, made by one process at a time, least recently used out
    blocks.py    what an earlier process wrote, compared before it is used
    npy_rows.py  images to a file as they come

A split is two files. `<key>.images.npy` holds its images, uint8 (N, H, W, C). `<key>.split.npz` holds the labels, what
was unusable, and what the images file must be. The key is a hash of what decides the pixels: the fingerprint and
ranges of the split, the size decoded to, and the version of the decoder. Everything here may be deleted at any time.
"""

from munet.fs.cache import cache_folder, cache_limit
from munet.tasks.cache.decode import Appeared, Making, stored
from munet.tasks.cache.disk import DecodedFolder

__all__ = ["Appeared", "DecodedFolder", "Making", "cache_folder", "cache_limit", "stored"]
