"""Opening what the `datasets` library reads; every way in which that fails as one line."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.hub import patient
from munet.tasks.sources.table.read import FORMATS, PARQUET, suffix_of
from munet.tasks.sources.walk import is_packed

if TYPE_CHECKING:
    import datasets

_PARQUET = b"PAR1"


def load(path: Path | None, name: str, revision: str | None, address: str) -> Mapping[Any, "datasets.Dataset"]:
    """Splits by name; every way in which `datasets` fails becomes one line."""
    import datasets

    shown, verbosity = datasets.utils.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # what fails is one line, and it is ours
    try:
        loaded = _load_local(path) if path else _load_hub(name, revision)
    except InputError:
        raise
    except Exception as error:  # `datasets` raises types of its own and of all it builds on
        raise InputError(_explain(error, address)) from error
    finally:
        datasets.logging.set_verbosity(verbosity)
        if not shown:
            datasets.enable_progress_bars()
    return {"train": loaded} if isinstance(loaded, datasets.Dataset) else loaded


def _load_local(path: Path) -> Any:
    import datasets

    if path.is_file():
        refuse_other_file(path)
        return datasets.load_dataset("parquet", data_files=str(path))
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return datasets.load_from_disk(str(path))
    return datasets.load_dataset(str(path))


def refuse_other_file(path: Path) -> None:
    """InputError where a file is no Parquet file, with what reads it."""
    try:
        with path.open("rb") as file:
            if file.read(len(_PARQUET)) == _PARQUET:
                return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    name = path.name.lower()
    way_out = "hf: reads Parquet files, folders of them, and what save_to_disk wrote"
    if name.endswith(".tar"):
        way_out = f"wds:{path} reads shards; else unpack it, and folder:DIR reads folders of images"
    elif is_packed(name) and suffix_of(path) not in FORMATS:
        way_out = "unpack it, and folder:DIR reads folders of images, csv:FILE a table, hf:DIR Parquet files"
    elif suffix_of(path) in FORMATS and suffix_of(path) not in PARQUET:
        way_out = f"csv:{path} reads it as a table"
    elif name.endswith((".npz", ".npy")):
        way_out = f"npz:{path} reads it"
    raise InputError(f"{path}: this is no Parquet file: {way_out}")


def _load_hub(name: str, revision: str | None) -> Any:
    import datasets

    repository, _, config = name.partition(":")
    with patient():
        return datasets.load_dataset(repository, config or None, revision=revision)


def _explain(error: Exception, address: str) -> str:
    reason = " ".join(str(error).split())
    if "scripts are no longer supported" in reason:
        return (
            f"{address}: this is a dataset script, which is code and is never run: use its Parquet files "
            "(often in the branch of '?revision=refs/convert/parquet'), or convert it with "
            "'datasets-cli convert_to_parquet' of datasets < 4"
        )
    if isinstance(error, ConnectionError):
        return f"{address}: the hub cannot be reached and the data is not in the local cache ({reason[:120]})"
    return f"{address}: cannot be read: {reason[:300] or type(error).__name__}"
