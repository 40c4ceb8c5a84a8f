"""Records and manifests read from their files, with errors that name the file and say what to do."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from munet.errors import StoreError
from munet.fs.folders import StrangeFileError
from munet.fs.tree import Tree
from munet.store.records import DamagedFile, NewerError, RecordError, unseal

_Read = TypeVar("_Read", bound=Mapping[str, Any])


def read_record(files: Tree, path: Path) -> dict[str, Any] | None:
    """A sealed record, None where there is no file. Raises DamagedError, and StoreError for what may not be read."""
    try:
        data = files.read(path)
    except FileNotFoundError:
        return None
    except StrangeFileError as error:
        raise DamagedFile(path, str(error.strerror), files.base) from error
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}; have its owner run this") from error
    return decoded(unseal, data, path, files.base)


def decoded(decode: Callable[[bytes], _Read], data: bytes, path: Path, system: Path) -> _Read:
    """What `decode` makes of a file's bytes. Raises DamagedError, and StoreError for a newer format."""
    try:
        return decode(data)
    except RecordError as error:
        raise DamagedFile(path, str(error), system) from error
    except NewerError as error:
        raise StoreError(f"{path} {error}", kind="newer-format") from error
