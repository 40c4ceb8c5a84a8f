"""What is packed in a file, no more of it than the file deserves: few bytes can claim to hold gigabytes."""

import gzip
import stat
import zlib
from pathlib import Path

from munet.errors import InputError

_SMALL = 256 << 20  # bytes that any file may expand to;
_DENSE = 100  # a larger one to this many times its size: pictures never compress so well, zeros do a thousandfold


def refuse_bomb(what: str, packed: int, unpacked: int) -> None:
    """InputError where a few bytes claim to hold very many."""
    if unpacked > _SMALL and unpacked > _DENSE * max(packed, 1):
        raise InputError(
            f"{what}: {packed:,} bytes that unpack to {unpacked:,} are no images, but a trap or all the same value: "
            "it was not unpacked; if it is right, store it uncompressed (numpy.savez)"
        )


def read_unpacked(file: Path) -> bytes:
    """The content of a file, unpacked if it is gzipped. InputError where it is damaged, or unpacks to far too much."""

    def read() -> bytes:
        mode, packed = file.stat().st_mode, file.stat().st_size
        if not stat.S_ISREG(mode):
            kind = "folder" if stat.S_ISDIR(mode) else "pipe or device"
            raise InputError(f"{file}: cannot be read: it is a {kind}, no file")
        with file.open("rb") as plain:
            if plain.read(2) != b"\x1f\x8b":
                plain.seek(0)
                return plain.read()
        with gzip.open(file) as stream:
            most = max(_SMALL, _DENSE * packed)
            content = stream.read(most + 1)
        refuse_bomb(str(file), packed, len(content))
        return content

    try:
        return read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged or truncated ({error})") from error
    except FileNotFoundError as error:
        raise InputError(f"{file}: there is no such file", kind="missing-file") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
