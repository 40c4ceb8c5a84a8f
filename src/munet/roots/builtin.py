"""Roots that ship with the package: `builtin:glyphs`."""

from importlib.resources import as_file, files

from munet.errors import InputError, suggest
from munet.model.vit import ViTArchitecture
from munet.roots.files import read_safetensors
from munet.roots.root import Root, finish

# name -> architecture; the weights are assets/<name>/root.safetensors with timm's names
BUILTIN = {"glyphs": ViTArchitecture(patch_size=16, width=192, heads=3, mlp_hidden=768)}


def builtin_root(name: str, depth: int | None, image_size: int | None) -> Root:
    """A root of the package; half precision becomes fp32."""
    if name not in BUILTIN:
        raise InputError(
            f"no built-in root '{name}'{suggest(name, BUILTIN)}: there is {', '.join(BUILTIN)}", kind="unknown-root"
        )
    if image_size is not None:
        BUILTIN[name].check_image_size(image_size)
    asset = files("munet") / "assets" / name / "root.safetensors"
    if not asset.is_file():
        raise InputError(f"builtin:{name} is missing from this installation ({asset}): install munet again")
    from munet.model.state_dict import split_state_dict

    with as_file(asset) as path:
        layers = split_state_dict(read_safetensors(path))
    return finish(BUILTIN[name], layers, f"builtin:{name}", depth, image_size)
