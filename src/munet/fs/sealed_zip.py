"""Zip archives that carry their SHA-256 in the comment at their end: PyTorch and numpy read them as any other.

The checksum is that of all before the comment, with the length of the comment taken as zero: of the archive as it was.
"""

import hashlib
import re

_END = b"PK\x05\x06"
_END_SIZE = 22  # bytes of the end of an archive without a comment
_COMMENT = re.compile(rb"munet-sha256:([0-9a-f]{64})\Z")
_COMMENT_SIZE = 77


class SealError(ValueError):
    """An archive is not what it was."""


def seal_zip(data: bytes) -> bytes:
    """The same archive with its checksum. ValueError for bytes that do not end as an archive without a comment."""
    if data[-_END_SIZE : -_END_SIZE + 4] != _END or data[-2:] != b"\0\0":
        raise ValueError("these bytes are no zip archive, or one that has a comment already")
    comment = b"munet-sha256:" + hashlib.sha256(data).hexdigest().encode()
    return data[:-2] + len(comment).to_bytes(2, "little") + comment


def check_zip(data: bytes) -> bool:
    """Whether an archive carries its checksum. SealError where it does and is another one."""
    match = _COMMENT.search(data, max(0, len(data) - _COMMENT_SIZE))
    if match is None:
        return False
    if hashlib.sha256(data[: match.start() - 2] + b"\0\0").hexdigest() != match[1].decode():
        raise SealError("it does not match the checksum inside it")
    if int.from_bytes(data[match.start() - 2 : match.start()], "little") != _COMMENT_SIZE:
        raise SealError("its end is garbled")
    return True
