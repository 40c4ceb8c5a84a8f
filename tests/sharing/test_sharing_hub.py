"""A repository of the hub as a place: one commit a push, and a commit of somebody else in between is noticed."""

from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
from huggingface_hub.errors import HfHubHTTPError

from fake_hub import FakeHub, refusal
from munet.errors import DamagedError, InputError, StoreError
from munet.fs.hub_bucket import HubBucket
from munet.sharing.checking import check
from munet.sharing.collecting import collect
from munet.sharing.copying import Copied, copy_root, is_whole
from munet.sharing.exchange import Outcome, exchange
from munet.sharing.objects import ObjectPlace, layer_key
from munet.store import Store
from sharing_tools import SECRET, fleet, new_task, place, retain, shared_state

NAME = "hf://org/fleet"


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    (tmp_path / "cache").mkdir()
    return FakeHub(tmp_path / "cache")


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    return fleet(tmp_path / "mine", "flowers", "signs")


def there(hub: FakeHub, store: Store) -> ObjectPlace:
    """The repository as a new process sees it, made where there is none."""
    found = ObjectPlace(HubBucket(NAME, hub))
    if not found.open():
        found.mark(copy_root(place(store), found, Copied()))
    return found


def push(hub: FakeHub, store: Store) -> list[Outcome]:
    return exchange(place(store), there(hub, store))


def test_a_push_is_one_commit_however_many_tasks_it_has(hub: FakeHub, mine: Store, tmp_path: Path) -> None:
    retain(mine, "flowers", "1")
    retain(mine, "signs", "2")
    push(hub, mine)
    assert (len(hub.commits), hub.private) == (2, True)  # of which the hub makes the first itself
    assert not any(SECRET.encode() in data for data in hub.files.values())
    assert {path for path in hub.files if path.startswith(("tasks", "pushes", "gc"))} == {
        "tasks/flowers.json",
        "tasks/signs.json",
    }
    assert [outcome.what for outcome in push(hub, mine)] == ["same", "same"]
    assert len(hub.commits) == 2
    model = retain(mine, "flowers", "3")
    push(hub, mine)
    assert len(hub.commits) == 3
    assert hub.uploaded == [layer_key(mine.get_model(model)["layers"]["head"])]
    other = fleet(tmp_path / "other")
    exchange(there(hub, other), place(other))
    assert shared_state(other) == shared_state(mine)
    assert check(there(hub, mine)).ok


def test_who_commits_in_between_is_heard_and_both_are_there(hub: FakeHub, mine: Store, tmp_path: Path) -> None:
    other = fleet(tmp_path / "other", "flowers")
    retain(mine, "flowers", "0")
    push(hub, mine)
    weaker, better = retain(mine, "flowers", "1", 0.5), retain(other, "flowers", "2", 0.6)
    slow = there(hub, mine)
    push(hub, other)
    (first, _) = exchange(place(mine), slow)
    assert (first.model, first.over) == (better, (weaker,))
    assert is_whole(there(hub, mine), weaker)
    assert is_whole(there(hub, mine), better)


def test_two_who_make_it_at_once_share_it(hub: FakeHub, mine: Store, tmp_path: Path) -> None:
    other = fleet(tmp_path / "other", "more")
    slow = there(hub, mine)
    retain(other, "more", "1")
    push(hub, other)
    retain(mine, "flowers", "2")
    exchange(place(mine), slow)
    assert there(hub, mine).names() == ["flowers", "more", "signs"]
    assert check(there(hub, mine)).ok


@pytest.mark.parametrize("status", [500, 412])
def test_an_answer_that_is_lost_after_the_commit_landed_is_no_failure(hub: FakeHub, mine: Store, status: int) -> None:
    push(hub, mine)
    model = retain(mine, "flowers", "1")
    hub.failing = [(status, True)]
    push(hub, mine)
    assert len(hub.commits) == 3
    record = there(hub, mine).task("flowers").record
    assert record is not None
    assert record["model"] == model


def test_a_commit_that_fails_is_one_line_and_the_next_push_goes_on(hub: FakeHub, mine: Store) -> None:
    push(hub, mine)
    retain(mine, "flowers", "1")
    hub.failing = [(500, False)]
    with pytest.raises(StoreError, match=r"cannot write hf://org/fleet: 500 from the hub.*token"):
        push(hub, mine)
    hub.failing = [(412, False)]  # the hub may tell of a head that is old
    push(hub, mine)
    assert check(there(hub, mine)).ok
    assert len(hub.commits) == 3


def test_what_is_larger_than_it_should_be_is_not_fetched_and_wrong_bytes_are_named(hub: FakeHub, mine: Store) -> None:
    model = retain(mine, "flowers", "1")
    push(hub, mine)
    key = layer_key(mine.get_model(model)["layers"]["head"])
    hub.commits.append({**hub.files, key: bytes(40)})
    with pytest.raises(DamagedError, match=f"{key} has 40 bytes: at most 9"):
        there(hub, mine).layer(mine.get_model(model)["layers"]["head"], 9)
    assert [damage.path for damage in check(there(hub, mine)).damaged] == [key]


def test_nothing_is_removed_from_the_hub(hub: FakeHub, mine: Store) -> None:
    push(hub, mine)
    with pytest.raises(StoreError, match="keeps what was committed"):
        collect(there(hub, mine))
    with pytest.raises(StoreError, match="keeps what was committed"):
        there(hub, mine).bucket.delete(["munet.json"])


@pytest.mark.parametrize("name", ["hf://fleet", "hf://org/fleet/more", "hf:///fleet"])
def test_addresses_of_repositories_have_two_parts(name: str) -> None:
    with pytest.raises(InputError, match="hf://ORG/NAME"):
        HubBucket(name)


def test_a_hub_that_does_not_answer_is_one_line(hub: FakeHub, mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(repo: str) -> None:
        raise refusal(HfHubHTTPError, 503)

    monkeypatch.setattr(hub, "repo_info", closed)
    with pytest.raises(StoreError, match=r"cannot read hf://org/fleet: 503") as error:
        there(hub, mine)
    assert error.value.kind == "remote"


def test_private_tasks_stay_at_home(hub: FakeHub, mine: Store) -> None:
    new_task(mine, "patients", private=True)
    retain(mine, "patients", "1")
    push(hub, mine)
    assert not any("patients" in path or b"patients" in data for path, data in hub.files.items())
