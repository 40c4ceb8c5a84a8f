"""The active task: its population, the choice of parents, scores, and which model is retained."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from munet.evolution.inheritance import ChildSpec, Inheritance
from munet.evolution.runs import Run
from munet.evolution.seen import recorded, retained_now
from munet.model.cost import accounted_parameters, stage_flops
from munet.model.slots import adapters_of, blocks_in
from munet.provenance import author
from munet.rng import numpy_rng
from munet.search import (
    Ancestor,
    Candidate,
    Method,
    Parent,
    Plan,
    SharedPreprocessing,
    accepted,
    best_of,
    references,
    sample_child,
    sample_parent,
    sample_preprocessing,
    score,
    seed_child,
    seed_parent,
)
from munet.store.derived import living_lineage, owners_of
from munet.store.retained import history_of, noted
from munet.store.schema import (
    ActivePopulation,
    ChildRecord,
    Manifest,
    ModelTest,
    SeenModel,
    TaskRecord,
    Verdict,
    verdict,
)

if TYPE_CHECKING:
    import numpy as np

    from munet.model.loader import ModelLoader

Key = tuple[str | int, ...]


class ActiveTask:
    """One task while it evolves. All that it decides follows from the task's record and the seed of the run."""

    def __init__(
        self,
        models: "ModelLoader",
        run: Run,
        name: str,
        *,
        method: Method | None = None,
        untrained: bool = False,
    ) -> None:
        """`method`: of this task iteration, where it is not the run's own; `untrained`: the iteration only gives the
        task a first model, whose head is in closed form."""
        self.models = models
        self.run = run
        self.name = name
        self.record: TaskRecord = models.store.read_task(name)
        root = models.manifest(models.root)
        chosen = method or run.method
        self.method = chosen.for_root(models.architecture.patch_size, root["hyperparameters"]["image_size"])
        self.older = self.record.get("older")  # what the retained model is of, if not of the images of now
        self.untrained = untrained
        self.met: set[str] = set()  # what it has seen of others since the task iteration began
        with models.store.commit():  # nobody lets go of what is looked at
            self._see(retained_now(models.store, name))
        self.root_flops = models.root_flops()
        self.references = self._references()
        started, retained = self.record["active"], self.record["model"]
        population = started["population"] if started else [retained] if retained else []
        self.generation = started["generation"] if started else 0  # the next one to train
        self.population = {model: models.manifest(model) for model in population}
        self.selections = dict(self.record["selections"])

    def key(self, generation: int, child: int) -> Key:
        """Names the random streams of one child. Iterations count over all runs, so no run repeats another."""
        return (*self.order(generation), child)

    def order(self, generation: int) -> Key:
        """Names the streams that siblings share."""
        return (self.run.request.seed, self.name, self.record["iterations"], generation)

    @property
    def validation_examples(self) -> int:
        """Images that each cycle is validated on: the first of the split, up to the method's cap."""
        return min(self.record["splits"]["validation"]["examples"], self.method.validation_cap)

    def _see(self, seen: "list[SeenModel]") -> None:
        """Look at the models of other tasks."""
        self.seen = seen
        self.met |= {one["model"] for one in seen}
        self.retained = {one["task"]: one["model"] for one in seen}  # by others
        # what others retained, as far as they let others build on it, and the root
        self.public_models = [*(one["model"] for one in seen if not one["private"]), self.models.root]
        owned, classes = owners_of(self.models.store, self.retained), len(self.record["classes"])
        refit = self.untrained and self.older is not None
        self.inheritance = Inheritance(self.models, self.method, self.name, classes, owned, refit=refit)

    # Sampling --------------------------------------------------------------------------------------------------------

    def sample_generation(self, generation: int) -> list[tuple[str, Plan]]:
        """(parent, plan) of every child: all are drawn before any is trained, so siblings never see each other."""
        shared = self._shared_preprocessing(generation)
        candidates, others, root = self.candidates(), self.public_models, self.models.root
        drawn = []
        for child in range(self.method.children):
            rng = numpy_rng(*self.key(generation, child), "search")
            seed = seed_parent(self.method, others, generation * self.method.children + child, root=root)
            best = self.best() if self.method.parents == "probe" else None
            parent = seed or best or sample_parent(self.method, candidates, others, self.selections, rng, root=root)
            self.selections[parent] = self.selections.get(parent, 0) + 1
            drawn.append((parent, self._plan(parent, shared, rng, mutate=seed is None)))
        return drawn

    def _plan(
        self, parent: str, shared: SharedPreprocessing | None, rng: "np.random.Generator", *, mutate: bool
    ) -> Plan:
        view, size = self.as_parent(parent), self.run.request.image_size
        if not mutate:
            return seed_child(view, self.method, preprocessing=shared, image_size=size)
        depth = blocks_in(self.inheritance.root["layers"])
        return sample_child(view, self.method, rng, preprocessing=shared, image_size=size, depth=depth)

    def _shared_preprocessing(self, generation: int) -> SharedPreprocessing | None:
        if self.method.preprocessing_scope != "generation":
            return None
        rng = numpy_rng(*self.key(generation, -1), "preprocessing")
        best = self.population[self.best()] if self.population else self.inheritance.root
        settings, learned = best["hyperparameters"], best["mutation_probabilities"]
        first = generation * self.method.children
        seeding = seed_parent(self.method, self.public_models, first, root=self.models.root) is not None
        size = self.run.request.image_size
        return sample_preprocessing(self.method, settings, learned, rng, image_size=size, mutate=not seeding)

    @property
    def has_learned(self) -> bool:
        """Whether the task has a model that was trained for it, not only a head in closed form."""
        return any(self._is_trained(manifest) for manifest in self.population.values())

    def _is_trained(self, manifest: Manifest) -> bool:
        """Whether a model of the task, or one of the task's that it descends from, has a norm of its own."""
        while manifest["task"] == self.name and manifest["parent"] is not None:
            parent = self.models.manifest(manifest["parent"])
            if manifest["layers"]["norm"] != parent["layers"].get("norm"):
                return True
            manifest = parent
        return False

    def as_parent(self, model: str) -> Parent:
        """What the search needs to know of a model."""
        manifest = self.manifest(model)
        adapters = adapters_of(manifest["layers"])
        blocks = blocks_in(manifest["layers"])
        return Parent(
            id=model,
            task=manifest["task"],
            hyperparameters=manifest["hyperparameters"],
            mutation_probabilities=manifest["mutation_probabilities"],
            num_blocks=blocks,
            adapters=adapters,
            locked=self.inheritance.locked_slots(manifest),
            slots=self.models.architecture.slots(blocks, adapters),
            ancestors=tuple(self._as_ancestor(one) for one in self.living_lineage(model)[1:]),
        )

    def _as_ancestor(self, manifest: Manifest) -> Ancestor:
        locked = self.inheritance.locked_slots(manifest)
        return Ancestor(manifest["hyperparameters"], locked, tuple(manifest["layers"]))

    def manifest(self, model: str) -> Manifest:
        return self.population.get(model) or self.models.manifest(model)

    def living_lineage(self, model: str) -> list[Manifest]:
        """A model and those of its ancestors that are alive: in the population, retained for some task, or the root."""
        alive = {self.models.root, *self.population, *self.retained.values()}
        return [manifest for _, manifest in living_lineage(self.models.store, model, alive)]

    # Scoring ---------------------------------------------------------------------------------------------------------

    def _references(self) -> tuple[float, float | None]:
        """P and F of the score, for a root that has a head of two classes."""
        root, architecture = self.inheritance.root, self.models.architecture
        parameters = sum(root["sizes"].values()) + 2 * (architecture.width + 1)
        return references(self.method, parameters, self.root_flops)

    def candidates(self) -> list[Candidate]:
        """The population, scored under the present method and sharing, in the order in which it grew."""
        scores = {model: self.score(manifest) for model, manifest in self.population.items()}
        return [Candidate(id=model, score=value, order=order) for order, (model, value) in enumerate(scores.items())]

    def score(self, manifest: Manifest) -> float:
        """Score of a model of this task as things stand now (mu2Net+ eq. 1)."""
        accounted = accounted_parameters(manifest["sizes"], manifest["layers"], self.inheritance.owned, self.name)
        metrics = manifest["metrics"]
        accuracy = metrics["validation_accuracy"]
        assert accuracy is not None  # every model of a population was validated
        return score(accuracy, accounted, metrics["flops"], self.method, *self.references)

    def stages(self, plan: Plan) -> dict[str, int]:
        """FLOPs of each stage of the model that a plan describes."""
        adapters = {k: int(plan.hyperparameters["adapter_dim"]) for k in plan.adapters}
        classes = len(self.record["classes"])
        architecture = self.models.architecture
        inputs = architecture.head_inputs(str(plan.hyperparameters.get("head_features", "pooled")))
        return stage_flops(architecture, plan.num_blocks, plan.image_size, classes, adapters, inputs)

    def judge(
        self, child: ChildSpec, plan: Plan, parent: str, accuracy: float | None, together: Collection[str] = ()
    ) -> Verdict:
        """Size, compute and score of a trained child, and whether it is accepted. `accuracy` None: its training failed.

        `together`: the tasks that share its new layers, but for the head, from the beginning.
        """
        layers = {slot: child.shared.get(slot, f"new {slot}") for slot in child.origins}
        new = {layer: set(together) for slot, layer in layers.items() if slot not in child.shared and slot != "head"}
        accounted = accounted_parameters(child.sizes, layers, {**self.inheritance.owned, **new}, self.name)
        compute = sum(self.stages(plan).values())
        bar = self.score(self.population[parent]) if parent in self.population else None
        mine = None if accuracy is None else score(accuracy, accounted, compute, self.method, *self.references)
        better = mine is not None and accepted(self.method, mine, bar)
        return verdict(
            accepted=better,
            reason=None if better or mine is None else f"score {mine:.4f} is not better than {bar:.4f} of its parent",
            accuracy=accuracy,
            score=mine,
            parent_score=bar,
            parameters=sum(child.sizes.values()),
            trainable_parameters=sum(child.sizes[slot] for slot in child.trainable),
            accounted_parameters=accounted,
            flops=compute,
        )

    # Keeping ---------------------------------------------------------------------------------------------------------

    def best(self) -> str:
        """The model that would be retained now."""
        return list(self.population)[best_of(self.method, self.candidates())]

    def open(self, iteration: int, generation: int) -> None:
        """Say on disk which generation is in training, and what it sees of other tasks, as its record says where it has
        begun: what these models and its finished children hold is safe from collection."""
        store = self.models.store
        with store.commit():
            begun = recorded(store, self.run, self.name, iteration, generation)
            seen = retained_now(store, self.name) if begun is None else begun
            if seen != self.seen:
                self._see(seen)
            active: ActivePopulation = {
                "run": self.run.name,
                "iteration": iteration,
                "generation": generation,
                "population": list(self.population),
                "seen": seen,
            }
            self._write({**self.record, "active": active})

    def measured_now(self, model: str, accuracy: float) -> None:
        """Put the accuracy that the retained model has on the images of now in place of what it had on older ones."""
        manifest = self.population[model]
        self.population[model] = {**manifest, "metrics": {**manifest["metrics"], "validation_accuracy": accuracy}}

    def close_generation(self, children: Sequence[ChildRecord]) -> None:
        """Let the accepted children join the population."""
        for child in children:
            if child["model"]:
                self.population[child["model"]] = self.models.manifest(child["model"])

    def retain(self, iteration: int, best: str | None, test: ModelTest | None) -> None:
        """End the task iteration: the best model stays, the rest of the population is let go."""
        living = {best, self.models.root, *self.retained.values()}
        self.selections = {model: count for model, count in self.selections.items() if model in living}
        record: TaskRecord = {
            **self.record,
            "model": best,
            "retained": noted(history_of(self.record), best, test, author()),
            "test": test,
            "iterations": self.record["iterations"] + 1,
            "active": None,
            "last": {"run": self.run.name, "iteration": iteration},
        }
        if self.older is not None and best != self.older["model"]:
            del record["older"]
        self._write(record)

    def _write(self, record: TaskRecord) -> None:
        self.record = {**record, "selections": self.selections}
        with self.models.store.commit():
            self.models.store.write_task(self.record)
