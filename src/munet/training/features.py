"""A cache of activations, by what they are: one table for each place in a trie over fixed images.

A table has a row for every image of a split and fills as images come by, whoever asks first: another cycle, sibling,
generation or parent with the same layers below finds them there.

This is no `cachetools.LRUCache`: what the running session has touched may not go, so that where only such tables are
left a new one is refused, and what it would hold is computed when it is needed.
"""

from collections import OrderedDict

import numpy as np
import torch

from munet.training.images import gather


class Table:
    """Activations of up to `rows` images at one place: those computed so far."""

    def __init__(self, rows: int, like: torch.Tensor) -> None:
        self.values = torch.empty((rows, *like.shape[1:]), dtype=like.dtype, device=like.device)
        self._filled = np.zeros(rows, dtype=bool)  # on the CPU: asking must not wait for the device

    @property
    def nbytes(self) -> int:
        return self.values.nbytes

    def missing(self, indices: np.ndarray) -> np.ndarray:
        """Those of the indices that have no activations yet, each once, ascending."""
        return np.unique(indices[~self._filled[indices]])

    def write(self, indices: np.ndarray, values: torch.Tensor) -> None:
        """Fill rows."""
        self.values[torch.from_numpy(indices).to(self.values.device)] = values
        self._filled[indices] = True

    def read(self, indices: np.ndarray) -> torch.Tensor:
        """Activations of images that are all there."""
        return gather(self.values, indices)


class FeatureCache:
    """Tables within `budget` bytes. The least recently used goes when another is needed; never one of this session.

    A session is the training of one job group. Without that rule two siblings could push each other's tables out in
    turns. A table that does not fit is refused, and its activations are computed when they are needed.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._tables: OrderedDict[str, Table] = OrderedDict()
        self._session: set[str] = set()
        self.row_invariant: dict[tuple[object, ...], bool] = {}  # see `inputs.FixedInputs`

    @property
    def held(self) -> int:
        """Bytes in all tables."""
        return sum(table.nbytes for table in self._tables.values())

    def begin_session(self) -> None:
        """From here on older tables may go."""
        self._session.clear()

    def get(self, key: str) -> Table | None:
        """The table of a place, if there is one."""
        table = self._tables.get(key)
        if table is not None:
            self._tables.move_to_end(key)
            self._session.add(key)
        return table

    def make(self, key: str, rows: int, like: torch.Tensor) -> Table | None:
        """A table for a place, or None where there is no room. `like` (any count, ...) has the activations' shape."""
        size = rows * like[0].numel() * like.element_size()
        idle = [other for other in self._tables if other not in self._session]
        room = self.budget - self.held
        if size > room + sum(self._tables[other].nbytes for other in idle):
            return None
        for other in idle:
            if size <= room:
                break
            room += self._tables.pop(other).nbytes
        self._session.add(key)
        return self._tables.setdefault(key, Table(rows, like))
