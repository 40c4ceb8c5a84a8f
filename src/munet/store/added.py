"""The order in which tasks were added, told without reading again the records that have not changed.

A command that adds many tasks, or clones them, asks after each of them.
"""

from munet.store.task_files import Records, is_stray, is_task_name

_State = tuple[int, int, int]


class Added:
    """The numbers of a store's tasks by their order."""

    def __init__(self, store: Records) -> None:
        self._store = store
        self._read: dict[str, tuple[_State, int]] = {}  # name -> its file as it was read, and its number

    def last(self) -> int:
        """The largest number of a task that is there now; 0 without any. Raises DamagedError."""
        files = self._store.names("tasks")
        names = [name for file in files if is_task_name(name := file.removesuffix(".json")) and name != file]
        self._read = {name: read for name in names if (read := self._number(name)) is not None}
        return max((number for _, number in self._read.values()), default=0)

    def _number(self, name: str) -> tuple[_State, int] | None:
        found = self._store.files.state(self._store.task_path(name))
        state = None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._read.get(name)
        if known is not None and known[0] == state:
            return known
        if state is None or is_stray(self._store, name):
            return None
        return state, self._store.read_task(name).get("added", 0)
