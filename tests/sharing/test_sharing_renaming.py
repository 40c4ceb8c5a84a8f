"""One name for two tasks: theirs under another name, theirs in place of mine, and what follows."""

import json
import re
import shlex
from pathlib import Path

import pytest

import munet
from cli_tools import Run
from munet.analysis.authors import authors
from munet.analysis.model_history import origins
from munet.errors import InputError
from munet.sharing.exchange import Outcome, Refused, exchange
from munet.sharing.folder import FolderPlace
from munet.sharing.remotes import add_remote, remotes
from munet.sharing.renaming import Naming, Theirs
from munet.store import Store
from munet.store.creation import MARKER
from munet.store.derived import lineage
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.retained import history_of
from munet.store.schema import RetainedModel, TaskRecord
from sharing_tools import fleet, new_task, place, retain


@pytest.fixture
def alice(tmp_path: Path) -> Store:
    """Her flowers are other images than those of `mine`."""
    store = fleet(tmp_path / "alice")
    new_task(store, "flowers", fingerprint="of alice")
    retain(store, "flowers", "a1", by="alice")
    return store


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    store = fleet(tmp_path / "mine", "flowers")
    retain(store, "flowers", "m1", by="bob")
    return store


def take(source: Store, target: Store, *, theirs: tuple[str, ...] = (), **renamed: str) -> list[Outcome]:
    return exchange(place(source), place(target), naming=Naming(renamed, Theirs(target, theirs)))


def test_theirs_comes_under_another_name_beside_mine_and_later_heads_follow(alice: Store, mine: Store) -> None:
    before = mine.read_task("flowers")
    (outcome,) = take(alice, mine, flowers="hers")
    assert (outcome.what, outcome.task, outcome.source) == ("new", "hers", "flowers")
    hers = mine.read_task("hers")
    assert hers["model"] == alice.read_task("flowers")["model"]
    assert hers.get("called") == ["flowers"]
    assert mine.read_task("flowers") == before
    second = retain(alice, "flowers", "a2")
    (outcome,) = take(alice, mine, flowers="hers")
    assert (outcome.what, mine.read_task("hers")["model"]) == ("taken", second)
    assert take(alice, mine, flowers="hers")[0].what == "same"
    gc(mine)
    assert fsck(mine).ok


def test_a_name_that_is_another_tasks_is_never_taken(alice: Store, mine: Store) -> None:
    new_task(mine, "tulips", fingerprint="third")
    before = mine.read_task("tulips")
    with pytest.raises(Refused, match="task 'tulips' stands for other images") as refused:
        take(alice, mine, flowers="tulips")
    assert refused.value.kind == "other-data"
    assert mine.read_task("tulips") == before
    new_task(alice, "hers", fingerprint="fourth")
    with pytest.raises(InputError, match="has a task 'hers' too"):
        munet.System(mine).merge(munet.System(alice), renamed={"flowers": "hers"})


def test_a_lineage_names_the_task_that_a_model_is_of_here(alice: Store, mine: Store) -> None:
    take(alice, mine, flowers="hers")
    child = retain(mine, "hers", "h", by="bob")
    assert tasks_of(mine, child) == ["hers", "hers", None]
    assert authors(mine, lineage(mine, child)) == [["bob"], ["alice"], []]
    own = history_model(mine, "flowers")
    assert (tasks_of(mine, own), authors(mine, lineage(mine, own))[0]) == (["flowers", None], ["bob"])
    assert origins(mine, history_model(mine, "hers"))["head"] == ("hers", ["bob"])


def test_a_model_of_mine_that_hers_descends_from_stays_mine(alice: Store, mine: Store) -> None:
    take(alice, mine, flowers="hers")
    own = history_model(mine, "flowers")
    child = retain(mine, "hers", "h", parent=own)
    assert tasks_of(mine, child) == ["hers", "flowers", None]


def test_theirs_in_place_of_mine_keeps_mine_whole_under_another_name(alice: Store, mine: Store) -> None:
    before = mine.read_task("flowers")
    (outcome,) = take(alice, mine, theirs=("flowers",))
    assert (outcome.what, outcome.aside) == ("new", "flowers-mine")
    assert mine.read_task("flowers")["model"] == alice.read_task("flowers")["model"]
    kept = mine.read_task("flowers-mine")
    assert (kept["model"], kept["source"], history_of(kept)) == (before["model"], before["source"], history_of(before))
    gc(mine)
    assert fsck(mine).ok
    assert tasks_of(mine, history_model(mine, "flowers-mine"))[0] == "flowers-mine"
    assert tasks_of(mine, history_model(mine, "flowers"))[0] == "flowers"
    assert take(alice, mine, theirs=("flowers",))[0].what == "same", "once is enough"
    assert set(mine.task_names()) == {"flowers", "flowers-mine"}


