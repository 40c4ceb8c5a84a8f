"""A random life of a system with crashes, a second evolver and readers, beside a model of it made of dictionaries."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from munet.errors import MunetError, StoreError
from munet.fs.atomic import explained
from munet.fs.tree import Tree
from munet.store import Store
from munet.store.consistent import consistent
from munet.store.gc import gc
from munet.store.run_files import generation_file, models_of_generation
from munet.store.run_records import read_generation
from store_machine import TAGS, TASKS, StoreMachine
from store_tools import Faults, put_child
from torture_tools import SHARES, Tally

EXAMPLES = 2_000  # lives of up to 40 steps


class CrashingMachine(StoreMachine):
    """What `StoreMachine` does, and what may happen to it."""

    crashes = 0

    @rule(name=TASKS, tag=TAGS, k=st.integers(1, 45))
    def crash_in_a_commit(self, name: str, tag: str, k: int) -> None:
        """From its k-th system call on nothing works any more; then the system is opened again."""
        if name not in self.records:
            return
        before = list(self.open_children.get(name, []))
        try:
            with Faults(k, errno.EIO, sticky=True).injected(), self.store.commit():
                model = put_child(self.store, name, self.store.root, f"{tag} of a crash")
                self.open_children[name] = [*before, model]
                self.write_generation(name)
        except StoreError:
            type(self).crashes += 1
        self.store = Store.open(self.store.path)
        file = generation_file(name, self.iterations.get(name, 0), 0)
        there = self.store.has_run_file(self.run, file)
        found = models_of_generation(read_generation(self.store, self.run, file)) if there else []
        assert found in (before, self.open_children.get(name, before))  # one or the other, nothing between
        self.open_children[name] = found
        if not found:
            del self.open_children[name]
        for model in found:
            manifest = self.manifests[model] = self.store.get_model(model)
            for layer in (*manifest["layers"].values(), *manifest["momentum"].values()):
                self.layers[layer] = self.store.get_layer_bytes(layer)
        gc(self.store)  # of what the crash left

    @rule()
    def a_second_evolver(self) -> None:
        with self.store.evolving("a"), pytest.raises(StoreError, match="is already evolving"):
            Store.open(self.store.path).evolving("a").__enter__()

    @rule()
    def a_reader(self) -> None:
        other = Store.open(self.store.path)

        def read() -> None:
            for record in other.task_records():
                if record["model"]:
                    for layer in other.get_model(record["model"])["layers"].values():
                        other.get_layer_bytes(layer)

        consistent(other, read)


def live(examples: int) -> None:
    CrashingMachine.crashes = 0
    run_state_machine_as_test(
        CrashingMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=tuple(HealthCheck),  # pyright: ignore[reportArgumentType]
        ),
    )


@SHARES
@pytest.mark.timeout(0)
def test_a_life_with_crashes(share: float):
    examples = max(10, int(EXAMPLES * share))
    live(examples)
    assert CrashingMachine.crashes > 0
    Tally("random lives with crashes, collections, readers", examples).told()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_store_without_care_would_fail(monkeypatch: pytest.MonkeyPatch):
    """With a writer that empties a file before it fills it, a crash leaves a record that nobody can read."""

    def write(files: Tree, path: Path | str, data: bytes) -> None:
        with explained("write", path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            os.write(descriptor, data)
            os.close(descriptor)

    monkeypatch.setattr(Tree, "write", write)

    def crash_everywhere() -> None:
        for k in range(1, 45):
            machine = CrashingMachine()
            try:
                machine.add_task("a")
                machine.crash_in_a_commit("a", "x", k)
                machine.whole()
            finally:
                machine.teardown()

    with pytest.raises((MunetError, AssertionError)):
        crash_everywhere()
