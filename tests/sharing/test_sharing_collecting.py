"""Collecting and checking an object store: what is reached stays whoever pushes meanwhile; damage is told."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

obstore = pytest.importorskip("obstore", reason="obstore is not installed")
from obstore.store import MemoryStore  # noqa: E402

from munet.errors import DamagedError, StoreError  # noqa: E402
from munet.fs.bucket import Bucket, Listed  # noqa: E402
from munet.sharing import exclusion  # noqa: E402
from munet.sharing.checking import check  # noqa: E402
from munet.sharing.collecting import MARKS, Collected, collect  # noqa: E402
from munet.sharing.copying import Copied, copy_root, is_whole  # noqa: E402
from munet.sharing.exchange import exchange  # noqa: E402
from munet.sharing.exclusion import PUSHES, SWEEP, Push, sweeping  # noqa: E402
from munet.sharing.objects import ObjectPlace, layer_key, model_key  # noqa: E402
from munet.store import Store  # noqa: E402
from munet.store.manifests import encode  # noqa: E402
from sharing_tools import fleet, place, retain  # noqa: E402
from store_tools import layer_bytes, manifest  # noqa: E402

WEEK = timedelta(days=7)
SOON = timedelta(0)


class Clocked(Bucket):
    """A store whose clock is moved by hand."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), "memory:///fleet")
        self.ahead = timedelta(0)
        self.times: dict[str, datetime] = {}
        self.asked: list[str] = []

    def put(self, key: str, data: bytes, mode: Any) -> dict[str, str] | None:
        done = super().put(key, data, mode)
        if done is not None:
            self.times[key] = datetime.now(UTC) + self.ahead
        self.asked.append(f"put {key.partition('/')[0]}")
        return done

    def modified(self, key: str) -> datetime | None:
        return self.times[key] if super().modified(key) is not None else None

    def list(self, folder: str):
        return iter([Listed(one.key, one.size, self.times[one.key]) for one in super().list(folder)])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exclusion, "_POLL", 0.001)


@pytest.fixture
def bucket(mine: Store) -> Clocked:
    bucket = Clocked()
    there = ObjectPlace(bucket)
    there.mark(copy_root(place(mine), there, Copied()))
    return bucket


def opened(bucket: Bucket) -> ObjectPlace:
    there = ObjectPlace(bucket)
    assert there.open()
    return there


def push(mine: Store, bucket: Bucket) -> None:
    exchange(place(mine), opened(bucket))


def keys(bucket: Bucket) -> set[str]:
    return {one.key for folder in ("layers", "models") for one in bucket.list(folder)}


def replaced(mine: Store, bucket: Bucket) -> tuple[str, str]:
    """Two models of one task, of which the second replaced the first."""
    first = retain(mine, "flowers", "1")
    push(mine, bucket)
    second = retain(mine, "flowers", "2")
    push(mine, bucket)
    return first, second


# -- what goes and what stays -----------------------------------------------------------------------------------------


def test_what_is_idle_is_marked_and_goes_when_the_grace_is_over_by_the_stores_clock(
    mine: Store, bucket: Clocked
) -> None:
    first, second = replaced(mine, bucket)
    head, before = mine.get_model(first)["layers"]["head"], keys(bucket)
    assert collect(opened(bucket), WEEK) == Collected(waiting=1)
    bucket.ahead = WEEK - timedelta(hours=1)
    assert collect(opened(bucket), WEEK) == Collected(waiting=1)
    assert keys(bucket) == before
    bucket.ahead = WEEK + timedelta(hours=1)
    would = collect(opened(bucket), WEEK, dry_run=True)
    assert (would.layers, would.models, would.dry_run, keys(bucket)) == (1, 0, True, before)
    done = collect(opened(bucket), WEEK)
    assert (done.layers, done.models, done.bytes, done.waiting) == (1, 0, would.bytes, 0)
    assert before - keys(bucket) == {layer_key(head)}
    assert model_key(first) in keys(bucket), "its manifest tells the lineage"
    assert is_whole(opened(bucket), second)
    assert check(opened(bucket)).ok


