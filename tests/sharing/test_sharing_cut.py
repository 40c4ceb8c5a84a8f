"""A push that ends after any of its requests, answers that are lost: nothing dangles, nothing is claimed in vain."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("obstore", reason="obstore is not installed")
from obstore.store import MemoryStore

from munet.fs.bucket import Bucket
from munet.sharing.checking import check
from munet.sharing.copying import AT_ONCE, Copied, copy_root, is_whole
from munet.sharing.exchange import exchange
from munet.sharing.objects import ObjectPlace
from munet.store import Store
from munet.store.retained import history_of
from sharing_tools import fleet, place, retain


class Dead(Exception):
    """The process is gone."""


class Mortal(Bucket):
    """A store that one process asks so many times, then dies; `landed`: its last request was done all the same."""

    def __init__(self, store: Any, requests: int, *, landed: bool) -> None:
        super().__init__(store, "memory:///fleet")
        self._left, self._landed, self.sent = requests, landed, list[str]()

    def _live(self, request: Any) -> Any:
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._landed):
            raise Dead
        answer = request()
        if self._left == 0:
            raise Dead
        return answer

    def get(self, key: str, most: int) -> Any:
        return self._live(lambda: super(Mortal, self).get(key, most))

    def modified(self, key: str) -> Any:
        return self._live(lambda: super(Mortal, self).modified(key))

    def names(self, folder: str) -> Any:
        return self._live(lambda: super(Mortal, self).names(folder))

    def delete(self, keys: Any) -> None:
        self._live(lambda: super(Mortal, self).delete(keys))

    def put(self, key: str, data: bytes, mode: Any) -> Any:
        self.sent.append(key)
        return self._live(lambda: super(Mortal, self).put(key, data, mode))


def push(mine: Store, bucket: Bucket) -> None:
    there = ObjectPlace(bucket)
    if not there.open():
        there.mark(copy_root(place(mine), there, Copied()))
    exchange(place(mine), there)


@pytest.mark.parametrize("landed", [False, True])
def test_a_push_may_die_after_any_request_whether_that_lands_or_not(tmp_path: Path, landed: bool) -> None:
    mine = fleet(tmp_path / "mine", "flowers")
    retain(mine, "flowers", "1")
    model = retain(mine, "flowers", "2")
    requests, alive = 0, False
    while not alive:
        requests += 1
        store = MemoryStore()
        dying = Mortal(store, requests, landed=landed)
        try:
            push(mine, dying)
            alive = True
        except Dead:
            pass
        there = ObjectPlace(Bucket(store, "memory:///fleet"))
        if there.open():
            assert check(there).ok, f"after {requests} requests"
        after = Mortal(store, 10**6, landed=True)
        push(mine, after)
        assert is_whole(ObjectPlace(Bucket(store, "memory:///fleet")), model)
        again = [key for key in after.sent if key in dying.sent and key.startswith(("layers", "models"))]
        assert len(again) <= AT_ONCE, "a worker sends one object twice at most"
    assert requests > 15


class Deaf(Bucket):
    """A store of whose answers to writes 30 % are lost: who tries again is told that somebody was faster."""

    def __init__(self, store: Any, seed: int) -> None:
        super().__init__(store, "memory:///fleet")
        self._random = random.Random(seed)

    def put(self, key: str, data: bytes, mode: Any) -> Any:
        mark = super().put(key, data, mode)
        return None if self._random.random() < 0.3 else mark


def test_what_was_acknowledged_is_stored_and_nothing_else_though_a_third_of_answers_is_lost(tmp_path: Path) -> None:
    store, people = MemoryStore(), [fleet(tmp_path / str(number), "flowers") for number in range(4)]
    push(people[0], Bucket(store, "memory:///fleet"))

    def work(number: int) -> set[str]:
        made = set[str]()
        for step in range(8):
            model = retain(people[number], "flowers", f"{number} {step}", by=str(number))
            with suppress(Exception):
                push(people[number], Deaf(store, 100 * number + step))
                made.add(model)
        return made

    with ThreadPoolExecutor(4) as pool:
        acknowledged = set.union(*pool.map(work, range(4)))
    there = ObjectPlace(Bucket(store, "memory:///fleet"))
    assert there.open()
    record = there.task("flowers").record
    assert record is not None
    assert len(acknowledged) == 32
    assert acknowledged == set(history_of(record))
    assert check(there).ok
