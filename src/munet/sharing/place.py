"""Where a system lies, as those see it who exchange with it: objects that never change, and one record for each task
that is replaced only by who has read it as it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from shlex import quote
from typing import Any, NamedTuple, Protocol

from munet.errors import DamagedError, InputError
from munet.store.called import Withheld
from munet.store.schema import Manifest, TaskRecord

TASKS = 100_000  # of a place that are read at most


@contextmanager
def others_damage() -> Iterator[None]:
    """What is damaged at the place of somebody else is told as any other mistake in what was given: InputError."""
    try:
        yield
    except DamagedError as error:
        raise InputError(str(error), kind=error.kind) from error


def put_back(place: str, key: str) -> str:
    """What helps where an object is missing that a record names. A push does not: it looks at what the record lacks."""
    return (
        f"put {key} back there from a backup, or from the same place in a system that has it; "
        f"`munet fsck {quote(place)}` names all that is missing"
    )


class PrivateTaskError(InputError):
    """A task that is not shared was asked for."""


class Held(NamedTuple):
    """A task's record as it was read, and the mark by which its place knows that it is still so; both may be None."""

    record: TaskRecord | None
    mark: Any


class Place(Protocol):
    """A system: a folder or an object store. StoreError: it cannot be done. DamagedError: what is there is wrong."""

    @property
    def name(self) -> str:
        """What a person calls it: a path or an address."""
        ...

    @property
    def root(self) -> str:
        """Id of the root model."""
        ...

    @property
    def near(self) -> bool:
        """Whether reading here takes no network."""
        ...

    def tasks(self) -> list[str]:
        """Names of the tasks that are shared, those among them whose records cannot be read."""
        ...

    def private(self) -> set[str]:
        """Names of the tasks whose models never leave."""
        ...

    def withheld(self) -> Withheld:
        """Says of a model which of these tasks it is of."""
        ...

    def task(self, name: str) -> Held:
        """The record of a task. PrivateTaskError where it is private."""
        ...

    def hold(self) -> None:
        """From now on nothing is collected that is there, until `release`. Again: the same. Where a place needs no such
        thing, because its records are moved under the lock that collections wait for, it does nothing."""
        ...

    def release(self) -> None:
        """What was to be written is written, or given up."""
        ...

    def swap(self, record: TaskRecord, held: Held) -> bool:
        """Write a task's record, unless it is no longer what `held` says; then False. On return it is there to stay."""
        ...

    def next_added(self) -> int:
        """The place of a new task among the others."""
        ...

    def look_ahead(
        self, tasks: Sequence[str], known: Callable[[str], bool], taken: Callable[[TaskRecord], bool]
    ) -> dict[str, Manifest]:
        """The models of these tasks, if their records are `taken`, will be asked for, and their ancestors up to those
        that are `known`: where reading takes a network, they are read at once. The ancestors among them."""
        ...

    def manifest(self, model: str) -> Manifest | None:
        """A model's manifest, checked; None where it is not there."""
        ...

    def first_missing(self, model: str | None) -> str | None:
        """The first of a model and its ancestors whose manifest is not there; None where there are all, or no model."""
        ...

    def lacking(self, layers: list[str]) -> list[str]:
        """Those of the layers that are not there."""
        ...

    def layer(self, id: str, most: int) -> bytes:
        """A layer of at most so many bytes, checked. DamagedError where it is missing or wrong."""
        ...

    def postpone(self, layers: Mapping[str, int]) -> bool:
        """Whether the place takes these layers, of at most so many bytes, later: when they are used."""
        ...

    def settle(self) -> bool:
        """Whether all that was written is there to stay. False: somebody else came between, so no record was moved."""
        ...

    def put_layer(self, id: str, data: bytes) -> None:
        """Keep a layer that was checked."""
        ...

    def put_model(self, id: str, manifest: Manifest, *, whole: bool) -> None:
        """Keep a manifest, of a model that is `whole` or of an ancestor without weights. InputError for a whole one
        that cannot be used."""
        ...
