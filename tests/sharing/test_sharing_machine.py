"""Three people, a remote, and whatever may happen: nothing retained is lost, and in the end all hold the same."""

import importlib.util
import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from munet.fs.bucket import Bucket
from munet.fs.hub_bucket import HubBucket
from munet.sharing.checking import check
from munet.sharing.collecting import collect
from munet.sharing.copying import Copied, copy_root, is_whole
from munet.sharing.exchange import Refused, exchange
from munet.sharing.objects import ObjectPlace
from munet.sharing.place import Held, Place
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.retained import heads
from munet.store.schema import Manifest, TaskRecord
from sharing_tools import fleet, new_task, place, retain

PEOPLE = st.sampled_from(["alice", "bob", "carol"])
PLACES = st.sampled_from(["alice", "bob", "carol", "remote"])
TASKS = st.sampled_from(["flowers", "signs"])


class Cut(Exception):
    """The process is gone."""


class Disturbed:
    """A place that dies at its n-th write, or where somebody else comes between the look at a record and its change."""

    def __init__(self, place: Place, writes: int | None = None, before_swap: Any = None) -> None:
        self._place, self._left, self._before_swap = place, writes, before_swap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Cut

    def put_layer(self, id: str, data: bytes) -> None:
        self._count()
        self._place.put_layer(id, data)

    def put_model(self, id: str, manifest: Manifest, *, whole: bool) -> None:
        self._count()
        self._place.put_model(id, manifest, whole=whole)

    def swap(self, record: TaskRecord, held: Held) -> bool:
        self._count()
        if self._before_swap is not None:
            hinder, self._before_swap = self._before_swap, None
            hinder()
        done = self._place.swap(record, held)
        self._count()  # it landed, and nobody hears of it
        return done


