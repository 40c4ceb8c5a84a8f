"""What a place tells of its tasks."""

import json

import pytest

from cli_tools import Run
from munet.errors import InputError
from munet.sharing.exchange import exchange
from munet.sharing.remote_log import Unread, remote_log
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


def test_a_task_may_be_named_as_it_is_called_here(mine: Store, theirs: Store) -> None:
    model = retain(theirs, "flowers", "1")
    new_task(theirs, "signs")
    other = retain(theirs, "signs", "2")

    def models(task: str, names_here: dict[str, str]) -> list[str]:
        return [one.model for one in remote_log(place(theirs), place(mine), [task], names_here=names_here)]

    assert models("tulips", {"flowers": "tulips"}) == models("flowers", {"flowers": "tulips"}) == [model]
    assert models("signs", {"flowers": "signs"}) == [other]  # as a pull takes it: the name there comes first
    with pytest.raises(InputError, match="shares no task 'roses'"):
        models("roses", {"flowers": "tulips"})


def test_a_damaged_record_is_told_after_all_others(mine: Store, theirs: Store, run: Run) -> None:
    new_task(theirs, "signs")
    model = retain(theirs, "signs", "2")
    theirs.task_path("flowers").write_bytes(b"{}")
    with pytest.raises(Unread, match=r"flowers\.json is cut short") as caught:
        remote_log(place(theirs), place(mine))
    assert ([one.model for one in caught.value.found], caught.value.kind) == ([model], "damaged")
    run("remote", "add", mine.path, "origin", theirs.path)
    code, out, err = run("log", mine.path, "--remote", "origin")
    assert (code, err.count("\n")) == (2, 1)
    assert model[:10] in out
    assert "flowers.json is cut short" in err
    code, out, err = run("log", mine.path, "--remote", "origin", "--json")
    assert (code, [one["model"] for one in json.loads(out)]) == (2, [model])
    assert json.loads(err)["error"]["kind"] == "damaged"
    assert run("log", mine.path, "signs", "--remote", "origin")[0] == 0
    code, out, err = run("log", mine.path, "flowers", "--remote", "origin")
    assert (code, out) == (2, "")