def test_a_dry_run_marks_nothing(mine: Store, bucket: Clocked) -> None:
    replaced(mine, bucket)
    assert collect(opened(bucket), SOON, dry_run=True) == Collected(waiting=1, dry_run=True)
    assert bucket.get(MARKS, 1000)[0] is None


def test_what_is_needed_again_stays_and_its_grace_begins_anew(mine: Store, bucket: Clocked) -> None:
    first, _ = replaced(mine, bucket)
    collect(opened(bucket), WEEK)
    head = layer_key(mine.get_model(first)["layers"]["head"])
    bucket.ahead = WEEK + timedelta(hours=1)
    bucket.put(head, mine.get_layer_bytes(mine.get_model(first)["layers"]["head"]), "overwrite")
    assert collect(opened(bucket), WEEK) == Collected(waiting=1)
    assert head in keys(bucket)


def test_heads_beside_the_retained_model_stay(mine: Store, bucket: Clocked, tmp_path: Path) -> None:
    other = fleet(tmp_path / "other", "flowers")
    weaker, better = retain(mine, "flowers", "1", 0.5), retain(other, "flowers", "2", 0.6)
    push(mine, bucket)
    push(other, bucket)
    collect(opened(bucket), SOON)
    assert collect(opened(bucket), SOON) == Collected()
    assert is_whole(opened(bucket), weaker)
    assert is_whole(opened(bucket), better)


def test_a_line_of_models_that_nothing_names_goes_from_its_youngest(mine: Store, bucket: Clocked) -> None:
    there, line = opened(bucket), [mine.root]
    for number in range(4):
        orphan = manifest({}, task="flowers", parent=line[-1], generation=number)
        line.append(mine.models.put(encode(orphan)))
        there.put_model(line[-1], orphan, whole=False)
    collect(there, SOON)
    gone = list[str]()
    real = bucket.delete

    def dying(keys: Any) -> None:
        found = list(keys)
        real(found)
        gone.extend(key for key in found if key.startswith("models"))
        if len(gone) == 2:
            raise StoreError("gone", kind="remote")

    bucket.delete = dying
    with pytest.raises(StoreError, match="gone"):
        collect(there, SOON)
    assert gone == [model_key(model) for model in reversed(line[3:])]
    bucket.delete = real
    assert collect(there, SOON).models == 2
    assert check(there).ok


def test_an_old_model_stays_while_a_younger_one_that_descends_from_it_does(mine: Store, bucket: Clocked) -> None:
    there = opened(bucket)
    old = manifest({}, task="flowers", parent=mine.root)
    old_id = mine.put_model(old)
    there.put_model(old_id, old, whole=False)
    collect(there, WEEK)
    bucket.ahead = WEEK + timedelta(hours=1)
    young = manifest({}, task="flowers", parent=old_id)
    young_id = mine.put_model(young)
    there.put_model(young_id, young, whole=False)
    assert collect(there, WEEK) == Collected(waiting=2)
    bucket.ahead *= 3
    assert collect(there, WEEK).models == 2


def test_nothing_goes_where_damage_hides_what_has_to_stay(mine: Store, bucket: Clocked) -> None:
    first, second = replaced(mine, bucket)
    collect(opened(bucket), SOON)
    before = keys(bucket)
    for key, data in (("tasks/flowers.json", b"{}"), (model_key(second), b"{}"), (model_key(first), b"")):
        kept, _ = bucket.get(key, 1 << 20)
        assert kept is not None
        bucket.put(key, data, "overwrite")
        with pytest.raises(DamagedError, match=f"{key}.* nothing was removed"):
            collect(opened(bucket), SOON)
        bucket.put(key, kept, "overwrite")
    assert keys(bucket) == before


def test_the_copy_of_a_directory_and_what_can_only_be_read_are_left_alone(bucket: Clocked) -> None:
    there = opened(bucket)
    there.listed = False
    with pytest.raises(StoreError, match="can only be read"):
        collect(there)
    bucket.put("runs/0001/run.json", b"{}", "create")
    with pytest.raises(StoreError, match="has runs"):
        collect(opened(bucket))