def test_theirs_of_the_same_task_is_the_join(mine: Store, tmp_path: Path) -> None:
    same = fleet(tmp_path / "same", "flowers")
    retain(same, "flowers", "s")
    assert take(same, mine, theirs=("flowers",))[0].what == "joined"
    assert mine.task_names() == ["flowers"]


def test_what_was_cut_off_between_both_names_goes_on(
    alice: Store, mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(Store, "remove_task", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            take(alice, mine, theirs=("flowers",))
    take(alice, mine, theirs=("flowers",))
    assert set(mine.task_names()) == {"flowers", "flowers-mine"}
    assert mine.read_task("flowers")["fingerprint"] == "of alice"


def test_an_unfinished_run_of_mine_keeps_its_name(alice: Store, mine: Store) -> None:
    mine.new_run({})
    before = mine.read_task("flowers")
    with pytest.raises(Refused, match="munet resume") as refused:
        take(alice, mine, theirs=("flowers",))
    assert refused.value.kind == "interrupted-run"
    assert (mine.task_names(), mine.read_task("flowers")) == (["flowers"], before)


def test_a_private_task_of_that_name_never_leaves_under_any(alice: Store, tmp_path: Path) -> None:
    mine = fleet(tmp_path / "mine")
    new_task(mine, "flowers", private=True, fingerprint="secret")
    secret = retain(mine, "flowers", "secret")
    with pytest.raises(Refused, match=r"is private, and .* shares another of that name"):
        take(alice, mine)
    take(alice, mine, flowers="hers")
    public = retain(mine, "hers", "h")
    there = fleet(tmp_path / "there")
    assert [one.task for one in exchange(place(mine), place(there))] == ["hers"]
    assert there.has_model(public)
    take(alice, mine, theirs=("flowers",))
    assert mine.read_task("flowers-mine")["private"]
    again = fleet(tmp_path / "again")
    assert {one.task for one in exchange(place(mine), place(again))} == {"hers", "flowers"}
    for store in (there, again):
        assert not store.has_model(secret)
    leak = retain(mine, "hers", "leak", parent=secret)
    with pytest.raises(Refused, match="'flowers-mine', which is private"):
        exchange(place(mine), place(again))
    assert not again.has_model(leak)


def test_what_others_say_of_a_private_model_does_not_set_it_free(alice: Store, tmp_path: Path) -> None:
    """A record from elsewhere that claims the model of a private task, by its id and by the task's name."""
    mine, there = fleet(tmp_path / "mine"), fleet(tmp_path / "there")
    new_task(mine, "patients", private=True, fingerprint="secret")
    first = retain(mine, "patients", "first")
    secret = retain(mine, "patients", "secret")
    take(alice, mine, flowers="hers")
    hers = mine.read_task("hers")
    claimed = {model: RetainedModel(replaces=[], by=["mallory"], test=None) for model in (first, secret)}
    said: TaskRecord = {**hers, "called": ["patients"], "retained": {**history_of(hers), **claimed}}
    mine.write_task(said)
    with pytest.raises(Refused, match="'patients', which is private"):
        exchange(place(mine), place(there))
    assert not there.has_model(secret)
    assert tasks_of(mine, secret) == ["patients", "patients", None]


def tasks_of(store: Store, model: str) -> list[str | None]:
    return [manifest["task"] for _, manifest in lineage(store, model)]


def history_model(store: Store, task: str) -> str:
    model = store.read_task(task)["model"]
    assert model is not None
    return model


# -- on the command line, with remotes ----------------------------------------------------------------------------


@pytest.fixture
def remote(alice: Store, mine: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Alice has pushed her flowers to where both exchange."""
    monkeypatch.setattr(FolderPlace.__init__, "__defaults__", (None, 0.3, None))  # toy models, which nobody checks
    for store in (alice, mine):
        add_remote(store, "origin", str(tmp_path / "remote"))
    munet.System(alice).push()
    return Store.open(tmp_path / "remote")


def test_each_command_that_a_refused_pull_names_works(remote: Store, mine: Store, run: Run) -> None:
    code, _, err = run("pull", mine.path)
    assert code == 2
    assert err.count("\n") == 1
    ways = err.split("`")[1::2]
    assert [way.split()[3:] for way in ways] == [
        ["--as", "flowers=flowers-theirs"],
        ["--theirs", "flowers"],
        ["--ours", "flowers"],
    ]
    before = {name: (mine.path / "tasks" / f"{name}.json").read_bytes() for name in mine.task_names()}
    for way in ways:
        code, out, err = run(*shlex.split(way)[1:])
        assert (code, err) == (0, "")
        for name in set(mine.task_names()) - before.keys():
            mine.remove_task(name)
        (mine.path / "tasks" / "flowers.json").write_bytes(before["flowers"])
        (mine.path / "remotes.json").unlink()
        add_remote(mine, "origin", str(remote.path))
        assert out


def test_a_remote_remembers_what_its_tasks_are_called_here(remote: Store, alice: Store, mine: Store, run: Run) -> None:
    code, out, _ = run("pull", mine.path, "--as", "flowers=hers")
    assert (code, out.splitlines()[-1].partition(";")[0]) == (0, "flowers as hers: new there")
    assert remotes(mine)["origin"].get("names") == {"hers": "flowers"}
    theirs = history_model(alice, "flowers")
    assert munet.System(mine).pull()[0].what == "same"
    first = remote.read_task("flowers")
    child = retain(mine, "hers", "h", by="bob")
    code, out, err = run("push", mine.path)
    assert code == 2, "my own flowers are another task than theirs there"
    assert [way.split()[3:] for way in err.split("`")[1::2]] == [["--as", "flowers=flowers-2"], ["--skip", "flowers"]]
    assert "hers as flowers: taken over" in out
    now = remote.read_task("flowers")
    assert (now["model"], now.get("called")) == (child, ["hers"])
    assert history_of(first).items() <= history_of(now).items()
    assert run("push", mine.path, "--as", "flowers=flowers-2")[0] == 0
    assert set(remote.task_names()) == {"flowers", "flowers-2"}
    assert [one.what for one in munet.System(mine).push()] == ["same", "same"]
    assert remotes(mine)["origin"].get("names") == {"flowers": "flowers-2", "hers": "flowers"}
    assert [one.what for one in munet.System(mine).pull()] == ["same", "same"]
    munet.System(alice).pull()
    assert alice.read_task("flowers")["model"] == child
    assert tasks_of(alice, child) == ["flowers", "flowers", None]
    assert history_of(alice.read_task("flowers"))[child]["replaces"] == [theirs]
    assert [fsck(store).ok for store in (alice, remote, mine)] == [True] * 3


def test_what_was_exchanged_is_told_in_json_where_a_task_is_refused(remote: Store, mine: Store, run: Run) -> None:
    code, out, err = run("pull", mine.path, "--json")
    told = {one["task"]: one for one in json.loads(out)}
    assert (code, told["flowers"]["what"], told["flowers"]["kind"]) == (2, "refused", "other-data")
    assert json.loads(err)["error"]["message"].startswith(told["flowers"]["refused"])


def test_theirs_in_place_of_mine_that_has_another_name_there(remote: Store, mine: Store) -> None:
    munet.System(mine).push(renamed={"flowers": "flowers-bob"})
    my_images, their_images = (store.read_task("flowers")["fingerprint"] for store in (mine, remote))
    outcomes = {one.task: one for one in munet.System(mine).pull(theirs=["flowers"])}
    assert outcomes.keys() == {"flowers"}
    assert outcomes["flowers"].aside == "flowers-mine"
    assert mine.read_task("flowers")["fingerprint"] == their_images
    assert mine.read_task("flowers-mine")["fingerprint"] == my_images
    assert remotes(mine)["origin"].get("names") == {"flowers-mine": "flowers-bob"}
    assert [(one.source or one.task, one.what) for one in munet.System(mine).pull()] == [
        ("flowers", "same"), ("flowers-bob", "same"),
    ]  # fmt: skip
    munet.System(mine).push()
    assert set(remote.task_names()) == {"flowers", "flowers-bob"}


def test_a_fresh_clone_of_what_was_renamed_is_whole(remote: Store, mine: Store, tmp_path: Path) -> None:
    munet.System(mine).pull(renamed={"flowers": "hers"})
    retain(mine, "hers", "h")
    munet.System(mine).push(skip=["flowers"])
    for weights in (True, False):
        made = munet.System.clone(str(remote.path), tmp_path / f"clone-{weights}", weights=weights).store
        assert tasks_of(made, history_model(made, "flowers"))[0] == "flowers"
        assert fsck(made).ok
        assert (made.path / MARKER).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--as", "flowers"], "write TASK=NEWNAME"),
        (["--as", "flowers=.x"], "must not start"),
        (["--as", "flours=x"], "shares no such task"),
        (["--as", "flowers=a", "--as", "flowers=b"], "a task has one new name"),
        (["--theirs", "flours"], "--theirs flours: .* shares no such task"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_moves(
    remote: Store, mine: Store, run: Run, words: list[str], said: str
) -> None:
    before = {file: file.read_bytes() for file in mine.path.rglob("*.json")}
    code, _, err = run("pull", mine.path, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert re.search(said, err), err
    assert {file: file.read_bytes() for file in mine.path.rglob("*.json")} == before