class SharingMachine(RuleBasedStateMachine):
    """Folders all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.unflushed = patch("os.fsync")  # no power is cut here, and waiting for the disk would take all the time
        self.unflushed.start()
        self.folder = Path(tempfile.mkdtemp(prefix="munet-sharing-"))
        self.stores = {name: fleet(self.folder / name) for name in ("alice", "bob", "carol")}
        self.retained: dict[str, set[str]] = {}  # task -> every model that somebody retained
        self.told: dict[tuple[str, str], set[str]] = {}  # place and task -> every model that it was told of
        self.count = 0
        self.remote = self.make_remote()

    def make_remote(self) -> Place:
        self.stores["remote"] = fleet(self.folder / "remote")
        return place(self.stores["remote"])

    def teardown(self) -> None:
        self.unflushed.stop()
        shutil.rmtree(self.folder)

    def place(self, name: str) -> Place:
        return self.remote if name == "remote" else place(self.stores[name])

    # What may happen -------------------------------------------------------------------------------------------------

    @rule(person=PEOPLE, task=TASKS, accuracy=st.sampled_from([0.5, 0.6]), again=st.booleans())
    def evolve(self, person: str, task: str, accuracy: float, again: bool) -> None:
        """A new model; `again`: the very one that somebody else may get, from the same seed."""
        store = self.stores[person]
        if not store.has_task(task):
            new_task(store, task)
        self.count += not again
        model = retain(store, task, f"{task} {self.count}", accuracy, by=person)
        self.retained.setdefault(task, set()).add(model)

    @rule(source=PLACES, there=PLACES)
    def send(self, source: str, there: str) -> None:
        exchange(self.place(source), self.place(there))

    @rule(source=PLACES, there=PLACES, writes=st.integers(0, 9))
    def cut_off(self, source: str, there: str, writes: int) -> None:
        with suppress(Cut):
            dying: Any = Disturbed(self.place(there), writes)
            exchange(self.place(source), dying)

    @rule(source=PEOPLE, there=PLACES, other=PEOPLE, task=TASKS)
    def raced(self, source: str, there: str, other: str, task: str) -> None:
        """Two have news of one task and send them at once: one comes in between."""
        self.evolve(source, task, 0.5, False)
        self.evolve(other, task, 0.5, False)

        def come_between() -> None:
            self.send(other, there)
            self.no_place_forgets()

        hindered: Any = Disturbed(self.place(there), None, come_between)
        exchange(self.place(source), hindered)

    @rule(name=PLACES)
    def collect(self, name: str) -> None:
        if name in self.stores:
            gc(self.stores[name])

    @rule(person=PEOPLE, task=TASKS)
    def pull_while_another_evolves(self, person: str, task: str) -> None:
        with self.stores[person].evolving(task), suppress(Refused):
            exchange(self.remote, self.place(person))

    @rule()
    def settle(self) -> None:
        for _ in range(2):
            for person in ("alice", "bob", "carol"):
                exchange(self.place(person), self.remote)
                exchange(self.remote, self.place(person))
        states = [self.state(name) for name in ("alice", "bob", "carol", "remote")]
        assert all(state == states[0] for state in states)
        for task, models in self.retained.items():
            assert models <= set(states[0][task]["retained"])

    # What always holds -----------------------------------------------------------------------------------------------

    def records(self, name: str) -> dict[str, TaskRecord]:
        found = {task: self.place(name).task(task).record for task in self.place(name).tasks()}
        return {task: record for task, record in found.items() if record is not None}

    def state(self, name: str) -> dict[str, Any]:
        keys = ("model", "test", "iterations", "retained")
        return {task: {key: record.get(key) for key in keys} for task, record in self.records(name).items()}

    @invariant()
    def no_place_forgets(self) -> None:
        """Whatever a place was told of it knows, and what nothing has replaced is whole there."""
        for name in ("alice", "bob", "carol", "remote"):
            for task, record in self.records(name).items():
                history = record.get("retained") or {}
                told = self.told.setdefault((name, task), set())
                assert told <= set(history)
                told.update(history)
                assert all(is_whole(self.place(name), head) for head in heads(history))
                assert record["model"] is None or record["model"] in heads(history)

    @invariant()
    def nothing_retained_is_lost(self) -> None:
        for task, models in self.retained.items():
            assert models <= {model for (_, told), known in self.told.items() if told == task for model in known}

    @invariant()
    def every_system_is_whole(self) -> None:
        for store in self.stores.values():
            assert fsck(store).damaged == []


class ObjectMachine(SharingMachine):
    """The remote is an object store."""

    def make_remote(self) -> Place:
        from obstore.store import MemoryStore

        made, alice = ObjectPlace(Bucket(MemoryStore(), "memory:///fleet")), place(self.stores["alice"])
        made.mark(copy_root(alice, made, Copied()))
        return made

    @rule()
    def collect_there(self) -> None:
        """Whatever is idle twice in a row goes."""
        assert isinstance(self.remote, ObjectPlace)
        collect(self.remote, timedelta(0))

    @invariant()
    def the_store_is_whole(self) -> None:
        assert isinstance(self.remote, ObjectPlace)
        assert check(self.remote).damaged == []


class HubMachine(SharingMachine):
    """The remote is a repository of the hub, and each who asks it a process of its own."""

    def make_remote(self) -> Place:
        from fake_hub import FakeHub

        (self.folder / "cache").mkdir()
        self.hub = FakeHub(self.folder / "cache")
        made, alice = self.remote, place(self.stores["alice"])
        made.mark(copy_root(alice, made, Copied()))
        assert made.settle()
        return made

    @property
    def remote(self) -> ObjectPlace:  # pyright: ignore[reportIncompatibleVariableOverride]
        found = ObjectPlace(HubBucket("hf://org/fleet", self.hub))
        found.open()
        return found

    @remote.setter
    def remote(self, made: Place) -> None:
        pass


SMALL = settings(
    max_examples=15,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=tuple(HealthCheck),  # pyright: ignore[reportArgumentType]
)
SharingMachine.TestCase.settings = ObjectMachine.TestCase.settings = SMALL
HubMachine.TestCase.settings = settings(SMALL, max_examples=5)


def unless_missing(library: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not importlib.util.find_spec(library), reason=f"{library} is not installed")


TestFolders = SharingMachine.TestCase
TestObjects = unless_missing("obstore")(ObjectMachine.TestCase)
TestHub = unless_missing("huggingface_hub")(HubMachine.TestCase)