# -- pushes and sweeps see each other ---------------------------------------------------------------------------------


def test_a_sweep_waits_for_pushes_and_gives_up_without_having_removed_anything(mine: Store, bucket: Clocked) -> None:
    replaced(mine, bucket)
    collect(opened(bucket), SOON)
    before, goes_on = keys(bucket), Push(bucket)
    goes_on.begin()
    with pytest.raises(StoreError, match="somebody pushes") as busy, sweeping(bucket, patience=0.01):
        pass
    assert busy.value.kind == "busy"
    assert keys(bucket) == before
    goes_on.end()
    assert collect(opened(bucket), SOON).layers == 1


def test_a_push_waits_for_the_end_of_a_sweep(bucket: Clocked) -> None:
    later, seen = Push(bucket), list[str]()
    with sweeping(bucket):
        thread = threading.Thread(target=lambda: (later.begin(), seen.append("begun")))
        thread.start()
        thread.join(0.1)
        assert seen == []
        assert not later.lasts()
    thread.join(10)
    assert seen == ["begun"]
    assert later.lasts()
    later.end()
    assert list(bucket.list(PUSHES)) == []


def test_what_the_dead_left_behind_counts_for_a_while_by_the_stores_clock(bucket: Clocked) -> None:
    Push(bucket).begin()
    bucket.ahead = timedelta(hours=25)
    with sweeping(bucket, patience=0):
        assert list(bucket.list(PUSHES)) == []
    bucket.put(SWEEP, b'{"sweep": "of a dead process", "over": false}', "overwrite")
    with pytest.raises(StoreError, match="another collection"), sweeping(bucket):
        pass
    bucket.ahead += timedelta(minutes=61)
    Push(bucket).begin()
    with pytest.raises(StoreError, match="somebody pushes"), sweeping(bucket, patience=0):
        pass


