"""What a place tells of its tasks."""

import pytest

from munet.errors import InputError
from munet.sharing.exchange import exchange
from munet.sharing.remote_log import remote_log
from munet.store import Store
from sharing_tools import new_task, place, retain


def told(there: Store, here: Store, *tasks: str) -> list[tuple]:
    return [(one.model, one.by, one.state, one.known) for one in remote_log(place(there), place(here), tasks or None)]


def test_newest_models_come_first_with_who_evolved_them_and_whether_they_are_known(mine: Store, theirs: Store) -> None:
    first = retain(theirs, "flowers", "1", by="bob")
    exchange(place(theirs), place(mine))
    weaker = retain(theirs, "flowers", "2", 0.5, by="bob")
    better = retain(mine, "flowers", "3", 0.6, by="alice")
    exchange(place(mine), place(theirs))
    assert told(theirs, mine) == [
        (better, ["alice"], "retained", True),
        (weaker, ["bob"], "beside", False),
        (first, ["bob"], "replaced", True),
    ]
    last = retain(theirs, "flowers", "4", by="carol")
    found = told(theirs, mine)
    assert found[0] == (last, ["carol"], "retained", False)
    assert [one[2] for one in found[1:]] == ["replaced"] * 3


def test_private_tasks_are_neither_told_nor_compared(mine: Store, theirs: Store) -> None:
    new_task(theirs, "patients", private=True)
    new_task(mine, "signs", private=True)
    new_task(theirs, "signs")
    retain(theirs, "patients", "1")
    model = retain(theirs, "signs", "2", by="bob")
    assert told(theirs, mine) == [(model, ["bob"], "retained", False)]
    with pytest.raises(InputError, match="shares no task 'patients'"):
        told(theirs, mine, "patients")
