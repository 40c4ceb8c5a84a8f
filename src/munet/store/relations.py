"""Relations between manifests, cached: the parent of each model, the layers that it needs.

A model's id is the hash of its manifest, so what was read of it once holds for ever, and no memory of it can be out
of date. Parents are also kept in a file, `.lineage`, for the next process: the ancestors of all retained models are
as many as models were ever kept, and reading all their manifests again, only to find their parents, would take most of
a collection. The file is a cache with a checksum. Without it, or when it is damaged, the manifests are read.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from munet.errors import StoreError
from munet.fs.tree import Tree
from munet.store.manifests import layers_of, parent_of
from munet.store.records import DamagedFile
from munet.store.schema import Manifest

FILE = ".lineage"
_MAGIC = b"munet-lineage-1\n"
_ID = 32  # bytes of an id; a root's parent is written as zeros
_PARENTS = 500_000  # remembered at most, about 120 MB
_LAYERS = 400_000  # ids in remembered models at most, about 50 MB
_UNSAVED = 256  # parents that may be missing in the file: reading as many manifests takes some ten milliseconds


@dataclass(frozen=True, slots=True)
class Parts:
    """Ids of what a model is made of: the layers of its slots, and what is kept beside them for training on."""

    layers: tuple[str, ...]
    others: tuple[str, ...]


class Facts:
    """The relations of a store's models. `read` gives a verified manifest by id; what it raises passes."""

    def __init__(self, folder: Path, read: Callable[[str], Manifest]) -> None:
        self._files = Tree(folder)
        self._path = folder / FILE
        self._read = read
        self._parents: dict[str, str | None] = {}
        self._parts: dict[str, Parts] = {}
        self._held = 0  # ids in self._parts
        self._saved: int | None = None  # parents in the file; None until it was looked at

    def parent(self, model: str) -> str | None:
        """Id of a model's parent, None for a root."""
        if model not in self._parents and self._saved is None:
            self._load()
        if model not in self._parents:
            self.learn(model, self._read(model))
        return self._parents[model]

    def parts(self, model: str) -> Parts:
        """Ids of a model's layers."""
        found = self._parts.get(model)
        if found is None:
            manifest = self._read(model)
            self.learn(model, manifest)
            layers = tuple(sys.intern(layer) for layer in manifest["layers"].values())
            every = tuple(sys.intern(layer) for _, layer in layers_of(manifest))
            found = Parts(layers, every[len(layers) :])
            if self._held + len(every) > _LAYERS:
                self._parts.clear()
                self._held = 0
            self._parts[model] = found
            self._held += len(every)
        return found

    def learn(self, model: str, manifest: Manifest) -> None:
        """Take down the parent in a manifest that is verified and at hand."""
        if len(self._parents) >= _PARENTS:
            self._parents.clear()
        parent = parent_of(manifest)
        self._parents[sys.intern(model)] = None if parent is None else sys.intern(parent)

    def ancestors(self, models: Iterable[str]) -> set[str]:
        """The models that any of `models` descends from; one of these is among them if another descends from it."""
        found: set[str] = set()
        for model in models:
            ancestor = self.parent(model)
            while ancestor is not None and ancestor not in found:
                found.add(ancestor)
                ancestor = self.parent(ancestor)
        return found

    def damaged(self, reason: str) -> DamagedFile:
        """What to raise where the file of parents cannot be true."""
        return DamagedFile(self._path, reason, self._path.parent)

    def save(self, models: Iterable[str]) -> None:
        """Write the parents of `models`, the only ones worth remembering, if many of them are not in the file yet."""
        known = {model: self._parents[model] for model in models if model in self._parents}
        if self._saved is None:
            self._load()
        if abs(len(known) - (self._saved or 0)) <= _UNSAVED:
            return
        pairs = [bytes.fromhex(model) + bytes.fromhex(parent or "00" * _ID) for model, parent in known.items()]
        body = _MAGIC + b"".join(sorted(pairs))
        with suppress(StoreError):  # what is only a cache must not fail anything: the next collection reads more
            self._files.write(self._path, body + hashlib.sha256(body).digest())
            self._saved = len(pairs)

    def _load(self) -> None:
        self._saved = 0
        try:
            data = self._files.read(self._path)
        except OSError:  # mostly there is none yet; any other trouble has the same cure
            return
        body = data[:-_ID]
        if not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[-_ID:]:
            return
        text = body[len(_MAGIC) :].hex()
        none, step = "00" * _ID, 4 * _ID
        for start in range(0, len(text), step)[:_PARENTS]:
            parent = text[start + 2 * _ID : start + step]
            # What was read from a manifest in the meantime says the same.
            self._parents[sys.intern(text[start : start + 2 * _ID])] = None if parent == none else sys.intern(parent)
        self._saved = len(text) // step
