"""Draws every chosen glyph once and merges characters that look the same: the training set of the glyph root."""

from __future__ import annotations

import argparse
from collections import defaultdict
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from fonts import FontFile, choose, gather
from PIL import ImageFont
from render import draw, fields

LOOK_ALIKE = 0.022  # mean difference of two outline fields (0..1) below which two glyphs of one font look the same
CHUNK = 24  # font files per task of the pool

Key = tuple[int, str]  # position of the font, character


def _draw_fonts(task: list[tuple[int, str, list[str]]]) -> tuple[np.ndarray, list[Key]]:
    """Fields of the wanted characters of several fonts, with (font position, character) of each."""
    bitmaps, keys = [], []
    for position, path, chars in task:
        try:
            font = ImageFont.truetype(path, 96)
        except OSError:
            continue
        for char in chars:
            try:
                bitmap = draw(font, char)
            except (OSError, ValueError):
                continue
            if bitmap is not None:
                bitmaps.append(bitmap)
                keys.append((position, char))
    return (fields(bitmaps) if bitmaps else np.zeros((0, 2, 48, 48), np.uint8)), keys


def draw_all(fonts: list[FontFile], chosen: dict[str, list[int]], workers: int) -> tuple[np.ndarray, list[Key]]:
    by_font: dict[int, list[str]] = defaultdict(list)
    for char, positions in chosen.items():
        for position in positions:
            by_font[position].append(char)
    jobs = [(position, fonts[position].path, chars) for position, chars in sorted(by_font.items())]
    with Pool(workers) as pool:
        parts = list(pool.imap(_draw_fonts, [jobs[at : at + CHUNK] for at in range(0, len(jobs), CHUNK)]))
    return np.concatenate([part[0] for part in parts]), [key for part in parts for key in part[1]]


def merge_look_alikes(stored: np.ndarray, keys: list[Key]) -> dict[str, str]:
    """Maps each character to the first one that looks the same in most of the fonts that draw both (A, Alpha, A)."""
    chars = sorted({char for _, char in keys})
    place = {char: number for number, char in enumerate(chars)}
    both, near = np.zeros((len(chars),) * 2, np.uint16), np.zeros((len(chars),) * 2, np.uint16)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, (position, _) in enumerate(keys):
        rows_of[position].append(row)
    for rows in rows_of.values():
        blocks = stored[rows, 0].astype(np.float32).reshape(len(rows), 12, 4, 12, 4)
        small = blocks.mean((2, 4)).reshape(len(rows), -1) / 255
        squares = (small**2).sum(1)
        distance = np.maximum(squares[:, None] + squares[None] - 2 * small @ small.T, 0) / small.shape[1]
        at = np.array([place[keys[row][1]] for row in rows])
        both[np.ix_(at, at)] += 1
        near[np.ix_(at, at)] += distance < LOOK_ALIKE**2
    parent = list(range(len(chars)))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    for a, b in zip(*np.nonzero(np.triu((near * 2 >= both) & (both >= 3), 1)), strict=True):
        first, second = sorted((root(a), root(b)))
        parent[second] = first
    return {char: chars[root(number)] for number, char in enumerate(chars)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the glyphs, labels and lists")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    fonts = gather()
    stored, keys = draw_all(fonts, choose(fonts, np.random.default_rng(args.seed)), args.workers)
    merged = merge_look_alikes(stored, keys)
    classes = sorted(set(merged.values()))
    number = {char: label for label, char in enumerate(classes)}
    members: dict[str, list[str]] = defaultdict(list)
    for char, first in sorted(merged.items()):
        members[first].append(char)
    np.save(args.cache / "glyphs.npy", stored)
    np.save(args.cache / "labels.npy", np.array([number[merged[char]] for _, char in keys], np.int64))
    (args.cache / "classes.txt").write_text("".join("".join(members[first]) + "\n" for first in classes), "utf-8")
    used = sorted({position for position, _ in keys})
    lines = [f"{fonts[p].package}\t{fonts[p].family}\t{Path(fonts[p].path).name}\n" for p in used]
    (args.cache / "fonts.txt").write_text("".join(lines), "utf-8")
    print(f"{len(stored)} glyphs, {len(merged)} characters, {len(classes)} classes, {len(used)} font files")


if __name__ == "__main__":
    main()
