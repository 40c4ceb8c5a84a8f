"""Names of timm's models, read from timm's source: importing it takes seconds, and a wrong name should not."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from munet.errors import InputError
from munet.roots.other_names import timm_name, why_not

_CUT = ("vit_", "deit")  # plain transformers, which a root can be
_LIKE = 0.8
_LISTED = "`python -c \"import timm; print(timm.list_models(['vit_*', 'deit*']))\"`"
_ENTRY = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)


def check_timm_name(name: str) -> None:
    """InputError for a name `model.tag` whose model timm's source does not know. timm itself checks the tag."""
    base = name.partition(".")[0]
    sources = _sources() if timm_name(name) is None else ("-",)  # vit_b_16 stands in a comment there
    word = re.compile(rf"\b{re.escape(base)}\b")
    if not sources or any(base in text and word.search(text) for text in sources):  # `in` is fifty times as fast
        return  # older names of models stand there too, in other forms than the newest ones
    if (meant := timm_name(name)) is not None:
        raise InputError(f"timm has no model '{name}' (did you mean '{meant}'?)", kind="unknown-root")
    raise unknown_model(base, [found for text in sources for found in _ENTRY.findall(text)])


def unknown_model(name: str, known: Iterable[str]) -> InputError:
    """That timm has no such model, and which of those that can be a root is like it."""
    if reason := why_not(name):
        return InputError(
            f"timm has no model '{name}', and such a model cannot be a root, for {reason}", kind="unknown-root"
        )
    near = max((_likeness(name, found), found) for found in ("", *known) if found.startswith(_CUT) or not found)
    hint = f" (did you mean '{near[1]}'?)" if near[0][0] >= _LIKE else f"; those that can be cut: {_LISTED}"
    return InputError(f"timm has no model '{name}'{hint}", kind="unknown-root")


def _likeness(name: str, found: str) -> tuple[float, bool, int]:
    """How much `name` is like the model `found` or its beginning; among equals the usual size and short names win."""
    ratio = max(SequenceMatcher(None, part, name).ratio() for part in (found, found[: len(name)]))
    if len(name) > 3 and name in found:
        ratio = max(ratio, _LIKE)
    return ratio, "patch16_224" in found, -len(found)


@cache
def _sources() -> tuple[str, ...]:
    """The source of timm's models; empty where it was installed without."""
    found = find_spec("timm")
    folders = found.submodule_search_locations if found else None
    files = [path for folder in folders or () for path in sorted((Path(folder) / "models").glob("*.py"))]
    return tuple(path.read_text(encoding="utf-8") for path in files)
