"""Parents for the tests of the search."""

from collections.abc import Callable

import pytest

from munet.search import Parent


def _parent(
    num_blocks: int = 3, adapters: tuple[int, ...] = (), *, unlocked: tuple[str, ...] = (), root: bool = False, **values
) -> Parent:
    slots = ["embedding", "cls", "posembed"]
    for k in range(num_blocks):
        slots += [f"adapter.{k}", f"block.{k}"] if k in adapters else [f"block.{k}"]
    slots += ["norm"] if root else ["norm", "head"]
    probabilities = values.pop("mutation_probabilities", {})
    hyperparameters = {"image_size": 32, **({"adapter_dim": 32} if adapters else {}), **values}
    return Parent(
        id="parent",
        task=None if root else "mnist",
        hyperparameters=hyperparameters,
        mutation_probabilities=probabilities,
        num_blocks=num_blocks,
        adapters=frozenset(adapters),
        locked=frozenset(slots) - set(unlocked),
        slots=tuple(slots),
    )


@pytest.fixture(scope="session")
def make_parent() -> Callable[..., Parent]:
    """make_parent(num_blocks, adapters, unlocked=slots, root=False, mutation_probabilities={}, **hyperparameters)"""
    return _parent
