"""What each of the people who grow a system together contributed to it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from munet.analysis.columns import TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.snapshot import Snapshot
from munet.store.retained import History as Known
from munet.store.retained import history_of

if TYPE_CHECKING:
    import pandas as pd

NOT_KNOWN = "not known"
CONTRIBUTIONS: Schema = {
    "system": TEXT,
    "person": TEXT,
    "task": TEXT,
    "retained": WHOLE,
    "now": WHOLE,
    "parameters": WHOLE,
}


def contributions(history: History) -> "pd.DataFrame":
    """One row for each person and task: models that the task `retained` of them, ever and `now` (0 or 1), and the
    `parameters` of layers in use that they trained for it, each layer once. The root is nobody's.

    Two who did the same run count as one, `a and b`; whom no record names is `not known`.
    """
    return table(CONTRIBUTIONS, (row for one in history.readings.values() for row in _rows(one)))


def _rows(one: Snapshot) -> Iterator[tuple[str, str, str, int, int, int]]:
    people = {record["name"]: _people(history_of(record)) for record in one.records}
    ever = Counter((person, task) for task, known in people.items() for person in known.values())
    now = Counter((people[task].get(model.id, NOT_KNOWN), task) for task, model in one.retained.items())
    parameters = _parameters(one, people)
    order = {name: number for number, name in enumerate(people)}
    pairs = {*ever, *now, *parameters}
    for person, task in sorted(pairs, key=lambda pair: (pair[0], order.get(pair[1], len(order)), pair[1])):
        pair = (person, task)
        yield (one.label, person, task, ever[pair], now[pair], parameters[pair])


def _people(known: Known) -> dict[str, str]:
    return {model: " and ".join(entry["by"]) or NOT_KNOWN for model, entry in known.items()}


def _parameters(one: Snapshot, people: Mapping[str, Mapping[str, str]]) -> Counter[tuple[str, str]]:
    """Parameters of layers in use by who trained them, for which task."""
    found, seen = Counter[tuple[str, str]](), set[str]()
    for model in one.retained.values():
        line = list(one.lineage(model))
        makers = dict[str, tuple[str, str]]()  # of a layer: the oldest model that has it
        person = NOT_KNOWN
        for number, ancestor in enumerate(line):
            if ancestor.task is None:
                makers |= dict.fromkeys(ancestor.layers.values(), ("", ""))
                continue
            # A model that was not retained comes from the run that retained the next one of its task.
            newer = person if number and line[number - 1].task == ancestor.task else NOT_KNOWN
            person = people.get(ancestor.task, {}).get(ancestor.id, newer)
            makers |= dict.fromkeys(ancestor.layers.values(), (person, ancestor.task))
        for slot, layer in model.layers.items():
            if layer not in seen and makers[layer] != ("", ""):
                found[makers[layer]] += model.sizes.get(slot, 0)
            seen.add(layer)
    return found
