"""An agent's rounds: what comes first after a death, what is told and tried again, what ends it."""

from pathlib import Path

import pytest

from munet.errors import DamagedError, MunetError, StoreError
from munet.sharing.agent import agent
from munet.sharing.exchange import Outcome, Refused, Told
from munet.sharing.remotes import add_remote, remotes
from munet.store import Store
from sharing_tools import fleet


class Watched:
    """A system that writes down what is asked of it; `failing` is what a pull raises, once each."""

    def __init__(self, store: Store, *failing: MunetError) -> None:
        self.store, self.failing, self.done = store, list(failing), list[str]()

    def pull(self, *, remote: str, told: Told) -> list[Outcome]:
        self.done.append(f"pull {remote}")
        if self.failing:
            raise self.failing.pop(0)
        return []

    def push(self, tasks, *, remote: str, sign: Path | None, told: Told) -> list[Outcome]:
        self.done.append(f"push {remote} {','.join(tasks)}")
        return []

    def run(self, rounds: int) -> list[str]:
        notes = list[str]()
        if "origin" not in remotes(self.store):
            add_remote(self.store, "origin", str(self.store.path.parent / "hub"))
        agent(
            self,
            ["flowers"],
            lambda: self.done.append("evolve"),
            lambda: self.done.append("wait"),
            remote="origin",
            rounds=rounds,
            note=notes.append,
        )
        return notes


ROUND = ["pull origin", "evolve", "push origin flowers"]


def test_rounds_go_on_after_what_may_pass(tmp_path: Path) -> None:
    passing = [StoreError("no answer", kind="remote"), Refused("other images", "other-data", [])]
    watched = Watched(fleet(tmp_path / "s"), *passing)
    assert watched.run(3) == ["no answer", "other images"]
    assert watched.done == [*ROUND, "wait", *ROUND, "wait", *ROUND]


def test_a_run_that_was_cut_off_ends_before_anything_is_pulled(tmp_path: Path) -> None:
    store = fleet(tmp_path / "s")
    store.new_run({})
    watched = Watched(store)
    watched.run(1)
    assert watched.done == ROUND[1:]


@pytest.mark.parametrize(("name", "said"), [("orgin", "no remote 'orgin'"), ("mirror", "'mirror'.*read only")])
def test_a_remote_that_nothing_can_reach_is_refused_before_it_trains(tmp_path: Path, name: str, said: str) -> None:
    watched = Watched(fleet(tmp_path / "s"))
    add_remote(watched.store, "mirror", str(tmp_path / "hub"), read_only=True)
    with pytest.raises(MunetError, match=said):
        agent(watched, ["flowers"], lambda: watched.done.append("evolve"), lambda: None, remote=name)
    assert not watched.done


def test_damage_ends_it(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="broken"):
        Watched(fleet(tmp_path / "s"), DamagedError("broken")).run(2)
