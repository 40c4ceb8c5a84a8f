"""What the trainable part of a network reads: images without randomness, at any place of a trie.

Their activations below the lowest trainable layer never change, so they are computed once and kept while there is
room. Batches are computed in chunks of one fixed shape, whatever was asked for: the shape of a matrix product may
change how it is rounded, and a result must not depend on what happened to be kept.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from munet.training.features import FeatureCache, Table
from munet.training.images import ImageSet
from munet.training.memory import Parts
from munet.training.preprocessing import Preprocessing, prepare
from munet.training.trie import Node, Target, Trie, walk

_CHUNK_PIXELS = 128 * 64 * 64


def chunk_rows(image_size: int, device: torch.device | str) -> int:
    """Images that a frozen prefix computes at once: a power of two, fewer for large images, more on a GPU."""
    most = 128 if torch.device(device).type == "cpu" else 1024
    scale = most // 128
    return max(8, 2 ** int(np.log2(min(most, scale * _CHUNK_PIXELS / image_size**2))))


class FixedInputs:
    """A split, resized and normalised, and its activations at the nodes of a trie.

    `name` says by content what the images are; `kind` what network family computes on them, for the check below.
    With `cache` None nothing is cached.

    Keeping single rows is only right where a row's result does not depend on the rows beside it. Matrix products do
    not promise that, so it is tried on each kind of network once, bit for bit; where it does not hold, only `read`s
    of the same rows would give the same numbers, and nothing is kept unless `in_order` says that rows always come in
    that one order.
    """

    def __init__(
        self,
        data: ImageSet,
        pre: Preprocessing,
        *,
        name: str,
        cache: FeatureCache | None,
        parts: Parts,
        kind: str = "",
        in_order: bool = False,
    ) -> None:
        self._data, self._pre, self._cache, self._parts = data, pre, cache, parts
        self._kind, self._in_order = kind, in_order
        self.image_size = pre.image_size
        self.trie = Trie(f"{name} {pre.image_size} {pre.mean} {pre.std}")
        self._refused: set[Node] = set()
        enough = 2 ** (len(data) - 1).bit_length()
        self.chunk = min(chunk_rows(pre.image_size, data.device), enough)

    def __len__(self) -> int:
        return len(self._data)

    def read(self, indices: np.ndarray, nodes: Sequence[Node]) -> list[torch.Tensor]:
        """Activations of some images (N,) at each node, (N, ...), on the data's device."""
        deep = [node for node in nodes if node.parent is not None]
        values = dict(zip((node.key for node in deep), self._read(indices, deep), strict=True))
        if len(deep) < len(nodes):
            values[self.trie.root.key] = self._images(indices)
        return [values[node.key] for node in nodes]

    def _read(self, indices: np.ndarray, nodes: Sequence[Node]) -> list[torch.Tensor]:
        tables = {node: table for node in nodes if (table := self._table(node, indices)) is not None}
        missing = [table.missing(indices) for table in tables.values()]
        if any(len(rows) for rows in missing):
            self._fill(tables, np.unique(np.concatenate(missing)))
        anew = [node for node in nodes if node not in tables]
        computed = dict(zip(anew, self._compute(indices, anew), strict=True))
        return [tables[node].read(indices) if node in tables else computed[node] for node in nodes]

    def _images(self, indices: np.ndarray) -> torch.Tensor:
        return prepare(self._data.rows(indices), self._pre)

    def _chunks(self, indices: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """(indices, how many of them count): the last chunk is filled up with its last image."""
        starts = range(0, len(indices), self.chunk)
        chunks = [indices[start : start + self.chunk] for start in starts]
        return [(np.pad(rows, (0, self.chunk - len(rows)), mode="edge"), len(rows)) for rows in chunks]

    def _compute(self, indices: np.ndarray, nodes: Sequence[Node]) -> list[torch.Tensor]:
        if not nodes:
            return []
        results: list[list[torch.Tensor]] = [[] for _ in nodes]
        for rows, count in self._chunks(indices):
            for result, values in zip(results, self._chunk_at(rows, nodes), strict=True):
                result.append(values[:count])
        return [result[0] if len(result) == 1 else torch.cat(result) for result in results]

    def _fill(self, tables: Mapping[Node, Table], indices: np.ndarray) -> None:
        for rows, count in self._chunks(indices):
            found = self._chunk_at(rows, list(tables))
            for table, values in zip(tables.values(), found, strict=True):
                if len(table.missing(rows)):  # else the values may be a view of the table itself
                    table.write(rows[:count], values[:count])

    def _chunk_at(self, rows: np.ndarray, nodes: Sequence[Node]) -> list[torch.Tensor]:
        targets = [Target(node) for node in nodes]
        return walk(targets, lambda: self._images(rows), self._known(rows), self._parts)

    def _known(self, rows: np.ndarray) -> Callable[[Node], torch.Tensor | None]:
        """Activations that some table holds for all of a chunk: a longer path goes on from there."""

        def known(node: Node) -> torch.Tensor | None:
            table = self._cache.get(node.key) if self._cache and node.parent else None
            return table.read(rows) if table is not None and not len(table.missing(rows)) else None

        return known

    def _table(self, node: Node, indices: np.ndarray) -> Table | None:
        """The table of a node, begun with the first of the images that are wanted; None if it may not be kept."""
        cache = self._cache
        if cache is None or node in self._refused:
            return None
        table = cache.get(node.key)
        if table is None and (self._in_order or self._is_row_invariant(cache, node)):
            rows, count = self._chunks(indices[: self.chunk])[0]
            values = self._chunk_at(rows, [node])[0]
            table = cache.make(node.key, len(self), values)
            if table is not None:
                table.write(rows[:count], values[:count])
        if table is None:
            self._refused.add(node)
        return table

    def _is_row_invariant(self, cache: FeatureCache, node: Node) -> bool:
        """Whether a chunk in another order gives the same bits."""
        trial = (self._kind, self._pre.image_size, node.depth, torch.get_num_threads())
        if trial not in cache.row_invariant:
            rows = self._chunks(np.arange(min(len(self._data), self.chunk)))[0][0]
            turned = np.roll(rows[::-1], self.chunk // 3)
            straight, other = (self._chunk_at(order, [node])[0] for order in (rows, turned))
            cache.row_invariant[trial] = bool(torch.equal(straight, other.roll(-(self.chunk // 3), 0).flip(0)))
        return cache.row_invariant[trial]
