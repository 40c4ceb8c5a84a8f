"""From a published state directory to a munet system: check everything, then write, then let it appear."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from munet.importing.blueprint import Plan, plan
from munet.importing.formats import find
from munet.importing.hyperparameters import selections
from munet.importing.images import data_of, sources_of
from munet.importing.lineage import Family, family
from munet.importing.manifests import draft_models
from munet.importing.names import PRIVATE, in_catalog, task_names
from munet.importing.read_tables import read_state
from munet.importing.run_records import draft_records
from munet.importing.state import Key, State
from munet.importing.writing import Progress, Written, bytes_of, write_layers, write_models
from munet.provenance import now, versions
from munet.store import Store
from munet.store.derived import totals
from munet.store.run_records import finish, write_generation
from munet.store.schema import (
    Manifest,
    TaskData,
    TaskRecord,
    finished_record,
    model_test,
    run_record,
    run_request,
    task_record,
)
from munet.store.staging import refuse_taken, staged
from munet.tasks.reopen import NO_DATA

_RECORD = 500_000  # bytes of tensors that take about as long as a record, which is flushed, too


@dataclass(frozen=True)
class Import:
    """A published system that was checked and can be written."""

    state: State
    family: Family
    plan: Plan
    names: dict[str, str]  # published task -> ours
    data: dict[str, TaskData]  # published task -> data part of its record
    drafts: dict[Key, Manifest]
    iterations: dict[str, int]  # our task -> task iterations in its history
    generations: int  # in the history
    children: int  # models ever sampled
    notes: list[str]

    def write(self, path: Path | str, progress: Progress | None = None) -> dict[str, Any]:
        """Make the system; returns what it came to. `progress` gets bytes read and bytes in all, records included.

        Nothing is at `path` before the system is whole. StoreError where something is there already.
        """
        target = Path(path).absolute()
        written, report = Written(), progress or (lambda done, total: None)
        records = self.generations * _RECORD
        with staged(target) as stage:
            whole = bytes_of(self.plan)

            def objects(store: Store) -> str:
                write_layers(store, self.plan, written, lambda done, total: report(done, total + records))
                write_models(store, self.plan, self.drafts, self.family.parents, written)
                return written.models[self.family.root.key]

            store = Store.create(stage, objects)
            with store.evolving():
                self._write_run(store, written, lambda done: report(whole + done, whole + records))
                for record in self._tasks(written):
                    store.create_task(record)
        return self._summary(target, written)

    def _write_run(self, store: Store, written: Written, report: Callable[[int], None]) -> None:
        request = run_request(
            imported_from=self.state.format,
            method=None,
            tasks=list(self.iterations),
            seed=0,
            image_size=None,
            precision="fp32",
            threads=None,
        )
        config = run_record(request, threads=1, device=None, started=now(), versions=versions(), machine=None)
        run = store.new_run({**config, "config": self.state.config})
        for number, draft in enumerate(draft_records(self.state, self.names, []), start=1):
            write_generation(store, run, draft.with_ids(written.models))
            report(number * _RECORD)
        finish(store, run, finished_record(now(), abandoned=False))

    def _tasks(self, written: Written) -> Iterator[TaskRecord]:
        chosen = {self.names[model.task or ""]: model for model in self.family.retained}
        sampled: dict[str, dict[str, int]] = {name: {} for name in chosen}
        for model in [self.family.root, *self.family.retained]:
            for task, count in selections(model).items():
                name = self.names.get(task) or self.names.get(PRIVATE + task)
                if name in sampled:
                    sampled[name][written.models[model.key]] = count
        for added, task in enumerate(self.family.tasks, start=1):
            name = self.names[task]
            model, identity, over = chosen[name], written.models[chosen[name].key], self.iterations.get(name, 1)
            tested = model.row.number("metrics.test_quality")
            yield task_record(
                self.data[task],
                added=added,
                model=identity,
                iterations=over,
                test=None if tested is None else model_test(identity, tested, None),
                selections=sampled[name],
                last={"run": "0001", "iteration": over - 1},
            )

    def _summary(self, path: Path, written: Written) -> dict[str, Any]:
        manifests: dict[str, Manifest] = {}
        for blueprint in self.plan.models:
            layers = {slot: written.layers[component] for slot, component in blueprint.slots.items()}
            draft = self.drafts[blueprint.model.key]
            manifests[self.names[blueprint.model.task or ""]] = {**draft, "layers": layers}
        tested = [(model.task or "", model.row.number("metrics.test_quality")) for model in self.family.retained]
        return {
            "system": str(path),
            "format": self.state.format,
            "state": str(self.state.folder),
            "root": written.models[self.family.root.key],
            "tasks": len(manifests),
            "layers": len({*written.layers.values()}),
            "momentum": len({*written.momentum.values()}),
            "children": self.children,
            "parameters": sum(size for manifest in manifests.values() for size in manifest["sizes"].values()),
            **totals(manifests, {task: value for task, value in tested if value is not None}),
            "components_left_out": self.plan.left_out,
            "without_data": [self.names[t] for t in self.family.tasks if self.data[t]["source"] == NO_DATA],
            "notes": self.notes,
        }


def import_published(folder: str | Path, system: str | Path, **options: Any) -> dict[str, Any]:
    """Import the published system in `folder` as a new one at `system`; options as `prepare` takes them."""
    refuse_taken(Path(system))
    return prepare(folder, **options).write(system)


def prepare(
    folder: Path | str,
    *,
    data: Mapping[str, str] | None = None,
    catalog: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Import:
    """Read and check all of a published system but the values of its tensors; writes nothing.

    `data` maps tasks, by their published names or ours, to sources of their images. With `catalog`, tasks that are
    in the catalog take its name for them, and its images where these are on this machine. InputError for whatever is
    missing, malformed or inconsistent.
    """
    state = read_state(find(Path(folder)))
    related = family(state)
    drawn = plan(state, related)
    heads = {blueprint.model.task or "": blueprint.classes or 0 for blueprint in drawn.models}
    known = in_catalog(heads) if catalog else {}
    others = [model.task for model in state.paths if model.task is not None]  # given up by the published system
    names = task_names(dict.fromkeys([*related.tasks, *others]), {task: entry.name for task, entry in known.items()})
    notes, unread = list(drawn.notes), list[str]()
    drafts = draft_models(drawn, state, related, names)
    iterations, generations, children = {name: 1 for task, name in names.items() if task in heads}, 0, 0
    for draft in draft_records(state, names, unread):
        iterations[draft.record["task"]] = draft.record["iteration"] + 1
        generations += 1
        children += len(draft.models)
    if unread:
        notes.append(f"of the history {len(unread)} models are left out, the first because of {unread[0]}")
    for model in [related.root, *related.retained]:
        selections(model)  # said wrongly, it would only show when all layers are written
    sources = sources_of(data or {}, {task: names[task] for task in related.tasks})
    parts = data_of(drawn.models, names, sources, known, notes, progress)
    return Import(state, related, drawn, names, parts, drafts, iterations, generations, children, notes)
