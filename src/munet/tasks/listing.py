"""The listing of a split: what each of its images is, by content and label. Its SHA-256 is the split's fingerprint.

For each example, in order: the SHA-256 of its content (32 bytes) and its label (8 bytes, little endian).
"""

import hashlib
from collections.abc import Iterator

_CONTENT, _LABEL = 32, 8


def entry(content: bytes, label: int) -> bytes:
    """What an example adds to the listing. `content`: the hash of what is stored."""
    return content + int(label).to_bytes(_LABEL, "little", signed=True)


def entries(listing: bytes) -> Iterator[tuple[bytes, int]]:
    """(hash of the content, label) of each example."""
    size = _CONTENT + _LABEL
    for start in range(0, len(listing), size):
        stop = start + _CONTENT
        yield listing[start:stop], int.from_bytes(listing[stop : start + size], "little", signed=True)


def fingerprint_of(listing: bytes) -> str:
    """The fingerprint of a split, as its record has it."""
    return f"sha256:{hashlib.sha256(listing).hexdigest()}"
