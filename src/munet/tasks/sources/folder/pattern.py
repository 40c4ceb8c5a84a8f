"""`?pattern=`: the class, and perhaps the split, from the name of each image file, or from its path below the folder.

A pattern is written as the names are: `{class}_*.jpg`. One that holds a slash is written as the paths are:
`{split}/*/{class}-*`. `{class}` and `{split}` stand for what is wanted, as long as they can be (of `great_dane_12.jpg`
`{class}_*` takes great_dane), `*` for anything up to a slash, `**` for anything; the suffix need not be written (of
`cat.12.jpg` `{class}.*` takes cat). One that holds `(?P<class>` is a regular expression, looked for anywhere in the
name or path.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from munet.errors import InputError

_TOKENS = re.compile(r"\{class\}|\{split\}|\*\*|\*|[^{*]+|.", re.DOTALL)
_MEANING = {"{class}": "(?P<class>[^/]+)", "{split}": "(?P<split>[^/]+)", "**": ".*", "*": "[^/]*?"}


@dataclass(frozen=True)
class Pattern:
    """A regular expression with the group `class`, perhaps `split`, for paths or, without a slash, for names; where the
    suffix is free, names without it are tried first."""

    expression: re.Pattern[str]
    of_paths: bool
    suffix_is_free: bool = False

    def read(self, path: Path, root: Path) -> tuple[str, str] | None:
        """Class and split of a file ("" for a pattern without splits), or None where it is called otherwise."""
        text = "/".join(path.relative_to(root).parts) if self.of_paths else path.name
        bare = text.removesuffix(path.suffix)
        match = (self.suffix_is_free and self.expression.search(bare)) or self.expression.search(text)
        if match is None or not match["class"]:
            return None
        return match["class"], (match["split"] or "") if "split" in self.expression.groupindex else ""


def compile_pattern(text: str) -> Pattern:
    """The pattern that `text` means; InputError where it means none."""
    if "(?P<class>" in text:
        try:
            return Pattern(re.compile(text), "/" in text)
        except re.error as error:
            raise InputError(f"pattern={text}: not a regular expression ({error})") from error
    if text.count("{class}") != 1 or text.count("{split}") > 1:
        raise InputError(f"pattern={text}: must hold {{class}} once, as in pattern={{class}}_*")
    tokens: list[str] = _TOKENS.findall(text)
    parts = [_MEANING.get(token) or re.escape(token) for token in tokens]
    whole = f"\\A{''.join(parts)}(?:\\.[^./]+)?\\Z"
    return Pattern(re.compile(whole, re.DOTALL), "/" in text, suffix_is_free=True)
