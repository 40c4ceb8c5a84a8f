"""What runs in a worker process: `python -m munet.evolution.executors.worker FD`, a socket to the process that started it.

It takes an `Opening`, then litters, and sends messages. It ends when the socket does, whatever it is doing then, so
that nothing is left when the other process dies in any way.
"""

import os
import pickle
import sys
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from munet.evolution.executors.failures import Failure
from munet.evolution.executors.messages import Done, Opening, raise_aloud

if TYPE_CHECKING:
    from munet.evolution.child_trainer import Nursery
    from munet.evolution.jobs import Litter


def main() -> None:
    wire = Connection(int(sys.argv[1]))
    inbox: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(wire, inbox, os.getppid()), daemon=True).start()
    _volunteer()
    import munet.evolution.child_trainer  # noqa: F401  # takes seconds; the opening may be under way meanwhile

    def receive() -> Any:
        return pickle.loads(inbox.get())  # noqa: S301  # from the process that started this one

    opening: Opening = receive()
    nursery: Nursery | None = None
    while True:
        litter: Litter = receive()
        try:
            nursery = nursery or _open_nursery(opening)
            raise_aloud(nursery, litter, wire.send)
            wire.send(Done())
        except Exception as error:  # it is raised where the run is
            wire.send(Failure.of(error))


def _open_nursery(opening: Opening) -> "Nursery":
    """A nursery of this worker's own."""
    from munet.evolution.child_trainer import Nursery
    from munet.system import System
    from munet.tasks.cache.splits import Splits

    setting = opening.setting
    if setting.device.startswith("cuda"):
        import torch

        torch.cuda.set_device(setting.device)  # nothing may land on the first GPU by accident
    splits = Splits(allow_changed=setting.allow_changed, seen=opening.seen)
    return Nursery(System.open(opening.system), setting, splits)


def _listen(wire: Connection, inbox: "SimpleQueue[bytes]", parent: int) -> None:
    """Take in what comes; end this process when nobody is left who could want its work.

    The socket stays open when a forked sibling of the parent has inherited it, so the parent itself is watched too.
    """
    while True:
        try:
            if wait([wire], timeout=2):
                inbox.put(wire.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        if os.getppid() != parent:
            os._exit(0)


def _volunteer() -> None:
    """Where memory runs out the kernel should take a worker, whose work can be done again, and not the run."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
    except OSError:
        return  # no such file on this system


if __name__ == "__main__":
    main()
