"""A system that lives in a remote: what is retained there is pulled every so often, and so taken up and served."""

import threading
from collections.abc import Callable

from munet.errors import MunetError


class Following:
    """Calls `pull` every so many seconds, in a thread of its own, once it is started.

    `name` is what a person calls the remote. While it cannot be pulled from, `fault` says why, what is here is served
    on, and `note` is told once; so it is when it is there again.
    """

    def __init__(self, name: str, pull: Callable[[], object], every: float, note: Callable[[str], None]) -> None:
        self.name = name
        self.fault: str | None = None
        self._pull, self._every, self._note = pull, every, note
        self._ended = threading.Event()

    def once(self) -> None:
        """One pull. Nothing that is wrong with the remote is raised."""
        try:
            self._pull()
        except (MunetError, OSError) as error:
            fault = str(error)
            if self.fault is None:
                self._note(f"{fault}; what is here is served on, and {self.name} is asked again and again")
            self.fault = fault
        else:
            if self.fault is not None:
                self._note(f"{self.name} is there again")
            self.fault = None

    def start(self) -> None:
        """Pull from now on. The thread ends with the process or after `stop`: nobody waits for a store that is gone."""
        threading.Thread(target=self._run, name="munet-serve-pull", daemon=True).start()

    def stop(self) -> None:
        """Begin no other pull."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self.once()