def test_a_push_that_took_too_long_looks_again_before_it_names_anything(
    mine: Store, bucket: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = retain(mine, "flowers", "1")
    ages = iter([7 * 3600.0])
    monkeypatch.setattr(exclusion.Age, "seconds", lambda self: next(ages, 0.0))
    push(mine, bucket)
    assert is_whole(opened(bucket), model)
    assert bucket.asked.count("put pushes") == 2
    assert list(bucket.list(PUSHES)) == []


def test_a_sweep_whose_announcement_was_lost_is_its_own(bucket: Clocked) -> None:
    real = bucket.put

    def losing(key: str, data: bytes, mode: Any) -> Any:
        done = real(key, data, mode)
        return None if key == SWEEP and b'"over": false' in data else done

    bucket.put = losing
    with sweeping(bucket) as sweep:
        assert sweep.lasts()
    assert b"true" in (bucket.get(SWEEP, 1000)[0] or b"")


class Interleaved(Bucket):
    """A store at whose n-th request somebody else does something first."""

    def __init__(self, bucket: Bucket, request: int, other: Callable[[], None]) -> None:
        self._bucket, self._left, self._other = bucket, request, other
        self.name = bucket.name

    def _turn(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._other()

    def get(self, key: str, most: int) -> Any:
        self._turn()
        return self._bucket.get(key, most)

    def put(self, key: str, data: bytes, mode: Any) -> Any:
        self._turn()
        return self._bucket.put(key, data, mode)

    def modified(self, key: str) -> Any:
        self._turn()
        return self._bucket.modified(key)

    def list(self, folder: str) -> Any:
        self._turn()
        return self._bucket.list(folder)

    def names(self, folder: str) -> Any:
        self._turn()
        return self._bucket.names(folder)

    def delete(self, keys: Any) -> None:
        for key in keys:
            self._turn()
            self._bucket.delete([key])

    @property
    def asked_all(self) -> bool:
        return self._left > 0


def orphaned(mine: Store, bucket: Clocked) -> str:
    """A model that a push that died has put there, marked long ago, and that the next push counts on."""
    replaced(mine, bucket)
    model = retain(mine, "flowers", "3")
    there = opened(bucket)
    for layer in mine.get_model(model)["layers"].values():
        there.put_layer(layer, mine.get_layer_bytes(layer))
    there.put_model(model, mine.get_model(model), whole=True)
    collect(there, SOON)
    return model


def test_a_collection_at_any_moment_of_a_push_removes_nothing_that_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusion, "_PATIENCE", 0.0)
    request, over = 0, False
    while not over:
        request += 1
        mine = fleet(tmp_path / str(request), "flowers")
        bucket = Clocked()
        there = ObjectPlace(bucket)
        there.mark(copy_root(place(mine), there, Copied()))
        model = orphaned(mine, bucket)

        def collected(bucket: Clocked = bucket) -> None:
            with suppress(StoreError):  # the push goes on
                collect(opened(bucket), SOON)
            assert check(opened(bucket)).ok

        watched = Interleaved(bucket, request, collected)
        push(mine, watched)
        over = watched.asked_all
        assert is_whole(opened(bucket), model), f"after a collection at request {request}"
        assert check(opened(bucket)).ok
    assert request > 10


def test_a_push_at_any_moment_of_a_collection_loses_nothing(tmp_path: Path) -> None:
    request, over = 0, False
    while not over:
        request += 1
        mine = fleet(tmp_path / str(request), "flowers")
        bucket = Clocked()
        there = ObjectPlace(bucket)
        there.mark(copy_root(place(mine), there, Copied()))
        model, pushes = orphaned(mine, bucket), list[threading.Thread]()

        def pushed(mine: Store = mine, bucket: Clocked = bucket, pushes: list[threading.Thread] = pushes) -> None:
            pushes.append(threading.Thread(target=push, args=(mine, bucket)))
            pushes[0].start()
            pushes[0].join(0.1)  # while a sweep goes on it waits

        watched = Interleaved(bucket, request, pushed)
        collect(opened(watched), SOON)
        for thread in pushes:
            thread.join(30)
            assert not thread.is_alive()
        over = watched.asked_all
        if not over:
            assert is_whole(opened(bucket), model), f"after a push at request {request}"
        assert check(opened(bucket)).ok
    assert request > 10


# -- checking ---------------------------------------------------------------------------------------------------------


def test_a_check_reads_every_object_and_names_whom_damage_hurts(mine: Store, bucket: Clocked) -> None:
    first, second = replaced(mine, bucket)
    asked, found = list(bucket.asked), check(opened(bucket))
    assert (found.ok, found.tasks, found.models) == (True, 1, 3)
    assert found.bytes == sum(one.size for one in bucket.list("layers"))
    assert bucket.asked == asked, "nothing is written"
    bucket.put("layers/note.txt", b"", "create")
    heads = [mine.get_model(model)["layers"]["head"] for model in (first, second)]
    for head in heads:
        bucket.put(layer_key(head), layer_bytes("other"), "overwrite")
    bucket.delete([model_key(first)])
    found = check(opened(bucket))
    hurt = {damage.path: (damage.kind, damage.tasks, damage.weights) for damage in found.damaged}
    assert hurt == {
        layer_key(heads[0]): ("layer", (), False),
        layer_key(heads[1]): ("layer", ("flowers",), True),
        model_key(first): ("model", ("flowers",), False),
    }
    assert found.strays == ["layers/note.txt"]
    bucket.put("tasks/flowers.json", b"{}", "overwrite")
    told = {damage.path: damage.kind for damage in check(opened(bucket)).damaged}
    assert told["tasks/flowers.json"] == "task"


def test_what_others_let_go_meanwhile_is_no_damage(mine: Store, bucket: Clocked) -> None:
    first = retain(mine, "flowers", "1")
    push(mine, bucket)
    there, real = opened(bucket), ObjectPlace.layer
    head, done = mine.get_model(first)["layers"]["head"], list[bool]()

    def meanwhile(id: str, most: int) -> bytes:
        if not done:
            done.append(True)
            retain(mine, "flowers", "2")
            push(mine, bucket)
            bucket.delete([layer_key(head)])
        return real(there, id, most)

    there.layer = meanwhile  # pyright: ignore[reportAttributeAccessIssue]
    assert check(there).ok
