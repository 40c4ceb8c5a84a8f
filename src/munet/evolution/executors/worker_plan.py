"""How many workers train, with how many threads, on which devices."""

import os
from dataclasses import dataclass

from munet.errors import InputError, suggest
from munet.evolution.options import Where

EXECUTORS = ("auto", "local", "processes", "ray")
# A worker loads torch first: about 3 s of a core. One core of a plain processor does about 2e10 useful FLOP/s in
# small networks. Less work than this many FLOPs is over before workers are worth their start.
_WORTH_WORKERS = 20 * 2e10


@dataclass(frozen=True)
class WorkerPlan:
    """Who will train: which executor, how many workers, threads of each unless a run has recorded others."""

    executor: str
    workers: int  # 0: as many as the cluster holds
    threads: int
    devices: tuple[str, ...]  # worker k trains on device k modulo their number
    address: str | None = None  # of a Ray cluster
    gpus_per_child: float | None = None

    @property
    def sharing(self) -> int:
        """Workers that share one device, or the memory of one machine."""
        if self.executor != "ray":
            return -(-self.workers // len(self.devices))
        if self.gpus_per_child is not None:
            return max(1, int(1 / self.gpus_per_child)) if self.gpus_per_child else 1
        most = max(1, usable_cores() // self.threads)
        return min(self.workers or most, most)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plan_workers(where: Where, *, device: str, children: int, work: float = float("inf")) -> WorkerPlan:
    """Fill the machine.

    `auto` is a process for each core where a CPU trains several children, a process for each GPU where there are
    several, and else this process, also where all the `work` of a run (FLOPs) is less than the start of processes
    costs. Small matrix products gain little from a second thread, while a second child costs the first one nothing.
    Raises InputError for what is unknown or contradicts itself.
    """
    check_where(where)
    _check_gpus(where, device)
    executor, workers, threads = where.executor, where.workers, where.threads
    devices = _devices(device)
    cores = usable_cores()
    most = len(devices) if device.startswith("cuda") else cores // (threads or 1)
    most = max(1, min(most, children))
    if executor == "auto":
        several = most > 1 if workers is None else workers > 1
        worth = workers is not None or work >= _WORTH_WORKERS
        executor = "processes" if several and worth and not device.startswith("mps") else "local"
    if executor == "local":
        if workers not in (None, 1):
            raise InputError(f"the local executor has 1 worker, not {workers}: add --executor processes")
        return WorkerPlan(executor, 1, threads or cores, (device,))
    if executor == "ray":
        on_gpu = device.startswith("cuda")
        share = where.gpus_per_child if where.gpus_per_child is not None else (1.0 if on_gpu else None)
        return WorkerPlan(executor, workers or 0, threads or 1, ("cuda" if on_gpu else device,), where.address, share)
    count = workers or most
    return WorkerPlan(executor, count, threads or max(1, cores // count), devices)


def check_where(where: Where) -> None:
    """InputError for what is wrong on every device: an unknown executor, a count below 1, options of another one."""
    executor, gpus_per_child = where.executor, where.gpus_per_child
    if executor not in EXECUTORS:
        raise InputError(f"unknown executor '{executor}'{suggest(executor, EXECUTORS)}; known: {', '.join(EXECUTORS)}")
    if executor != "ray" and (where.address is not None or gpus_per_child is not None):
        raise InputError("an address and GPUs per child belong to the ray executor: add --executor ray")
    for name, count in (("workers", where.workers), ("threads", where.threads)):
        if count is not None and count < 1:
            raise InputError(f"{name} is {count}: give 1 or more")
    if where.cache_memory is not None and where.cache_memory < 0:
        raise InputError(f"cache memory is {where.cache_memory} bytes: give 0 or more")


def _check_gpus(where: Where, device: str) -> None:
    gpus_per_child = where.gpus_per_child
    if gpus_per_child is None:
        return
    if not device.startswith("cuda"):
        raise InputError(f"{gpus_per_child:g} GPUs per child, but the device is {device}: add --device cuda")
    if gpus_per_child <= 0 or (gpus_per_child > 1 and gpus_per_child != int(gpus_per_child)):
        raise InputError(f"GPUs per child is {gpus_per_child:g}: give a part of one, such as 0.5, or 1")


def _devices(device: str) -> tuple[str, ...]:
    """All GPUs for `cuda`; for one that is named, that one."""
    if device != "cuda":
        return (device,)
    import torch

    return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count())) or (device,)
