"""A system: the directory that holds tasks, models and layers, and what a person does with it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.analysis import model_history
from munet.analysis.status import status
from munet.errors import InputError
from munet.evolution.options import METHOD
from munet.model.loader import ModelLoader
from munet.store import Store
from munet.store.derived import resolve
from munet.store.manifests import origin_of
from munet.store.schema import Manifest, TaskRecord, task_record

if TYPE_CHECKING:
    from munet.analysis import History
    from munet.evolution.events import TaskFinished
    from munet.inference.measures import Answers
    from munet.inference.predict import Prediction
    from munet.inference.stream import Answer
    from munet.model.staged import StagedNetwork
    from munet.model.vit import ViTArchitecture
    from munet.store.fsck import Report as FsckReport
    from munet.store.gc import Report as GcReport

Progress = Callable[[int, int], None]


class System:
    """One multitask system on disk. Reading it takes no lock; nothing in it is ever changed, only added.

    ```python
    system = munet.System.create("fleet", root="builtin:glyphs")
    system.add_task("digits", "npz:data/digits")
    munet.evolve(system)
    system.predict("digits", images).top(3)
    ```
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.models = ModelLoader(store)

    def __repr__(self) -> str:
        source = origin_of(self.models.manifest(self.root))["source"]
        tasks = ", ".join(self.tasks) or "none"
        return f"System('{self.path}', root '{source}', tasks: {tasks})"

    @classmethod
    def create(
        cls,
        path: str | Path,
        root: str = "builtin:glyphs",
        *,
        depth: int | None = None,
        image_size: int | None = None,
        weights: str | Path | None = None,
        seed: int = 0,
    ) -> "System":
        """Make a system around a root model. `depth` caps the root's blocks, `image_size` is in pixels."""
        from munet.roots.store_root import store_root

        def write(store: Store) -> str:
            return store_root(store, root, depth=depth, image_size=image_size, weights=weights, seed=seed)

        return cls(Store.create(Path(path), write))

    @classmethod
    def open(cls, path: str | Path) -> "System":
        """Open a system. Raises StoreError when the folder holds none, or one of a newer format."""
        return cls(Store.open(Path(path)))

    @property
    def path(self) -> Path:
        return self.store.path

    @property
    def root(self) -> str:
        """Id of the root model."""
        return self.store.root

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks in the order in which they were added."""
        return self.store.tasks()

    def task(self, name: str) -> TaskRecord:
        """The record of a task: where its images come from, its splits, its retained model."""
        return self.store.read_task(name)

    def add_task(
        self,
        name: str,
        source: str,
        *,
        train: str | None = None,
        validation: str | None = None,
        test: str | None = None,
        private: bool = False,
        skip_bad: bool = False,
        allow_overlap: bool = False,
        allow_duplicates: bool = False,
        rare: str | None = None,
        progress: Progress | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> TaskRecord:
        """Add a task from a source such as `folder:DIR`, `csv:FILE`, `npz:DIR` or `hf:NAME`; returns its record.

        Reads the data once, to check and fingerprint it; `tell` gets a sentence for each thing guessed or left
        out. An image in two splits or under two classes is refused, unless `allow_duplicates`. Classes of one image are
        refused, unless `rare` is "keep", or "drop" for those of fewer than three. A `private` task may build on others
        and is never built on.
        """
        from munet.tasks import TaskOptions, add, check_name

        name = check_name(name)
        _ = self.architecture  # refused where no model could ever be grown for the task
        if self.store.has_task(name):
            raise InputError(f"task '{name}' is already in {self.path}: choose another name", kind="exists")
        options = TaskOptions(
            train, validation, test, private, skip_bad, allow_overlap, allow_duplicates=allow_duplicates, rare=rare
        )
        listings: list[bytes] = []
        data = add(name, source, options, progress=progress, tell=tell, keep=listings.append)
        record = task_record(data, added=self.store.next_added())
        with self.store.commit():
            for listing in listings:
                self.store.listings.put(listing)
            self.store.create_task(record)
        return record

    def update_task(
        self,
        name: str,
        *,
        extend: bool = False,
        allow_duplicates: bool = False,
        progress: Progress | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> TaskRecord:
        """Take the images that a task's source holds now; returns its record. Old test images stay test, and so on.

        With `extend` also new classes. The model stays, as that of older data, until the task is evolved.
        """
        from munet.tasks.growth import update

        return update(self.store, name, extend=extend, allow_duplicates=allow_duplicates, progress=progress, tell=tell)

    def move_task(self, name: str, source: str) -> TaskRecord:
        """Point a task to its images where they are now, proved by their fingerprint; returns its record."""
        from munet.tasks.changing import move

        return move(self.store, name, source)

    def rename_task(self, name: str, new: str) -> TaskRecord:
        """Give a task that has no model yet another name; returns its record."""
        from munet.tasks.changing import rename

        return rename(self.store, name, new)

    def remove_task(self, name: str) -> TaskRecord:
        """Take a task out of the system; returns what its record was. Layers that other tasks use stay."""
        from munet.tasks.changing import remove

        return remove(self.store, name)

    def evolve(self, tasks: Sequence[str] | None = None, method: str = METHOD, **options: Any) -> "list[TaskFinished]":
        """Evolve tasks, one model retained for each: `munet.evolve` of this system."""
        from munet.evolution.start import evolve

        return evolve(self, tasks, method, **options)

    # What is there ---------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Tasks with accuracies and sizes, and the totals."""
        return status(self.store)

    def resolve(self, word: str) -> str:
        """Model id behind a task's name, `root`, or the first letters of an id."""
        return resolve(self.store, word)

    def manifest(self, model: str) -> Manifest:
        """The manifest of a model."""
        return self.store.get_model(self.resolve(model))

    def log(self, word: str) -> list[dict[str, Any]]:
        """Lineage of a model, newest first."""
        return model_history.log(self.store, self.resolve(word))

    def show(self, word: str) -> dict[str, Any]:
        """One model: layers, who trained them, who shares them, settings, measures."""
        return model_history.show(self.store, self.resolve(word))

    def diff(self, a: str, b: str) -> dict[str, Any]:
        """Layers and hyperparameters in which two models differ."""
        return model_history.diff(self.store, self.resolve(a), self.resolve(b))

    def history(self) -> "History":
        """All of it as tables (pandas data frames) to analyse: a snapshot, see docs/analysis.md."""
        from munet.analysis import History

        return History.of({self.path.name: self.store})

    # Models ----------------------------------------------------------------------------------------------------------

    @property
    def architecture(self) -> "ViTArchitecture":
        """The vision transformer that the models are paths through. InputError where they are of another kind."""
        return self.models.architecture

    def model(self, word: str) -> "StagedNetwork":
        """The model of a task (or any model by id) as an `nn.Module` in eval mode: float images (B,C,S,S) -> logits."""
        model = self.resolve(word)
        if model == self.root:
            raise InputError("the root has no head: name a task or one of its models")
        return self.models.network(model)

    def predict(self, word: str, images: Any, *, device: str = "auto", batch_size: int = 64) -> "Prediction":
        """Classify images with a task's model, prepared as those it was evaluated on.

        `images`: a file, a PIL image, a uint8 array or tensor (N,H,W,C), (N,H,W) or (H,W,C) with C 1, 3 or 4 (RGBA),
        or a sequence of those.
        """
        from munet.inference.asked import form_of
        from munet.inference.pictures import pictures_of

        model = self.resolve(word)
        pictures = list(pictures_of(images, form_of(self.models, model)))  # errors are raised before torch is imported
        from munet.inference.predict import Predictor

        return Predictor(self.models, [model], device).predict(pictures, batch_size)[0]

    def predict_files(
        self,
        words: str | Sequence[str],
        files: Iterable[Path],
        *,
        top: int = 1,
        device: str = "auto",
        skip_bad: bool = False,
    ) -> "Iterator[Answer]":
        """The `top` likeliest classes of each file, as they are computed: for more files than memory holds.

        Several models answer together (`Answer.tops`): each file is read once, layers that they share compute once.
        With `skip_bad` a file that cannot be read has an answer with its `error`; else it raises InputError.
        """
        from munet.inference.stream import answers

        ids = [self.resolve(word) for word in ([words] if isinstance(words, str) else words)]
        return answers(self.models, ids, files, top=top, device=device, skip_bad=skip_bad)

    def evaluate(
        self,
        tasks: Sequence[str] | None = None,
        split: str = "test",
        *,
        device: str = "auto",
        batch_size: int = 512,
        precision: str = "fp32",
        progress: Progress | None = None,
        note: Callable[[str], None] = lambda text: None,
    ) -> dict[str, dict[str, Any]]:
        """Accuracy of the retained models on a whole split, measured now; layers that they share compute once."""
        from munet.inference.asked import models_of

        if not models_of(self.models, tasks, split, precision):
            return {}
        from munet.inference.evaluate import evaluate

        options = {"device": device, "batch_size": batch_size, "precision": precision}
        return evaluate(self.models, tasks, split, **options, progress=progress, note=note)

    def evaluate_on(
        self,
        word: str,
        source: str,
        *,
        split: str | None = None,
        device: str = "auto",
        skip_bad: bool = False,
        note: Callable[[str], None] = lambda text: None,
        progress: Progress | None = None,
    ) -> "Answers":
        """A model's answers on any labelled images, by the address of a source, whose classes are matched by name.

        `munet.inference.measures.measured` says what they come to. `split` is one of the source: None takes test
        where there is one, else all.
        """
        model = self.resolve(word)
        from munet.inference.labelled import answers_on

        options = {"split": split, "device": device, "skip_bad": skip_bad}
        return answers_on(self.models, model, source, **options, note=note, progress=progress)

    def export(self, word: str, path: str | Path, *, with_adapters: bool = False) -> dict[str, Any]:
        """Write a model as safetensors that plain timm loads; returns what was written.

        timm has no place for residual adapters: a model that has some is refused, unless `with_adapters` writes them
        under keys of their own.
        """
        from munet.inference.asked import classes_of, form_of, temperature_of
        from munet.inference.described import described
        from munet.model.to_timm import check_target, export_model
        from munet.tasks.form import Form, decode_side

        check_target(Path(path))

        architecture, model = self.architecture, self.resolve(word)
        manifest = self.models.manifest(model)
        size = manifest["hyperparameters"]["image_size"]
        record = self.task(manifest["task"]) if manifest["task"] else None
        form = form_of(self.models, model) if manifest["task"] else Form(decode_side(size))
        return export_model(
            architecture,
            self.models.layers(model),
            size,
            classes_of(record, model) if record else [],
            Path(path),
            with_adapters=with_adapters,
            temperature=temperature_of(record, model) if record else 1.0,
            preprocessing=described(form, size, architecture.mean, architecture.std),
        )

    # Care ------------------------------------------------------------------------------------------------------------

    def fsck(self, progress: Progress | None = None) -> "FsckReport":
        """Re-hash every object and check that every model has all its layers."""
        from munet.store.fsck import fsck

        return fsck(self.store, progress)

    def gc(self, *, dry_run: bool = False) -> "GcReport":
        """Remove what no task can reach any more."""
        from munet.store.gc import gc

        return gc(self.store, dry_run=dry_run)
