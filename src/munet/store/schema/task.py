"""The record of a task: where its images are, and which model it retains."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, Required, TypedDict

from munet.store.records import FORMAT


class SplitRecord(TypedDict):
    """One of a task's three splits."""

    expression: str  # as given
    ranges: list[list[str | int]]  # [split of the source, first, one behind the last]
    examples: int  # that are usable
    fingerprint: str  # of what they hold
    size: NotRequired[list[int] | None]  # [height, width] that all its images have; null where they have several
    channels: NotRequired[int]  # 1 where all its images are grey, else 3; these two lack where nobody looked
    counts: NotRequired[dict[str, int]]  # examples that each split of the source in `ranges` had


class TaskData(TypedDict):
    """The part of a task's record that tells of its images; only `attach`, `update` and `task move` change it."""

    name: str
    source: str  # its address; `none:` where an imported task has no images yet
    private: bool
    classes: list[str]  # in the order of the labels
    splits: dict[str, SplitRecord]  # train, validation, test
    fingerprint: str
    skip_bad: bool
    skipped: int  # unusable images


class ModelTest(TypedDict):
    """Accuracy of a retained model on its task's test split."""

    model: str
    accuracy: float
    examples: int | None
    temperature: NotRequired[float]  # of its answers: logits are divided by it; missing in older records


class RetainedModel(TypedDict):
    """One of the models that a task has retained, as the systems that share the task tell each other."""

    replaces: list[str]  # what was retained before it and was no better, sorted; their order is that of nothing else
    by: list[str]  # who evolved it, sorted; more than one where the same run was done twice
    test: ModelTest | None


class SignedModel(RetainedModel):
    """What somebody said of a retained model, and his signature over it: see `munet.store.signatures`."""

    signature: Required[str]  # as `ssh-keygen -Y sign` writes it


class IterationPlace(TypedDict):
    """A task iteration of a run."""

    run: Required[str]  # what follows from the refs needs both
    iteration: Required[int]


class SeenModel(TypedDict):
    """What a generation of one task sees of another."""

    task: str
    model: Required[str]  # retained when the generation began
    private: bool  # seen, but not built on


class ActivePopulation(IterationPlace):
    """What is known of a task while it is evolved."""

    generation: int  # the one in training
    population: Required[list[str]]  # model ids
    seen: NotRequired[list[SeenModel]]  # by that generation, in the order of the tasks; lacks in older records


class OlderData(TypedDict):
    """What a retained model was trained on, where the task's images changed since."""

    model: str
    fingerprint: str  # the task's, then
    classes: int  # the first so many of the task's: the outputs of its head
    train: int  # training images


class TaskRecord(TaskData):
    """A task: the ref that keeps its model. The one mutable kind of record beside those of runs."""

    format: int
    added: int  # orders the tasks
    model: str | None  # id of the retained model
    iterations: int  # task iterations that are over
    test: ModelTest | None
    selections: dict[str, int]  # model id -> children of this task that were sampled from it
    active: ActivePopulation | None
    last: IterationPlace | None  # the last task iteration that is over
    older: NotRequired[OlderData]  # there while the retained model is of other images than these
    retained: NotRequired[dict[str, RetainedModel]]  # model id -> what it replaced; lacks in records of older versions
    called: NotRequired[list[str]]  # other names in the manifests of its models, sorted; lacks where there are none
    claimed: NotRequired[list[str]]  # models that came from elsewhere and were not measured here, sorted; never told
    signatures: NotRequired[dict[str, list[SignedModel]]]  # model id -> what was signed of it; lacks where nothing was


def split_record(
    expression: str = "none", ranges: Sequence[Sequence[str | int]] = (), examples: int = 0, fingerprint: str = ""
) -> SplitRecord:
    """One split as a record has it; without arguments, that of a task whose images are not known."""
    pieces = [list(piece) for piece in ranges]
    return {"expression": expression, "ranges": pieces, "examples": examples, "fingerprint": fingerprint}


def task_data(
    name: str,
    source: str,
    *,
    private: bool,
    classes: Sequence[str],
    splits: Mapping[str, SplitRecord],
    fingerprint: str,
    skip_bad: bool = False,
    skipped: int = 0,
) -> TaskData:
    """Begin the data part of a task's record."""
    return {
        "name": name,
        "source": source,
        "private": private,
        "classes": list(classes),
        "splits": dict(splits),
        "fingerprint": fingerprint,
        "skip_bad": skip_bad,
        "skipped": skipped,
    }


def task_record(
    data: TaskData,
    *,
    added: int,
    model: str | None = None,
    iterations: int = 0,
    test: ModelTest | None = None,
    selections: Mapping[str, int] | None = None,
    last: IterationPlace | None = None,
) -> TaskRecord:
    """Begin the record of a task, which nobody has evolved unless the rest is given."""
    return {
        "format": FORMAT,
        **data,
        "added": added,
        "model": model,
        "iterations": iterations,
        "test": test,
        "selections": dict(selections or {}),
        "active": None,
        "last": last,
    }


def model_test(model: str, accuracy: float, examples: int | None, temperature: float | None = None) -> ModelTest:
    """What a model scored on the test split of its task, and how sure its answers may be."""
    test: ModelTest = {"model": model, "accuracy": accuracy, "examples": examples}
    return test if temperature is None else {**test, "temperature": temperature}
