"""Roots: `timm:NAME`, `npz:FILE`, `random:NAME`, `builtin:glyphs`.

root.py         what a root is: depth, image size, whole fp32 tensors
names.py        names of timm's models, without importing timm; other_names.py what others call them
timm.py         timm: and random:
npz.py          npz:, the papers' AugReg checkpoints; flax_layers.py makes layers of their arrays
builtin.py      builtin:
files.py        weight files that users name; layouts.py tensors as other libraries name them
store_root.py   the root stored as the first model of a system
"""

from pathlib import Path

from munet.errors import InputError, suggest
from munet.roots.other_names import timm_name, why_not
from munet.roots.root import Root, check_depth

__all__ = ["SCHEMES", "Root", "load_root"]

SCHEMES = ("timm", "npz", "random", "builtin")


def load_root(
    spec: str,
    *,
    depth: int | None = None,
    image_size: int | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
) -> Root:
    """Load the root that `spec` names.

    `depth` caps the blocks, the lowest are kept; `image_size` is the side in pixels that models of the system start
    with, by default that of the pretraining; `weights` is a safetensors file for `timm:` without a network; `seed` is
    for `random:`. InputError for what does not exist, cannot be read or cannot be cut into layers.
    """
    scheme, colon, name = spec.partition(":")
    if not colon or not name or scheme not in SCHEMES:
        raise InputError(
            f"root '{spec}' is not one of timm:NAME, npz:FILE, random:NAME, builtin:glyphs{_guess(spec)}",
            kind="unknown-root",
        )
    if weights is not None and scheme != "timm":
        raise InputError(f"weights {weights} are for timm:NAME only, {spec} has its own")
    check_depth(depth, None, spec)
    if scheme == "npz":
        from munet.roots.npz import npz_root

        return npz_root(Path(name).expanduser(), depth, image_size)
    if scheme == "builtin":
        from munet.roots.builtin import builtin_root

        return builtin_root(name, depth, image_size)
    from munet.roots.timm import pretrained_root, random_root

    if scheme == "random":
        return random_root(name, depth, image_size, seed)
    return pretrained_root(name, depth, image_size, weights)


def _guess(spec: str) -> str:
    """What a spec without a known scheme may have meant."""
    scheme, colon, name = spec.partition(":")
    bare = spec.rstrip(":")
    if (known := timm_name(bare)) is not None:
        return f" (did you mean 'timm:{known}'?)"
    if colon and name:
        return suggest(scheme, SCHEMES)
    if bare.endswith((".safetensors", ".pth", ".pt", ".bin", ".ckpt")):
        return f" (say which model the weights are of: --root timm:NAME --weights {bare})"
    if reason := why_not(bare):
        return f"; such a model cannot be one, for {reason}"
    if bare == "glyphs":
        return " (did you mean 'builtin:glyphs'?)"
    if bare.endswith(".npz"):
        return f" (did you mean 'npz:{bare}'?)"
    return f" (did you mean 'timm:{bare}'?)" if bare.startswith(("vit_", "deit")) else suggest(bare, SCHEMES)
