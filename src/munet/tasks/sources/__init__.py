"""Where images come from. An address is `scheme:location`, for instance `folder:flowers` or `npz:digits.npz`.

    tfds.py          data that TensorFlow Datasets prepared, read without TensorFlow
    arrays/          `npz:`, `idx:` and `cifar:`, arrays of images and labels
    folder/          one sub-folder of image files per class
    huggingface/     `hf:`, the hub, Parquet files and what `datasets` saved
    table/           `csv:`, tables of file names and labels
    webdataset/      `wds:`, tar files of images and labels
    fetching.py      what lies in object stores and on web servers, copied to the cache folder
    walk.py          files below a folder
    others.py        which source reads the files of a folder that another cannot
    unpacking.py     what is packed in a file, within bounds
    numbering.py     class numbers for labels of any kind
    missing.py       words that say there is no label
    split_column.py  a column that says which split each row is of
    view.py          the classes of a source in a task's order, or without rare ones
    by_class.py      an order that is fair to every class
    base.py          what they have in common

Nothing heavy is imported before a source is opened.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from munet.tasks.sources.base import Source

_SCHEMES = {
    "folder": ("munet.tasks.sources.folder.source", "FolderSource"),
    "npz": ("munet.tasks.sources.arrays.npz", "NpzSource"),
    "csv": ("munet.tasks.sources.table.source", "TableSource"),
    "hf": ("munet.tasks.sources.huggingface.source", "HuggingFaceSource"),
    "tfds": ("munet.tasks.sources.tfds", "TfdsSource"),
    "idx": ("munet.tasks.sources.arrays.idx", "IdxSource"),
    "cifar": ("munet.tasks.sources.arrays.cifar", "CifarSource"),
    "wds": ("munet.tasks.sources.webdataset.samples", "WebDatasetSource"),
}


def scheme_of(address: str) -> str:
    """The scheme that an address begins with; empty for a path alone."""
    scheme, colon, _ = address.partition(":")
    return scheme if colon and scheme in _SCHEMES else ""


def open_source(address: str, progress: Callable[[int, int], None] | None = None) -> "Source":
    """The source that `address` names; InputError where the scheme, an option or the data cannot be used.

    Of what has to be copied first `progress` gets the megabytes done, and in all.
    """
    scheme, colon, location = address.partition(":")
    known = ", ".join(f"{name}:" for name in _SCHEMES)
    if not colon or scheme not in _SCHEMES:
        hint = suggest(scheme, _SCHEMES) if colon else f" (did you mean 'folder:{address}'?)"
        raise InputError(f"unknown data source '{address}'{hint}: it starts with one of {known}")
    from munet.tasks.sources.base import split_address
    from munet.tasks.sources.view import LEAST, without_rare

    module, name = _SCHEMES[scheme]
    kind: type[Source] = getattr(import_module(module), name)
    location, options = split_address(location)
    if not location:
        raise InputError(f"'{address}' says not where the data is: write {scheme}:LOCATION")
    known_options = (*kind.options_known, LEAST)
    for option in options:
        if option not in known_options:
            hint = suggest(option, known_options)
            raise InputError(f"'{address}': unknown option '{option}'{hint}: {', '.join(known_options)}")
    try:
        source = _opened(kind, location, options, progress)
        return without_rare(source, options[LEAST]) if LEAST in options else source
    except OSError as error:  # no permission on the way there, a name that is too long, a broken disk
        raise InputError(f"{error.filename or address}: cannot be read: {error.strerror or error}") from error


def _opened(
    kind: "type[Source]", location: str, options: dict[str, str], progress: Callable[[int, int], None] | None
) -> "Source":
    """The source at a location, through a copy where that is in a store."""
    if "://" not in location:
        return kind(location, options)
    from munet.tasks.sources.fetching import fetch, is_remote, seen_from

    if not is_remote(location):
        return kind(location, options)
    if is_remote(options.get("root", "")):
        options = {**options, "root": seen_from(location, options["root"])}
    folder, path = fetch(location, kind.scheme, options, progress)
    above = location.rpartition("/")[0] if path != folder else location.rstrip("/")
    try:
        source = kind(str(path), options)
    except InputError as error:
        raise InputError(str(error).replace(str(folder), above), kind=error.kind) from error
    source.location, source.called = location, (str(folder), above)
    return source
