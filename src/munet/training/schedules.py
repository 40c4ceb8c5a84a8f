"""Learning rate schedules: pure functions of the step, in plain floats."""

import math

from munet.errors import InputError, suggest

SCHEDULES = ("constant", "cosine", "restarts")


def learning_rate_at(
    step: int,
    *,
    schedule: str,
    learning_rate: float,
    warmup_ratio: float,
    warmup_start: float,
    steps_per_cycle: int,
    cycles: int,
) -> float:
    """Learning rate of one step, counted from 0 at the start of the child (the papers' released code).

    - `constant`: half the learning rate throughout, no warm-up.
    - `cosine`: over T = cycles x steps_per_cycle steps, see `warmup_cosine`.
    - `restarts`: the same shape over one cycle, begun anew in each.

    Raises InputError for an unknown schedule.
    """
    if schedule == "constant":
        return learning_rate / 2
    if schedule == "cosine":
        return warmup_cosine(step, cycles * steps_per_cycle, learning_rate, warmup_ratio, warmup_start)
    if schedule == "restarts":
        return warmup_cosine(step % steps_per_cycle, steps_per_cycle, learning_rate, warmup_ratio, warmup_start)
    raise InputError(f"unknown schedule '{schedule}'{suggest(schedule, SCHEDULES)}; known: {', '.join(SCHEDULES)}")


def warmup_cosine(step: int, horizon: int, peak: float, warmup_ratio: float, warmup_start: float) -> float:
    """Linear from warmup_start x peak to the peak in w = int(warmup_ratio x horizon) steps, then half a cosine to 0.

    Step i < w:  r0 + (peak - r0) i / w, with r0 = warmup_start x peak.
    Step i >= w: peak (1 + cos(pi (i - w) / (horizon - w))) / 2. With w = 0 it starts at the peak.
    """
    warmup = int(warmup_ratio * horizon)
    if step < warmup:
        start = warmup_start * peak
        return start + (peak - start) * step / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (horizon - warmup)))
