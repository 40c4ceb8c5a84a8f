"""Networks that begin alike, as a tree: what they share is computed once for a batch.

A node is a stage behind all the stages before it, and its key names that whole path by content. Paths with equal keys
are the same function of their input, whoever they belong to: siblings in training, tasks in evaluation.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

Function = Callable[[torch.Tensor], torch.Tensor]
Step = tuple[str, Function]  # what the stage is, by content, and what it does


@dataclass(frozen=True, eq=False)
class Node:
    """A place in a trie. The root stands for the images themselves."""

    key: str
    parent: "Node | None" = None
    step: Function | None = None
    depth: int = 0

    def path(self) -> "list[Node]":
        """From the root to here."""
        return [*(self.parent.path() if self.parent else []), self]


class Trie:
    """The tree over inputs that `key` names by content."""

    def __init__(self, key: str) -> None:
        self.root = Node(key)
        self._nodes: dict[str, Node] = {}

    def add(self, steps: Iterable[Step]) -> Node:
        """The node at the end of a path; what it has in common with earlier paths is theirs."""
        node = self.root
        for name, function in steps:
            key = hashlib.sha256(f"{node.key}\n{name}".encode()).hexdigest()
            node = self._nodes.setdefault(key, Node(key, node, function, node.depth + 1))
        return node


@dataclass(frozen=True)
class Target:
    """Where activations are wanted, and for which rows of the batch, ascending; None: for all of them."""

    node: Node
    rows: torch.Tensor | None = None


@torch.no_grad()
def walk(
    targets: Sequence[Target],
    inputs: Callable[[], torch.Tensor],
    known: Callable[[Node], torch.Tensor | None] = lambda node: None,
    apply: Callable[[Function, torch.Tensor], torch.Tensor] = lambda step, x: step(x),
) -> list[torch.Tensor]:
    """Activations of one batch at each target, every node computed once, for the rows that lie behind it.

    `inputs` gives the batch and is called at most once; `known` may give a node's activations for the whole batch;
    `apply` runs a stage. Activations that no stage needs any more are freed on the way.
    """
    return _Walk(targets, inputs, known, apply).run()


class _Walk:
    def __init__(
        self,
        targets: Sequence[Target],
        inputs: Callable[[], torch.Tensor],
        known: Callable[[Node], torch.Tensor | None],
        apply: Callable[[Function, torch.Tensor], torch.Tensor],
    ) -> None:
        self.targets = targets
        self.inputs = inputs
        self.known = known
        self.apply = apply
        self.values: dict[str, torch.Tensor] = {}
        nodes = {node.key: node for target in targets for node in target.node.path()}
        self.readers = Counter(target.node.key for target in targets)
        self.readers.update(node.parent.key for node in nodes.values() if node.parent)
        self.rows = self._rows()

    def _rows(self) -> dict[str, torch.Tensor | None]:
        """Node -> the rows that any target behind it wants."""
        wanted: dict[str, list[torch.Tensor | None]] = {}
        for target in self.targets:
            for node in target.node.path():
                wanted.setdefault(node.key, []).append(target.rows)
        return {key: _union(rows) for key, rows in wanted.items()}

    def run(self) -> list[torch.Tensor]:
        return [self._select(self._value(t.node), self.rows[t.node.key], t.rows) for t in self.targets]

    def _value(self, node: Node) -> torch.Tensor:
        key = node.key
        if key not in self.values:
            self.values[key] = self._compute(node)
        self.readers[key] -= 1
        return self.values[key] if self.readers[key] else self.values.pop(key)

    def _compute(self, node: Node) -> torch.Tensor:
        known = self.known(node)
        if known is not None:
            return self._select(known, None, self.rows[node.key])
        if node.parent is None or node.step is None:
            return self._select(self.inputs(), None, self.rows[node.key])
        above = self._value(node.parent)
        return self.apply(node.step, self._select(above, self.rows[node.parent.key], self.rows[node.key]))

    def _select(self, x: torch.Tensor, have: torch.Tensor | None, want: torch.Tensor | None) -> torch.Tensor:
        """The rows `want` of the batch out of the rows `have` of it."""
        if want is None or (have is not None and len(have) == len(want)):
            return x
        return x[want if have is None else torch.searchsorted(have, want)]


def _union(rows: list[torch.Tensor | None]) -> torch.Tensor | None:
    given = [r for r in rows if r is not None]
    if len(given) < len(rows):
        return None
    return given[0] if len(given) == 1 else torch.cat(given).unique()
