"""Where the curves of a run go beside the screen: TensorBoard, trackio, Weights & Biases.

numbers.py      events as named numbers
tracker.py      what shows one run elsewhere
tensorboard.py  TensorBoard
wandb.py        Weights & Biases, and trackio, which is called the same way
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from munet.errors import InputError, suggest
from munet.evolution.events import Event, Observer, RunStarted
from munet.evolution.sinks.numbers import Numbers
from munet.evolution.sinks.tracker import Begin, Tracker

__all__ = ["SCHEMES", "sink"]

SCHEMES = ("tensorboard", "trackio", "wandb")


@contextmanager
def sink(address: str) -> Iterator[Observer]:
    """An observer for `evolve` that passes its numbers on to `tensorboard:DIR`, `trackio:PROJECT` or `wandb:PROJECT`.

    InputError for another address, where the package is not installed, or where no run can begin there. What fails
    later ends with a warning, and the run goes on without it.
    """
    begin, numbers = _opened(address), Numbers()
    with ExitStack() as stack:
        tracker: Tracker | None = None

        def observe(event: Event) -> None:
            nonlocal tracker
            if isinstance(event, RunStarted):
                stack.close()  # an observer may hear several runs, as those of a sequence
                tracker = _begun(begin, event, address)
                stack.callback(tracker.close)
            found = numbers.of(event)
            if tracker is None or not found:
                return
            try:
                tracker.put(found, numbers.step)
            except Exception as error:  # of any library, over any network: no reason to lose a run
                tracker = None
                stack.pop_all()
                warnings.warn(f"{address} failed ({error}): the run goes on without it", stacklevel=2)

        yield observe


def _opened(address: str) -> Begin:
    scheme, _, place = address.partition(":")
    if scheme not in SCHEMES or not place:
        text = f"a log is tensorboard:DIR, trackio:PROJECT or wandb:PROJECT, not '{address}'{suggest(scheme, SCHEMES)}"
        raise InputError(text)
    try:
        if scheme == "tensorboard":
            from munet.evolution.sinks.tensorboard import opened

            return opened(place)
        from munet.evolution.sinks.wandb import opened as tracked

        return tracked(scheme, place)
    except ModuleNotFoundError as error:
        text = f"{address} needs the package {scheme}: `pip install 'munet-ml[{scheme}]'`"
        raise InputError(text, kind="missing-extra") from error


def _begun(begin: Begin, event: RunStarted, address: str) -> Tracker:
    asked = {key: value for key, value in vars(event).items() if key not in ("run", "resumed", "finished_children")}
    try:
        return begin(event.run, asked)
    except Exception as error:
        raise InputError(f"{address} cannot be begun: {error or type(error).__name__}") from error
