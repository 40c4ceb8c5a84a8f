"""Peak memory of some work, measured in a process of its own."""

import importlib
import multiprocessing
import resource
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Peak:
    """Bytes that a process held at most, and before the work began (interpreter and libraries); what it returned."""

    peak: int
    before: int
    value: Any

    @property
    def grown(self) -> int:
        return self.peak - self.before


def peak_of(target: str, threads: int, **arguments: Any) -> Peak:
    """Call `module:function` with arguments in a fresh process; RuntimeError if that dies."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_call, args=(theirs, target, threads, arguments))
    process.start()
    theirs.close()
    try:
        peak, before, value = ours.recv()
    except EOFError as error:
        raise RuntimeError(f"{target} ended without a result") from error
    finally:
        process.join()
    return Peak(peak, before, value)


def _call(pipe: Connection, target: str, threads: int, arguments: dict[str, Any]) -> None:
    import torch

    torch.set_num_threads(threads)
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    before = _peak()
    value = function(**arguments)
    pipe.send((_peak(), before, value))


def _peak() -> int:
    """Bytes. Linux passes ru_maxrss of the parent on to its children, so there the kernel's own mark is read."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
