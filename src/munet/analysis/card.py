"""A model card: what a system holds and how good it is, in Markdown with the front matter that model hubs read."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from munet.analysis.explanation import explain, sentences
from munet.analysis.status import status
from munet.errors import InputError
from munet.store.manifests import origin_of
from munet.store.schema import Manifest
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.store import Store

_FILL = "*to be filled in*"
_Z = 1.959964  # of a normal distribution, for 95 %
_MOST_CLASSES = 30  # that are listed by name


def wilson(correct: int, examples: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): (low, high), fractions. Unlike p +- z s it stays within 0 and 1."""
    if not examples:
        return 0.0, 1.0
    share, square = correct / examples, _Z**2 / examples
    middle, half = share + square / 2, _Z * sqrt(share * (1 - share) / examples + square / (4 * examples))
    return max((middle - half) / (1 + square), 0.0), min((middle + half) / (1 + square), 1.0)


def card(
    store: "Store",
    tasks: Sequence[str] | None = None,
    confusions: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    name: str | None = None,
    address: str | None = None,
) -> str:
    """The card of some tasks, or of all that have a model. Private tasks are on it only when they are named.

    `confusions` are of tasks: what is most often taken for what (`munet.inference.measures`). `name` is the heading,
    that of the system's folder unless given; `address` is where it can be cloned from. InputError for an unknown task,
    and where there is no model to speak of.
    """
    rows = {row["name"]: row for row in status(store)["tasks"]}
    for task in tasks or ():
        if rows[store.read_task(task)["name"]]["model"] is None:
            raise InputError(f"task '{task}' has no model yet: `munet evolve {store.path} {task}`", kind="no-model")
    chosen = [row for row in rows.values() if row["model"] and (row["name"] in tasks if tasks else not row["private"])]
    if not chosen:
        raise InputError(f"{store.path} has no task with a model to write of", kind="no-model")
    root = store.get_model(store.root)
    parts = [_front(), _summary(store, chosen, root, name), _table(store, chosen)]
    parts += [_task(store, row, (confusions or {}).get(row["name"])) for row in chosen]
    return "\n".join([*parts, _limits(), _use(chosen[0]["name"], address)])


def _front() -> str:
    return (
        "---\nlibrary_name: munet\npipeline_tag: image-classification\ntags:\n- multitask\n- vision\n"
        "license: other  # fill in, with those of the data and of the root\n---\n"
    )


def _summary(store: "Store", rows: Sequence[Mapping[str, Any]], root: Manifest, name: str | None) -> str:
    parameters = sum(root["sizes"].values())
    source, heading = origin_of(root)["source"], clean(name or store.path.name)
    return (
        f"# {heading}\n\nOne multitask system of munet: {counted(len(rows), 'task')} that share layers. "
        f"Layers never change once they are trained; each model below is a path through them, named by its content.\n\n"
        f"- **Root**: {clean(str(source))}, {parameters:,} parameters\n- **Authors, contact**: {_FILL}\n"
        f"- **Licence of the root and of each set of images**: {_FILL}\n"
    )


def _table(store: "Store", rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| task | classes | test accuracy % [95 %] | test images | parameters | accounted | MFLOPs | model |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mega = f"{row['flops'] / 1e6:,.1f}" if row["flops"] else "-"
        lines.append(
            f"| {clean(row['name'])} | {row['classes']} | {_accuracy(row)} | {row['test_examples']:,} | "
            f"{row['parameters']:,} | {row['accounted_parameters']:,.0f} | {mega} | `{row['model'][:10]}` |"
        )
    note = (
        "Accounted: the sum over a model's layers of size / number of tasks that share it. Validation data selected "
        "the models; test data only reports, once for each model.\n"
    )
    return "\n".join(lines) + "\n\n" + note


def _accuracy(row: Mapping[str, Any]) -> str:
    accuracy, examples = row["test_accuracy"], row["test_examples"]
    if accuracy is None:
        return "-"
    low, high = wilson(round(accuracy * examples), examples)
    claimed = ", claimed" if row["claimed"] else ""
    return f"{100 * accuracy:.1f} [{100 * low:.1f}, {100 * high:.1f}]{claimed}"


def _task(store: "Store", row: Mapping[str, Any], confusions: Sequence[Mapping[str, Any]] | None) -> str:
    record, manifest = store.read_task(row["name"]), store.get_model(row["model"])
    classes = [clean(name) for name in record["classes"]]
    more = f" and {len(classes) - _MOST_CLASSES} more" if len(classes) > _MOST_CLASSES else ""
    listed = ", ".join(classes[:_MOST_CLASSES]) + more
    splits = ", ".join(f"{part} {split['examples']:,}" for part, split in record["splits"].items())
    lines = [
        f"## {clean(row['name'])}\n",
        f"- **Classes**: {listed}",
        f"- **Images**: {splits}; fingerprint `{record['fingerprint'][:20]}`",
        f"- **Input**: {manifest['hyperparameters']['image_size']} pixels, {row['num_blocks']} blocks",
    ]
    if confusions:
        most = ", ".join(
            f"{clean(one['class'])} taken for {clean(one['answer'])} ({one['images']})" for one in confusions
        )
        lines.append(f"- **Most frequent errors (test)**: {most}")
    lines += [f"- {clean(sentence)}" for sentence in _history(store, row["name"])]
    return "\n".join(lines) + "\n"


def _history(store: "Store", task: str) -> list[str]:
    try:
        return sentences(explain(store, task))
    except InputError:  # imported, or received: no run here made it
        return ["No run of this system made the model."]


def _limits() -> str:
    return (
        f"## Intended use and limits\n\n{_FILL}. Accuracies hold for images like those of the test sets; on others "
        "they are unknown. Each model answers with one of its classes, whatever it is shown.\n"
    )


def _use(task: str, address: str | None) -> str:
    opened = 'open("PATH")' if address is None else f'clone("{address}")'
    return (
        f"## Use\n\n```python\nimport munet\n\nsystem = munet.System.{opened}\n"
        f'system.predict("{task}", "image.jpg").top(3)\n```\n'
    )
