"""What a task's model answers on the test split: what it takes for what, class by class, and how sure it is."""

from typing import TYPE_CHECKING, Any

from munet.analysis.card import wilson
from munet.errors import InputError
from munet.report.figures.matrices import matrix, matrix_size, scale_bar
from munet.report.figures.needs import Options, chosen_tasks, evolved, one_system
from munet.report.figures.style import COLUMN, SMALL, WIDTH, page
from munet.report.images.measuring import seen, thumbnails_each
from munet.report.style.palette import FAINT, task_colours
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from munet.analysis import History
    from munet.model.loader import ModelLoader

SPLIT = "test"
_NAMED = 48  # classes that still have room for names in a page's width
_MOST = 100  # classes with a bar
_BAR = 0.16  # inches of a class


def draw_confusion(history: "History", options: Options) -> "Figure":
    """Right classes as rows, answers as columns; a cell is the share of its row in percent."""
    import numpy as np

    task, found = _measured(history, options, "confusion")
    part, order = found[SPLIT], found[SPLIT]["order"]
    images, right, _ = part["by_class"]
    place = {number: row for row, number in enumerate(order)}
    shares = np.zeros((len(order), len(order)))
    for number, row in place.items():
        shares[row, row] = right[number]
    for label, answer, count in part["cells"]:
        if label in place and answer in place:
            shares[place[label], place[answer]] = count
    shares *= 100 / np.maximum([[images[number]] for number in order], 1)
    names = [found["classes"][number] for number in order]
    some = f"the {len(order)} of {counted(len(images), 'class')} with most errors" if len(order) < len(images) else ""
    reading = (
        f"Rows are right classes, columns answers, in percent of the row: {_accuracy(part)}. Classes that are taken "
        f"for each other stand side by side.{f' Drawn are {some}.' if some else ''}"
    )
    if len(order) > _NAMED:
        names = _named(part, names, order)
    with page(f"What {task} takes for what", reading, matrix_size(names, names, 0.7), names) as made:
        axes = made.panels()[0][0]
        image = matrix(made, axes, shares, names, names, lambda v: f"{v:.0f}" if v >= 0.5 else "", vmin=0, vmax=100)
        scale_bar(made, axes, image, "images of the class (%)")
    return made.figure


def _named(part: Any, names: list[str], order: list[int]) -> list[str]:
    """The names of those classes alone that are confused most often."""
    kept = {number for label, answer, _ in part["cells"][:12] for number in (label, answer)}
    return [name if number in kept else "" for name, number in zip(names, order, strict=True)]


def draw_classes(history: "History", options: Options) -> "Figure":
    """A bar for each class, the lowest accuracy at the top, with its interval of 95 %."""
    task, found = _measured(history, options, "classes")
    images, right, _ = found[SPLIT]["by_class"]
    known = [k for k, count in enumerate(images) if count]
    there = sorted(known, key=lambda k: (right[k] / images[k], k))[:_MOST]
    names = [f"{found['classes'][k]} ({images[k]:,})" for k in there]
    shares = [100 * right[k] / images[k] for k in there]
    ends = [wilson(right[k], images[k]) for k in there]
    reading = (
        f"Share of each class's {SPLIT} images that is answered right, with its 95 % interval (Wilson); in brackets "
        f"how many images: {_accuracy(found[SPLIT])}."
    )
    if len(there) < len(known):
        reading += f" Drawn are the {len(there)} of {counted(len(known), 'class')} with the lowest."
    height = max(1.0, _BAR * len(there) + 0.5)
    with page(f"{task}, class by class", reading, (WIDTH if len(there) > 12 else 4.6, height), names) as made:
        axes = made.panels()[0][0]
        rows = range(len(there))
        axes.barh(rows, shares, height=0.72, color=task_colours(history.tasks["task"].tolist())[task], alpha=0.8)
        axes.hlines(rows, [100 * low for low, _ in ends], [100 * high for _, high in ends], color="black", lw=0.9)
        axes.set_yticks(rows, [made.say(name, 34) for name in names], fontsize=SMALL)
        axes.set(xlim=(0, 100), ylim=(len(there) - 0.4, -0.6), xlabel="images answered right (%)")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    return made.figure


def draw_reliability(history: "History", options: Options) -> "Figure":
    """Share of right answers over confidence, in the bins of the calibration error."""
    task, found = _measured(history, options, "reliability")
    part = found[SPLIT]
    reading = (
        f"The {SPLIT} images by how sure the model is. On the dashed line it is right as often as it says; lines are "
        f"95 % intervals (Wilson), a larger dot is more images: {_accuracy(part)}."
    )
    bins = part["reliability"]
    ends = [wilson(round(count * share), count) for count, _, share in bins]
    most = max(count for count, *_ in bins)
    with page(f"How sure {task} is, and how right", reading, (COLUMN, COLUMN)) as made:
        axes = made.panels()[0][0]
        axes.plot([0, 100], [0, 100], ls="--", lw=0.8, color=FAINT)
        sure = [100 * confidence for _, confidence, _ in bins]
        axes.vlines(sure, [100 * low for low, _ in ends], [100 * high for _, high in ends], color=FAINT, lw=0.9)
        sizes = [8 + 60 * count / most for count, *_ in bins]
        ink = task_colours(history.tasks["task"].tolist())[task]
        axes.scatter(sure, [100 * share for *_, share in bins], s=sizes, color=ink, zorder=3, clip_on=False)
        axes.set(xlim=(0, 101), ylim=(0, 101), xlabel="confidence (%)", ylabel="right (%)", aspect="equal")
        error = f"expected calibration error {100 * part['calibration_error']:.1f} points"
        axes.text(98, 4, error, ha="right", fontsize=SMALL)
    return made.figure


def _accuracy(part: Any) -> str:
    return f"{100 * part['correct'] / part['examples']:.1f} % of {part['examples']:,} {SPLIT} images are right"


def _measured(history: "History", options: Options, figure: str) -> tuple[str, Any]:
    """The chosen task, else the one with the lowest test accuracy, and what was measured of it."""
    one_system(history, figure)
    rows, one = evolved(history, figure), history.one()
    lowest = rows.sort_values("test_accuracy", kind="stable")["task"].iloc[0]
    (task,) = chosen_tasks(options, rows["task"].tolist(), figure) if options.task else (lowest,)

    def models() -> "ModelLoader":
        from munet.model.loader import ModelLoader

        return ModelLoader(one.store)

    (record,) = (record for record in one.records if record["name"] == task)
    notes: list[str] = []
    found = seen(models, [record], thumbnails=thumbnails_each(one.records), note=notes.append)[task]
    if found["missing"] is not None:
        raise InputError("; ".join([f"{figure} needs the images of task '{task}'", *notes]))
    return task, found
