"""A random life of a system beside a model of it made of dictionaries."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from munet.errors import DamagedError, InputError
from munet.store import Store
from munet.store.derived import resolve_model
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.schema import TaskRecord
from store_tools import (
    changed,
    generation,
    layer_bytes,
    make_store,
    native_layer,
    put_child,
    task_record,
    temporary_files_in,
)

TAGS = st.text("abcdef", min_size=1, max_size=2)
TASKS = st.sampled_from(["a", "b", "c"])


class StoreMachine(RuleBasedStateMachine):
    models = Bundle("models")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="munet-store-"))
        self.store = make_store(self.folder / "s")
        self.layers: dict[str, bytes] = {id: self.store.get_layer_bytes(id) for id in self.store.layers.ids()}
        self.manifests = {self.store.root: self.store.get_model(self.store.root)}
        self.records: dict[str, TaskRecord] = {}
        self.run = self.store.new_run({})
        self.open_children: dict[str, list[str]] = {}  # task -> accepted children that wait for a verdict
        self.iterations: dict[str, int] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    # What a system should hold ---------------------------------------------------------------------------------------

    def kept(self) -> tuple[set[str], set[str]]:
        """Models and layers that have to stay."""
        weights = {self.store.root}
        for name, record in self.records.items():
            weights |= {record["model"]} if record["model"] else set()
            weights |= set(record["active"]["population"]) if record["active"] else set()
            weights |= set(self.open_children.get(name, []))
        layers = set()
        for model in weights:
            manifest = self.manifests[model]
            layers |= {*manifest["layers"].values(), *manifest["momentum"].values()}
        layers.add(native_layer(self.manifests[self.store.root]))
        models = set(weights)
        for model in weights:
            while (model := self.manifests[model]["parent"]) is not None:
                models.add(model)
        return models, layers

    # What happens to it ----------------------------------------------------------------------------------------------

    @rule(tag=TAGS)
    def put_loose_layer(self, tag: str) -> None:
        data = layer_bytes(tag, 8)
        self.layers[self.store.put_layer_bytes(data)] = data

    @rule(name=TASKS)
    def add_task(self, name: str) -> None:
        record = task_record(name, added=len(self.records))
        if name in self.records:
            with pytest.raises(InputError, match="already has a task"):
                self.store.create_task(record)
        else:
            self.store.create_task(record)
            self.records[name] = record

    @rule(target=models, name=TASKS, tag=TAGS, data=st.data())
    def commit_child(self, name: str, tag: str, data: st.DataObject) -> str:
        """A child of any model that has its weights, accepted or not, as evolution commits it."""
        if name not in self.records:
            return self.store.root
        alive = sorted(m for m in self.kept()[0] if self.has_weights(m))
        parent = data.draw(st.sampled_from(alive))
        accepted = data.draw(st.booleans())
        with self.store.commit():
            model = put_child(self.store, name, parent, tag)
            manifest = self.store.get_model(model)
            self.manifests[model] = manifest
            for layer in (*manifest["layers"].values(), *manifest["momentum"].values()):
                self.layers[layer] = self.store.get_layer_bytes(layer)
            if accepted:
                self.open_children.setdefault(name, []).append(model)
            self.write_generation(name)
        return model

    def has_weights(self, model: str) -> bool:
        return all(self.store.has_layer(layer) for layer in self.manifests[model]["layers"].values())

    def write_generation(self, name: str) -> None:
        iteration = self.iterations.get(name, 0)
        record = generation((name, iteration, 0), [*self.open_children.get(name, []), None])
        self.store.write_run(self.run, f"{name}-{iteration:04d}-0000", record)

    @rule(name=TASKS)
    @precondition(lambda self: self.open_children)
    def close_generation(self, name: str) -> None:
        if self.open_children.get(name):
            active = {
                "run": self.run,
                "iteration": self.iterations.get(name, 0),
                "population": self.open_children[name][:],
            }
            self.records[name] = changed(self.records[name], active=active)
            self.store.write_task(self.records[name])

    @rule(name=TASKS, data=st.data())
    def retain(self, name: str, data: st.DataObject) -> None:
        if not self.open_children.get(name):
            return
        best = data.draw(st.sampled_from(self.open_children.pop(name)))
        last = {"run": self.run, "iteration": self.iterations.get(name, 0)}
        self.iterations[name] = last["iteration"] + 1
        self.records[name] = changed(self.records[name], model=best, active=None, last=last)
        self.store.write_task(self.records[name])

    @rule()
    def finish_run(self) -> None:
        """Also an abandoned one: its open populations are let go."""
        for name, record in self.records.items():
            if record["active"]:
                self.records[name] = changed(record, active=None)
                self.store.write_task(self.records[name])
        self.store.write_run(self.run, "finished.json", {})
        self.run = self.store.new_run({})
        self.open_children, self.iterations = {}, {}

    @rule()
    def collect(self) -> None:
        gc(self.store)
        models, layers = self.kept()
        assert set(self.store.models.ids()) == models
        assert set(self.store.layers.ids()) == layers

    @rule()
    def dry_collect(self) -> None:
        before = set(self.store.layers.ids()), set(self.store.models.ids())
        models, layers = self.kept()
        report = gc(self.store, dry_run=True)
        assert (report.layers, report.models) == (len(before[0] - layers), len(before[1] - models))
        assert (set(self.store.layers.ids()), set(self.store.models.ids())) == before

    @rule()
    def reopen(self) -> None:
        self.store = Store.open(self.store.path)

    @rule(data=st.data(), cut=st.booleans())
    def damage_and_restore(self, data: st.DataObject, cut: bool) -> None:
        objects = data.draw(st.sampled_from([self.store.layers, self.store.models]))
        id = data.draw(st.sampled_from(sorted(objects.ids())))
        path = objects.path(id)
        whole = path.read_bytes()
        position = data.draw(st.integers(0, len(whole) - 1))
        wrong = bytearray(whole)
        wrong[position] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(whole[:position] if cut else bytes(wrong))
        assert id in [damage.id for damage in fsck(self.store).damaged]
        with pytest.raises(DamagedError):
            objects.get(id)
        if objects is self.store.layers and data.draw(st.booleans()):
            assert self.store.put_layer_bytes(whole) == id  # a put heals
        else:
            path.write_bytes(whole)

    @rule(model=models)
    def read_some_model(self, model: str) -> None:
        if self.store.has_model(model):
            assert self.store.get_model(model) == self.manifests[model]
            assert resolve_model(self.store, model[:16]) == model

    # What always holds -----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_kept_is_lost_or_changed(self) -> None:
        models, layers = self.kept()
        for model in models:
            assert self.store.get_model(model) == self.manifests[model]
        for layer in layers:
            assert self.store.get_layer_bytes(layer) == self.layers[layer]

    @invariant()
    def refs_are_what_was_written(self) -> None:
        assert self.store.tasks() == sorted(self.records, key=lambda name: self.records[name]["added"])
        for name, record in self.records.items():
            assert self.store.read_task(name) == record

    @invariant()
    def whole(self) -> None:
        report = fsck(self.store)
        assert report.ok, report.damaged
        assert report.strays == []
        assert temporary_files_in(self.store.path) == []
