"""An agent: pull, evolve the tasks that it owns, push, again and again. Whatever stops it, the same call goes on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from munet.errors import MunetError
from munet.sharing.exchange import Outcome, Refused, Told
from munet.sharing.remotes import refuse_read_only
from munet.sharing.remotes import remote as known
from munet.store import Store
from munet.store.run_records import unfinished_of

_PASSING = ("remote", "busy")  # kinds of errors that may be over at the next round


class Shared(Protocol):
    """What is asked of a system."""

    store: Store

    def pull(self, *, remote: str, told: Told) -> list[Outcome]: ...
    def push(self, tasks: Sequence[str], *, remote: str, sign: Path | None, told: Told) -> list[Outcome]: ...


def agent(
    system: Shared,
    tasks: Sequence[str],
    evolve: Callable[[], object],
    wait: Callable[[], object],
    *,
    remote: str,
    sign: Path | None = None,
    rounds: int | None = None,
    told: Told = lambda outcome: None,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Rounds without end, or as many as given. `evolve` evolves the tasks, `wait` waits until the next round is due.

    A remote that cannot be reached and tasks that were refused are told to `note`; all else ends the agent.
    """
    refuse_read_only(known(system.store, remote), remote)  # else it would train and never share
    done = 0
    while rounds is None or done < rounds:
        if done:
            wait()
        # A run that was cut off goes on with the records that it knows, so it ends before anything is pulled.
        if not unfinished_of(system.store, tasks):
            _carefully(lambda: system.pull(remote=remote, told=told), note)
        evolve()
        _carefully(lambda: system.push(tasks, remote=remote, sign=sign, told=told), note)
        done += 1


def _carefully(exchange: Callable[[], object], note: Callable[[str], None]) -> None:
    try:
        exchange()
    except MunetError as error:
        if not isinstance(error, Refused) and error.kind not in _PASSING:
            raise
        note(str(error))
