"""A system: the directory that holds tasks, models and layers, and what a person does with it."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from munet.analysis import model_history
from munet.analysis.status import status
from munet.errors import InputError
from munet.evolution.options import METHOD
from munet.model.loader import ModelLoader
from munet.sharing.verbs import Sharing
from munet.store import Store
from munet.store.consistent import consistent
from munet.store.derived import resolve
from munet.store.manifests import origin_of
from munet.store.schema import Manifest, TaskRecord

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
Note = Callable[[str], None]
Read = TypeVar("Read")


class System(Sharing):
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

        Reads the data once, to check, fingerprint and decode it; `tell` gets a sentence for each thing guessed or left
        out. An image in two splits or under two classes is refused, unless `allow_duplicates`. Classes of one image are
        refused, unless `rare` is "keep", or "drop" for those of fewer than three. A `private` task may build on others
        and is never built on.
        """
        from munet.tasks import TaskOptions, check_name
        from munet.tasks.adding import add_to

        name = check_name(name)
        _ = self.architecture  # refused where no model could ever be grown for the task
        options = TaskOptions(
            train, validation, test, private, skip_bad, allow_overlap, allow_duplicates=allow_duplicates, rare=rare
        )
        return add_to(
            self.store, name, source, options, image_size=self.models.image_size, progress=progress, tell=tell
        )

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

        options = {"image_size": self.models.image_size, "extend": extend, "allow_duplicates": allow_duplicates}
        return update(self.store, name, **options, progress=progress, tell=tell)

    def move_task(self, name: str, source: str) -> TaskRecord:
        """Point a task to its images where they are now, proved by their fingerprint; returns its record."""
        from munet.tasks.changing import move

        return move(self.store, name, source)

    def trust_sources(self, tasks: Sequence[str] | None = None) -> None:
        """Let the images of these tasks (of all, unless named) be opened, although nobody here added them."""
        from munet.tasks.trust import trust

        trust(self.task(name)["source"] for name in tasks or self.tasks)

    def remove_task(self, name: str) -> TaskRecord | None:
        """Take a task out of the system; returns what its record was, None where that had vanished. Layers that other
        tasks use stay."""
        from munet.tasks.changing import remove

        return remove(self.store, name)

    def evolve(self, tasks: Sequence[str] | None = None, method: str = METHOD, **options: Any) -> "list[TaskFinished]":
        """Evolve tasks, one model retained for each: `munet.evolve` of this system."""
        from munet.evolution.start import evolve

        return evolve(self, tasks, method, **options)

    # What is there ---------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Tasks with accuracies and sizes, and the totals."""
        return self._consistent(lambda: status(self.store))

    def resolve(self, word: str) -> str:
        """Model id behind a task's name, `root`, or the first letters of an id."""
        return resolve(self.store, word)

    def manifest(self, model: str) -> Manifest:
        """The manifest of a model."""
        return self._consistent(lambda: self.store.get_model(self.resolve(model)))

    def log(self, word: str) -> list[dict[str, Any]]:
        """Lineage of a model, newest first."""
        return self._consistent(lambda: model_history.log(self.store, self.resolve(word)))

    def show(self, word: str) -> dict[str, Any]:
        """One model: layers, who trained them, who shares them, settings, measures."""
        return self._consistent(lambda: model_history.show(self.store, self.resolve(word)))

    def diff(self, a: str, b: str) -> dict[str, Any]:
        """Layers and hyperparameters in which two models differ."""
        return self._consistent(lambda: model_history.diff(self.store, self.resolve(a), self.resolve(b)))

    def explain(self, task: str) -> dict[str, Any]:
        """Why a task's model is as it is: the evidence, what it decided, what each step gained."""
        from munet.analysis.explanation import explain

        return self._consistent(lambda: explain(self.store, task))

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
        if self.resolve(word) == self.root:
            raise InputError("the root has no head: name a task or one of its models")
        return self._consistent(lambda: self.models.network(self.resolve(word)))

    def predict(
        self, word: str, images: Any, *, device: str = "auto", batch_size: int = 64, note: Note = warnings.warn
    ) -> "Prediction":
        """Classify images with a task's model, prepared as those it was evaluated on; `note` hears what is odd of them.

        `images`: a file, a PIL image, a uint8 array or tensor (N,H,W,C), (N,H,W) or (H,W,C) with C 1, 3 or 4 (RGBA),
        or a sequence of those.
        """
        from munet.inference.handed import answer

        return answer(self.models, word, images, device=device, batch_size=batch_size, note=note)

    def predict_files(
        self,
        words: str | Sequence[str],
        files: Iterable[Path],
        *,
        top: int = 1,
        device: str = "auto",
        skip_bad: bool = False,
        note: Note = warnings.warn,
    ) -> "Iterator[Answer]":
        """The `top` likeliest classes of each file, as they are computed: for more files than memory holds.

        Several models answer together (`Answer.tops`): each file is read once, layers that they share compute once.
        With `skip_bad` a file that cannot be read has an answer with its `error`; else it raises InputError.
        """
        from munet.inference.stream import answers

        return answers(self.models, words, files, top=top, device=device, skip_bad=skip_bad, note=note)

    def evaluate(
        self,
        tasks: Sequence[str] | None = None,
        split: str = "test",
        *,
        device: str = "auto",
        batch_size: int = 512,
        precision: str = "fp32",
        progress: Progress | None = None,
        note: Note = lambda text: None,
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
        note: Note = lambda text: None,
        progress: Progress | None = None,
    ) -> "Answers":
        """A model's answers on any labelled images, by the address of a source, whose classes are matched by name.
        `munet.inference.measures.measured` says what they come to. `split` is one of the source: None takes test
        where there is one, else all.
        """
        self.resolve(word)  # a mistake is told at once
        from munet.inference.labelled import answers_on

        options = {"split": split, "device": device, "skip_bad": skip_bad}
        return answers_on(self.models, word, source, **options, note=note, progress=progress)

    def export(self, word: str, path: str | Path, *, with_adapters: bool = False) -> dict[str, Any]:
        """Write a model as safetensors that plain timm loads; returns what was written.

        timm has no place for residual adapters: a model that has some is refused, unless `with_adapters` writes them
        under keys of their own.
        """
        from munet.inference.exporting import export_to_timm

        return export_to_timm(self.models, word, Path(path), with_adapters=with_adapters)

    def export_program(
        self,
        words: Sequence[str],
        path: str | Path,
        *,
        preprocessing: bool = True,
        example: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Write the models of one task or several as one program (.onnx or .pt2) that runs without munet; returns what
        is said in the file. What they share is in it once. `example` writes a script beside an .onnx (docs/cli.md).
        """
        from munet.inference.exporting import export_as_program

        options = {"preprocessing": preprocessing, "example": example, "progress": progress}
        return export_as_program(self.models, words, Path(path), **options)

    def _consistent(self, read: "Callable[[], Read]") -> "Read":
        """What `read` returns, from refs that an evolution in another process has not moved on in between."""
        return consistent(self.store, read)

    # Care ------------------------------------------------------------------------------------------------------------

    def fsck(self, progress: Progress | None = None) -> "FsckReport":
        """Re-hash every object and check that every model has all its layers."""
        from munet.model.validation import check_stored
        from munet.store.fsck import fsck

        return fsck(self.store, progress, check_stored)

    def gc(self, *, dry_run: bool = False) -> "GcReport":
        """Remove what no task can reach any more."""
        from munet.store.gc import gc

        return gc(self.store, dry_run=dry_run)
