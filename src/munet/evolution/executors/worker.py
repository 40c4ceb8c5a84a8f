"""What runs in a worker process: `python -m munet.evolution.executors.worker FD`, FD a socket to its parent.

It receives a `WorkerSetup`, then job groups, and sends messages. It ends when the socket is closed, whatever it is
doing then, so that no worker outlives the run.
"""

import os
import pickle
import sys
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from munet.evolution.executors.failures import Failure
from munet.evolution.executors.messages import Done, WorkerSetup, train_and_report

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ChildTrainer
    from munet.evolution.jobs import Work


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    inbox: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(connection, inbox, os.getppid()), daemon=True).start()
    _prefer_oom_kill()
    import munet.evolution.child_trainer  # noqa: F401  # takes seconds; the setup may be under way meanwhile

    def receive() -> Any:
        return pickle.loads(inbox.get())  # noqa: S301  # from the process that started this one

    setup: WorkerSetup = receive()
    trainer: ChildTrainer | None = None
    while True:
        group: Work = receive()
        try:
            trainer = trainer or _open_trainer(setup)
            train_and_report(trainer, group, connection.send)
            connection.send(Done())
        except Exception as error:  # it is raised where the run is
            connection.send(Failure.of(error))


def _open_trainer(setup: WorkerSetup) -> "ChildTrainer":
    """The trainer of this process."""
    from munet.evolution.child_trainer import ChildTrainer
    from munet.model.loader import ModelLoader
    from munet.store import Store
    from munet.tasks.cache.splits import Splits

    compute = setup.compute
    if compute.device.startswith("cuda"):
        import torch

        torch.cuda.set_device(compute.device)  # nothing may land on the first GPU by accident
    splits = Splits(allow_changed=compute.allow_changed, seen=setup.seen)
    return ChildTrainer(ModelLoader(Store.open(Path(setup.system))), compute, splits)


def _listen(connection: Connection, inbox: "SimpleQueue[bytes]", parent: int) -> None:
    """Take in what comes; end this process when nobody is left who could want its work.

    The socket stays open when a forked sibling of the parent has inherited it, so the parent itself is watched too.
    """
    while True:
        try:
            if wait([connection], timeout=2):
                inbox.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        if os.getppid() != parent:
            os._exit(0)


def _prefer_oom_kill() -> None:
    """Where memory runs out the kernel should take a worker, whose work can be done again, and not the run."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
    except OSError:
        return  # no such file on this system


if __name__ == "__main__":
    main()
