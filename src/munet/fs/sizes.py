"""Sizes in bytes as people write them."""

import re

from munet.errors import InputError

# pydantic reads the beginning of a text and leaves the rest, so that 1,5GB would be one byte: the form is checked here
_FORM = re.compile(r"\d+(\.\d+)?\s*([KMGT]I?)?B?", re.IGNORECASE | re.ASCII)


def parse_size(word: str, origin: str) -> int:
    """Bytes of `2GB`, `512MB`, `1.5g` (thousands), `4GiB` (1024s) or a plain number.

    InputError for anything else; it begins with `origin`, which names where the value comes from.
    """
    from pydantic import ByteSize, TypeAdapter

    size = word.strip()
    if _FORM.fullmatch(size) is None:
        raise InputError(f"{origin}: give a size such as 2GB, 512MB or 0")
    if size.lower().endswith("i"):
        size += "B"  # pydantic knows GiB only
    return int(TypeAdapter(ByteSize).validate_python(size))
