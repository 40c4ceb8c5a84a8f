"""What runs in the workers of a Ray cluster. A task trains one job group and changes nothing, so it can run again."""

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
from munet.evolution.executors.messages import Done, Message, train_and_report
from munet.evolution.executors.shipped_layers import LayerBundle, ShippedLayers

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ChildTrainer, ComputeSettings
    from munet.evolution.jobs import Work
    from munet.model.loader import LayerSource

BLIND = "MUNET_RAY_BLIND"  # a node with this in its environment acts as if it saw nothing of the run's disk


@dataclass(frozen=True)
class TrainRequest:
    """A job group, and where its layers are: in the system at `system`, or in `bundle`."""

    session: str  # of the run: a worker keeps its trainer for as long as that stays
    compute: "ComputeSettings"
    seen: Mapping[str, tuple[str, str]]
    group: "Work"
    system: str
    root: str
    bundle: LayerBundle | None


@dataclass(frozen=True)
class Unseen:
    """This node does not see the system's disk, or not what is on it."""

    host: str


_held: "dict[str, ChildTrainer]" = {}  # at most one: this worker's trainer, by session and source of layers


def train(request: TrainRequest) -> "Iterator[Message | Unseen]":
    """Messages about a job group while it is trained, then `Done`, a `Failure`, or `Unseen`."""
    said: SimpleQueue[Message | Unseen] = SimpleQueue()
    Thread(target=_train, args=(request, said), daemon=True).start()
    while True:
        message = said.get()
        yield message
        if isinstance(message, Done | Failure | Unseen):
            return


def _train(request: TrainRequest, said: "SimpleQueue[Message | Unseen]") -> None:
    host = socket.gethostname()
    try:
        trainer = _trainer(request)
        train_and_report(trainer, request.group, said.put)
        said.put(Done())
    except (StoreError, DamagedError) as error:
        # A copy of the system that is older than the run lacks layers. The run itself finds out if its own is damaged.
        said.put(Unseen(host) if request.bundle is None else Failure.of(error))
    except InputError as error:
        said.put(Failure.of(InputError(f"{error} (on the Ray node {host})")))
    except Exception as error:  # it is raised where the run is
        said.put(Failure.of(error))
    finally:
        for trainer in _held.values():
            if isinstance(trainer.layers, ShippedLayers):
                trainer.layers.let_go()


def _trainer(request: TrainRequest) -> "ChildTrainer":
    """This worker's trainer, which keeps images and activations from job group to job group."""
    from munet.evolution.child_trainer import ChildTrainer
    from munet.tasks.cache.splits import Splits

    key = f"{request.session} {request.bundle is None}"
    if key not in _held:
        _held.clear()
        splits = Splits(allow_changed=request.compute.allow_changed, seen=request.seen)
        _held[key] = ChildTrainer(_layer_source(request), request.compute, splits)
    trainer = _held[key]
    if request.bundle is not None and isinstance(trainer.layers, ShippedLayers):
        trainer.layers.take(request.bundle)
    return trainer


def _layer_source(request: TrainRequest) -> "LayerSource":
    if request.bundle is not None:
        import ray

        layers = ShippedLayers(ray.get)
        layers.take(request.bundle)
        return layers
    from munet.model.loader import ModelLoader
    from munet.store import Store

    if not sees(request.system, request.root):
        raise StoreError(f"{request.system} is not here")
    return ModelLoader(Store.open(Path(request.system)))


def sees(system: str, root: str) -> bool:
    """Whether the system at a path is here, one with this root. What it may lack in layers shows when it does."""
    from munet.store import Store

    if os.environ.get(BLIND):
        return False
    try:
        return Store.open(system).root == root
    except StoreError:
        return False


def look(system: str, root: str) -> dict[str, Any]:
    """What a node has."""
    from importlib.metadata import version

    from munet.provenance import VERSION

    found = {"host": socket.gethostname(), "munet": VERSION, "torch": version("torch")}
    return found | {"sees": sees(system, root)}
