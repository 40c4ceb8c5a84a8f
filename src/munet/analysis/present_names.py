"""What tasks are called now: runs keep the names that their tasks had, and a task may have been given another since."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from munet.errors import DamagedError
from munet.store.schema import GenerationRecord

if TYPE_CHECKING:
    from munet.store import Store


class PresentNames:
    """The present names of the tasks of a store, for records that have those of before."""

    def __init__(self, store: "Store") -> None:
        self._called = store.called
        now, self._former = set(store.task_names()), dict[str, str]()
        self._any = False
        for name in now:
            try:
                before = store.read_task(name).get("called", ())
            except DamagedError:  # which whoever reads the tasks themselves tells
                continue
            self._any = self._any or bool(before)
            self._former |= {old: name for old in before if old not in now}

    def of(self, records: Iterable[GenerationRecord]) -> dict[tuple[str, int], str]:
        """(task, iteration) of a run's records -> what that task is called now.

        A task iteration is of the task whose models it made. Where none of them is known, of the one that has its name
        now, and else of the one that had it.
        """
        found = dict[tuple[str, int], str]()
        if not self._any:
            return found
        for record in records:
            place, task = (record["task"], record["iteration"]), None
            for child in record["children"]:
                task = task or self._called.task_of(child["model"])
            if task is not None or place not in found:
                found[place] = task or self._former.get(record["task"], record["task"])
        return found
