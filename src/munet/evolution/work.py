"""How many images a run reads of each task: counted before it starts, what its time is made of."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from munet.search import Method
    from munet.store.schema import TaskRecord

READ = 1 / 2  # of the time of an image in a step: 0.4 to 0.6 with decoding, cropping and solving, a forward is 1/3
# images of a task, at least, and of each class, that are read at most
_EVIDENCE, _EVIDENCE_OF_A_CLASS = 1000, 5
_HEAD, _HEAD_OF_A_CLASS = 5000, 15
_AT_HAND = 4  # images whose features an earlier head has left in memory cost as much as one that is read
_A_CLASS = 2000.0  # FLOPs that a class adds to each image of a head in closed form: those held out are scored 40 times
VIEWS_FOR_MIRRORS = 3  # of each image, by a probe that asks whether it may be mirrored: as it is, cropped, and mirrored


def images_for_evidence(classes: int) -> int:
    """How many training images a probe reads, where there are so many."""
    return max(_EVIDENCE, _EVIDENCE_OF_A_CLASS * classes)


def images_for_head(classes: int) -> int:
    """How many training images a head in closed form is fitted to, where there are so many."""
    return max(_HEAD, _HEAD_OF_A_CLASS * classes)


class Images(NamedTuple):
    """Of one task."""

    cycle: int  # that a child trains on in one cycle
    validation: int  # that it is validated on after each
    test: int  # that a task iteration ends with: the test, and the validation images that fit a temperature
    head: int  # that are read for evidence and for a head in closed form
    again: int = 0  # that are read for a head in closed form after training
    start: int = 0  # that are read for the head in closed form that training starts from
    classes: int = 0  # of the task


def images_of(method: "Method", task: "TaskRecord", root_flops: float = math.inf) -> Images:
    """What a method reads of a task. An image of a head of many classes counts as more than one, the more the fewer
    FLOPs a forward pass of the root takes."""
    sizes = {part: split["examples"] for part, split in task["splits"].items()}
    cycle = min(sizes["train"], method.samples_per_cycle) if method.at_most_epoch else method.samples_per_cycle
    validation = min(sizes["validation"], method.validation_cap)
    evidence = min(sizes["train"], images_for_evidence(len(task["classes"]))) if method.head == "closed-form" else 0
    evidence *= VIEWS_FOR_MIRRORS if method.mirror == "probe" else 1
    fitted = min(sizes["train"], images_for_head(len(task["classes"]))) if method.head == "closed-form" else 0
    test, classes = sizes["test"] + validation, len(task["classes"])
    solved = 1 + _A_CLASS * classes / root_flops  # forward passes of an image that is read and solved for
    head = round(solved * (evidence + method.head_views * fitted))
    if method.training == "never":
        return Images(0, validation, test, head, classes=classes)
    again = round(solved * method.head_views * fitted) if method.head_last else 0
    at_hand = round((solved - 1 + 1 / _AT_HAND) * fitted)
    start = at_hand if method.head_first else round(solved * (evidence + fitted))
    return Images(cycle, validation, test, head, again, start, classes)


def trained_on(method: "Method", task: "TaskRecord") -> int:
    """Images that all children of a task train on in a run."""
    return method.child_cycles * images_of(method, task).cycle


def read(method: "Method", task: "TaskRecord", root_flops: float = math.inf) -> int:
    """Images of a task that a run reads without training on them, as `images_of` counts them."""
    images, first, last = images_of(method, task, root_flops), method.head_first, method.head_last
    heads = images.head * (first or method.training == "never") + images.start + images.again
    validated = (method.child_cycles + first + last) * images.validation
    tested = (method.task_iterations + first) * images.test
    return validated + tested + heads


def disk(method: "Method", tasks: "Sequence[TaskRecord]", root_parameters: int) -> int:
    """Bytes of layers that a run comes to at most: a whole model for each task, and the population of one."""
    models = len(tasks) + method.generations * method.children
    return models * root_parameters * (4 + 2 * method.inherit_momentum)  # momentum is stored in bfloat16
