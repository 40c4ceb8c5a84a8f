"""How many runs a machine performs at a time, and on which device each."""

import os

from munet.training.devices import choose_device


def devices_for(device: str, threads: int, parallel: int | None) -> list[str]:
    """A device for each run at a time: one run a GPU, or as many runs of `threads` as the CPU has cores.

    `parallel` says how many instead; on several GPUs they take turns. InputError for a device that is not there.
    """
    chosen = choose_device(device)
    if chosen == "cuda" and device == "auto":
        import torch

        every = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    else:
        every = [chosen]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = parallel or (len(every) if chosen != "cpu" else max(1, cores // threads))
    return [every[index % len(every)] for index in range(count)]
