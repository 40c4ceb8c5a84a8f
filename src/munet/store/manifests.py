"""What a model manifest refers to. The rest of it is for others to read; the store keeps it as it is."""

import hashlib
from collections.abc import Iterator
from typing import cast

from munet.errors import InputError
from munet.store.objects import is_id
from munet.store.records import FORMAT, RecordError, canonical, parse
from munet.store.schema import Manifest, NativePosembed, RootOrigin
from munet.store.typed import wrong_type


def id_of_manifest(data: bytes) -> str:
    """A model's id: the SHA-256 of its file, which holds canonical JSON and nothing else."""
    return hashlib.sha256(data).hexdigest()


def encode(manifest: Manifest) -> bytes:
    """A manifest's file. Raises InputError when it lacks what the store needs or holds what JSON cannot."""
    if manifest.get("format") != FORMAT:
        raise InputError(f"a model manifest takes 'format': {FORMAT}, not {manifest.get('format')!r}")
    data = canonical(manifest, "the model manifest")
    _check(manifest)
    return data


def decode(data: bytes) -> Manifest:
    """Inverse of `encode`. Raises RecordError, or NewerError for a manifest of a newer munet."""
    manifest = cast("Manifest", parse(data))
    try:
        _check(manifest)
    except InputError as error:
        raise RecordError(f"is no model manifest: {error}") from error
    return manifest


def layers_of(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(what it is, layer id) of everything that a model needs to be loaded, inherited and trained on."""
    for part in ("layers", "momentum"):
        for slot, id in (manifest.get(part) or {}).items():
            yield f"{part} of {slot}", id
    root = manifest.get("root")
    native = root.get("native_posembed") if root else None
    if native is not None:
        yield "native position embedding", native["layer"]


def parent_of(manifest: Manifest) -> str | None:
    """Id of the model it was sampled from; None for a root."""
    return manifest.get("parent")


def origin_of(root: Manifest) -> RootOrigin:
    """Where the weights of a root come from. InputError for a model that is no root."""
    origin = root.get("root")
    if origin is None:
        raise InputError(f"the model of task {root['task']!r} is no root")
    return origin


def native_posembed_of(root: Manifest) -> NativePosembed:
    """The position embeddings of a vision transformer's root, before they were resized. InputError without any."""
    native = origin_of(root).get("native_posembed")
    if native is None:
        raise InputError("the root has no position embeddings: its models are no vision transformers")
    return native


def _check(manifest: Manifest) -> None:
    if not isinstance(manifest.get("layers"), dict):
        raise InputError("'layers' should map slots to layer ids")
    try:
        references = list(layers_of(manifest))
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"'momentum' or 'root' has a wrong shape ({error!r})") from error
    for what, id in references:
        if not is_id(id):
            raise InputError(f"{what} should be a layer id, not {id!r}")
    parent = parent_of(manifest)
    if parent is not None and not is_id(parent):
        raise InputError(f"'parent' should be a model id or null, not {parent!r}")
    fault = wrong_type(manifest, Manifest)
    if fault is not None:
        raise InputError(fault)
