"""What runs in the workers of a Ray cluster. A task trains one litter and changes nothing: it can always run again."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from munet.errors import DamagedError, InputError, StoreError
from munet.evolution.executors.failures import Failure
from munet.evolution.executors.messages import Done, Message, raise_aloud
from munet.evolution.executors.shipped_layers import HandedLibrary, Parcel

if TYPE_CHECKING:
    from munet.evolution.child_trainer import Nursery, Setting
    from munet.evolution.jobs import Litter
    from munet.model.loader import Library

BLIND = "MUNET_RAY_BLIND"  # a node with this in its environment acts as if it saw nothing of the run's disk


@dataclass(frozen=True)
class Order:
    """A litter, and where its layers are: in the system at `system`, or in `parcel`."""

    session: str  # of the run: a worker keeps its nursery for as long as that stays
    setting: "Setting"
    seen: Mapping[str, tuple[str, str]]
    litter: "Litter"
    system: str
    root: str
    parcel: Parcel | None


@dataclass(frozen=True)
class Unseen:
    """This node does not see the system's disk, or not what is on it."""

    host: str


_held: "dict[str, Nursery]" = {}  # at most one: this worker's nursery, by session and where its layers come from


def train(order: Order) -> "Iterator[Message | Unseen]":
    """Messages about a litter while it is trained, then `Done`, a `Failure`, or `Unseen`."""
    said: SimpleQueue[Message | Unseen] = SimpleQueue()
    Thread(target=_train, args=(order, said), daemon=True).start()
    while True:
        message = said.get()
        yield message
        if isinstance(message, Done | Failure | Unseen):
            return


def _train(order: Order, said: "SimpleQueue[Message | Unseen]") -> None:
    host = socket.gethostname()
    try:
        nursery = _nursery(order)
        raise_aloud(nursery, order.litter, said.put)
        said.put(Done())
    except (StoreError, DamagedError) as error:
        # A copy of the system that is older than the run lacks layers. The run itself finds out if its own is damaged.
        said.put(Unseen(host) if order.parcel is None else Failure.of(error))
    except InputError as error:
        said.put(Failure.of(InputError(f"{error} (on the Ray node {host})")))
    except Exception as error:  # it is raised where the run is
        said.put(Failure.of(error))
    finally:
        for nursery in _held.values():
            if isinstance(nursery.library, HandedLibrary):
                nursery.library.let_go()


def _nursery(order: Order) -> "Nursery":
    """This worker's nursery, which keeps images and activations from litter to litter."""
    from munet.evolution.child_trainer import Nursery
    from munet.tasks.cache.splits import Splits

    key = f"{order.session} {order.parcel is None}"
    if key not in _held:
        _held.clear()
        splits = Splits(allow_changed=order.setting.allow_changed, seen=order.seen)
        _held[key] = Nursery(_library(order), order.setting, splits)
    nursery = _held[key]
    if order.parcel is not None and isinstance(nursery.library, HandedLibrary):
        nursery.library.take(order.parcel)
    return nursery


def _library(order: Order) -> "Library":
    if order.parcel is not None:
        import ray

        library = HandedLibrary(ray.get)
        library.take(order.parcel)
        return library
    from munet.system import System

    if not sees(order.system, order.root):
        raise StoreError(f"{order.system} is not here")
    return System.open(order.system)


def sees(system: str, root: str) -> bool:
    """Whether the system at a path is here, one with this root. What it may lack in layers shows when it does."""
    if os.environ.get(BLIND):
        return False
    try:
        return json.loads((Path(system) / "munet.json").read_bytes())["root"] == root
    except (OSError, ValueError, KeyError):
        return False


def look(system: str, root: str) -> dict[str, Any]:
    """What a node has."""
    from importlib.metadata import version

    import munet

    found = {"host": socket.gethostname(), "munet": munet.__version__, "torch": version("torch")}
    return found | {"sees": sees(system, root)}
