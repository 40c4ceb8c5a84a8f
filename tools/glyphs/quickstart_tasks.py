"""Renders the quickstart's tasks: letters of five scripts, in fonts, that the glyph root has never seen.

    python tools/glyphs/quickstart_tasks.py --out src/munet/assets/quickstart --cache build/glyphs --seed 0

Training and validation images share their fonts; test images come from other font families. Letters that look like a
character of the root (in most of their fonts) are left out; the cache of glyphs.py is needed for that check only.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from fonts import FontFile, characters_of, gather, script_of
from render import ink

from glyphs import draw_all

# Letters only: digits and vowel signs are where scripts resemble each other.
TASKS = {
    "thai": "กขคฆงจฉชซฌญฎฐฑฒณดตถทนบปผฝพฟมยรลวศษสหฬอฮ",
    "georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "ethiopic": "ሀለሐመሠረሰሸቀበተቸኀነኘአከወዐዘዠየደጀገጠጨጰጸፀፈፐ",
    "khmer": "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរលវសហឡអ",
    "malayalam": "കഖഗഘങചഛജഝഞടഠഡഢണതഥദധനപഫബഭമയരലവശഷസഹളഴറ",
}
MAX_CLASSES, FONTS_PER_FAMILY, TEST_FAMILIES = 25, 6, 0.35
COUNTS = {"train": 1200, "validation": 300, "test": 600}
DISTORTION, SIDE, LEVELS = 0.8, 28, 8
# Median distance to the nearest glyph of the root below which a letter counts as seen: two fonts of one character of
# the root are 0.014 apart in the median, the nearest glyph of another character is 0.034 away.
LOOK_ALIKE = 0.03


def fonts_of(letters: str, fonts: list[FontFile], rng: np.random.Generator) -> dict[str, list[int]]:
    """Held-out fonts that draw every letter, by family, a few of each."""
    families: dict[str, list[int]] = defaultdict(list)
    for position in rng.permutation(len(fonts)):
        font = fonts[position]
        if font.held_out and set(letters) <= characters_of(font) and len(families[font.family]) < FONTS_PER_FAMILY:
            families[font.family].append(int(position))
    return {family: positions for family, positions in sorted(families.items()) if positions}


def small_fields(stored: np.ndarray) -> np.ndarray:
    """Outline fields pooled to 12x12 in 0..1: enough to say whether two glyphs look the same."""
    blocks = stored[:, 0].reshape(len(stored), 12, 4, 12, 4).mean((2, 4), dtype=np.float32)
    return blocks.reshape(len(stored), -1) / 255


def distance_to_root(stored: np.ndarray, root: np.ndarray) -> np.ndarray:
    """For each glyph the root-mean-square distance to the nearest glyph of the root's training."""
    own, best = small_fields(stored), np.full(len(stored), np.inf, np.float32)
    for at in range(0, len(root), 20_000):
        other = root[at : at + 20_000]
        squares = (own**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * own @ other.T
        best = np.minimum(best, squares.min(1))
    return np.sqrt(np.maximum(best, 0) / own.shape[1])


def unseen_letters(letters: str, stored: np.ndarray, chars: np.ndarray, root: np.ndarray) -> str:
    """Letters that do not look like any character of the root, the most distinct ones first, in their own order."""
    near = distance_to_root(stored, root)
    median = {letter: float(np.median(near[chars == letter])) for letter in letters}
    kept = sorted(letters, key=lambda letter: -median[letter])[:MAX_CLASSES]
    return "".join(letter for letter in letters if letter in kept and median[letter] >= LOOK_ALIKE)


def pick_rows(count: int, letters: str, chars: np.ndarray, families: np.ndarray, allowed: list[str],
              rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Rows of glyphs, classes as even as can be, each image from a family drawn at random."""
    labels = rng.permutation(np.arange(count) % len(letters))
    rows = np.empty(count, np.int64)
    for at, label in enumerate(labels):
        rows[at] = rng.choice(np.flatnonzero((chars == letters[label]) & (families == rng.choice(allowed))))
    return rows, labels.astype(np.int64)


def images_of(stored: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """Light ink on dark, few grey levels so that the files stay small."""
    alpha = ink(torch.from_numpy(stored), DISTORTION, generator, SIDE)
    level = torch.round(alpha * (LEVELS - 1))
    return torch.round(level * (255 / (LEVELS - 1))).to(torch.uint8).numpy()


def make_task(name: str, fonts: list[FontFile], root: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    rng, generator = np.random.default_rng([seed, len(name)]), torch.Generator().manual_seed(seed)
    families = fonts_of(TASKS[name], fonts, rng)
    wanted = [position for positions in families.values() for position in positions]
    stored, keys = draw_all(fonts, dict.fromkeys(TASKS[name], wanted), workers=1)
    chars = np.array([char for _, char in keys])
    family = np.array([fonts[position].family for position, _ in keys])
    third = rng.permutation(len(stored))[: len(stored) // 3]  # enough of the fonts for the look-alike check
    letters = unseen_letters(TASKS[name], stored[third], chars[third], root)
    shuffled = [str(each) for each in rng.permutation(list(families))]
    tested = shuffled[: max(1, round(TEST_FAMILIES * len(shuffled)))]
    arrays = {"classes": np.array(list(letters))}
    for split, count in COUNTS.items():
        allowed = tested if split == "test" else [each for each in shuffled if each not in tested]
        rows, labels = pick_rows(count, letters, chars, family, allowed, rng)
        arrays[f"{split}_image"], arrays[f"{split}_label"] = images_of(stored[rows], generator), labels
    print(f"{name}: {len(letters)} of {len(TASKS[name])} letters; test {tested}; all {shuffled}", flush=True)
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("build/glyphs"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    fonts, root = gather(), np.load(args.cache / "glyphs.npy", mmap_mode="r")
    root = np.concatenate([small_fields(root[at : at + 20_000]) for at in range(0, len(root), 20_000)])
    for name, letters in TASKS.items():
        assert all(script_of(letter) == name.upper() for letter in letters), name
        np.savez_compressed(args.out / f"{name}.npz", **make_task(name, fonts, root, args.seed))


if __name__ == "__main__":
    main()
