"""Names of timm's models, read from timm's source: importing it takes seconds, and a wrong name should not."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from munet.errors import InputError, suggest
from munet.roots.other_names import timm_name

_ENTRY = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)


def check_timm_name(name: str) -> None:
    """InputError for a name `model.tag` whose model timm's source does not know. timm itself checks the tag."""
    base = name.partition(".")[0]
    sources = _sources() if timm_name(name) is None else ("-",)  # vit_b_16 stands in a comment there
    if not sources or any(re.search(rf"\b{re.escape(base)}\b", text) for text in sources):
        return  # older names of models stand there too, in other forms than the newest ones
    if (meant := timm_name(name)) is not None:
        raise InputError(f"timm has no model '{name}' (did you mean '{meant}'?)", kind="unknown-root")
    known = [found for text in sources for found in _ENTRY.findall(text)]
    raise InputError(f"timm has no model '{base}'{suggest(base, known)}", kind="unknown-root")


@cache
def _sources() -> tuple[str, ...]:
    """The source of timm's models; empty where it was installed without."""
    found = find_spec("timm")
    folders = found.submodule_search_locations if found else None
    files = [path for folder in folders or () for path in sorted((Path(folder) / "models").glob("*.py"))]
    return tuple(path.read_text(encoding="utf-8") for path in files)
