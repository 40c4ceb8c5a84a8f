"""Records and manifests read from their files, with errors that name the file and say what to do."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from munet.errors import StoreError
from munet.fs.decoding import BYTES
from munet.fs.folders import StrangeFileError
from munet.fs.tree import Tree
from munet.store.known import Known
from munet.store.objects import is_id
from munet.store.records import DamagedFile, NewerError, RecordError, unseal
from munet.store.typed import wrong_type

_Read = TypeVar("_Read", bound=Mapping[str, Any])


class Record(dict[str, Any]):
    """A record that was read. Asked for a key that it lacks it says whose it is: other writers may leave some out."""

    path: Path

    def __missing__(self, key: str) -> Any:
        raise StoreError(f"{self.path} lacks '{key}', which is needed here: take it from a backup, or write it again")


def read_record(
    files: Tree, path: Path, schema: Any, models: Callable[[Any], list[str]], known: Known | None = None
) -> Record | None:
    """A sealed record, None where there is no file. `models` finds the ids of models in it. What is `known` has been
    checked with the same schema.

    Raises DamagedError, also where a value is not of the type that `schema` gives it and where an id is none, and
    StoreError for what may not be read.
    """
    try:
        data = files.read(path, BYTES + 1)
    except FileNotFoundError:
        return None
    except StrangeFileError as error:
        raise DamagedFile(path, str(error.strerror), files.base) from error
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}; have its owner run this") from error

    def check(data: bytes) -> Mapping[str, Any]:
        whole = unseal(data)
        fault = None if schema is None else wrong_type(whole, schema)
        if fault is not None:
            raise RecordError(f"is no such record: {fault}")
        return whole

    decode = check if known is None else partial(known.read, check=check)
    record = cast("Record", decoded(decode, data, path, files.base))
    for model in [] if schema is None else models(record):
        if not is_id(model):
            raise DamagedFile(path, f"names the model {model[:70]!r}, which is no id", files.base)
    return record


def decoded(decode: Callable[[bytes], _Read], data: bytes, path: Path, system: Path) -> _Read:
    """What `decode` makes of a file's bytes, as a Record. Raises DamagedError, and StoreError for a newer format."""
    try:
        record = Record(decode(data))
    except RecordError as error:
        raise DamagedFile(path, str(error), system) from error
    except NewerError as error:
        raise StoreError(f"{path} {error}", kind="newer-format") from error
    record.path = path
    return cast("_Read", record)
