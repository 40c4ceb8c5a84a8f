"""A system's history as the JSON value that the page draws. docs/report.md says what each key holds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from munet.analysis.paths import Paths
from munet.analysis.summary import totals
from munet.provenance import VERSION
from munet.report.page.charts import (
    flow,
    learning,
    mutation_probabilities,
    progress,
    rejected,
    settings,
    sharing,
    spent,
    ways,
)
from munet.report.page.columns import arranged
from munet.report.page.looks import task_look
from munet.report.page.network import Network
from munet.report.page.sampled import children, lineages
from munet.report.page.shown_images import images
from munet.report.page.texts import ident, shown
from munet.report.page.values import plain

if TYPE_CHECKING:
    from munet.analysis import History
    from munet.analysis.snapshot import Snapshot
    from munet.report.images.thumbnails import Folder

SCHEMA = 1
_NOT_SHOWN = ("system", "order", "task", "signed_by", "claimed")  # columns of the tasks that are said in other words


def payload(
    history: "History",
    title: str | None = None,
    system: str | None = None,
    seen: Mapping[str, Any] | None = None,
    folder: "Folder | None" = None,
) -> dict[str, Any]:
    """Everything the page shows of one system; plain JSON values, the same for the same system.

    `title` is the system's label where none is given. `seen` is what `munet.report.images.measuring.seen` found of the
    tasks' images, whose thumbnails go into `folder`, if there is one, and else into the page. InputError where the
    history holds several systems and `system` names none of them; what the others retain of a task stands beside it.
    """
    one = history.one(system)
    others = [other for other in history.readings.values() if other is not one]
    if others:
        from munet.analysis import History

        history = History({one.label: one})
    names = [record["name"] for record in one.records]
    network = Network(one, Paths(one), names)
    rows, words = children(one, network)
    order, families = arranged(network.retained_layers(), network.makers())
    tasks = _tasks(history, one)
    notes = [*history.notes, *network.notes()]
    return {
        "schema": SCHEMA,
        "title": shown(title or one.label),
        "made": {"munet": VERSION},
        "notes": [shown(note) for note in dict.fromkeys(notes)],
        "root": {"model": ident(one.root), "source": shown(_root_source(one))},
        "totals": {key: _whole(value) for key, value in totals(history).items()},
        "tasks": tasks,
        "order": order,
        "families": families,
        "slots": network.slots,
        "layers": network.layer_columns(),
        "paths": network.paths,
        "moments": network.moments,
        "retained": network.retained,
        "children": rows,
        "words": words,
        "runs": _runs(history),
        "lineages": lineages(one, names),
        "sharing": sharing(history, names),
        "flow": flow(history, names),
        "settings": settings(history, one),
        "probabilities": mutation_probabilities(history),
        "learning": learning(history, names),
        "rejected": rejected(history, names),
        "costs": spent(history, names),
        "progress": progress(history, names),
        "ways": ways(one, others),
        "images": images(names, seen or {}, folder),
    }


def _tasks(history: "History", one: "Snapshot") -> list[dict[str, Any]]:
    """Rows of the leaderboard: the numbers of `System.status()`, unrounded."""
    people = {by for by in history.tasks["by"] if by}
    rows, several = [], len(people) > 1
    active = {record["name"]: record.get("active") is not None for record in one.records}
    for number, row in enumerate(history.tasks.to_dict("records")):
        facts = {str(key): plain(value) for key, value in row.items() if key not in _NOT_SHOWN}
        look = {"name": shown(row["task"]), **task_look(number), "active": active[row["task"]]}
        # A page is passed on: it names people where that tells something, in systems that several have grown.
        signed = plain(row["signed_by"])
        claimed = bool(row["claimed"])
        who = shown(facts["by"]) if facts["by"] and (several or signed or claimed) else None
        if who and signed:
            who = f"{who}, signed by {shown(signed)}"
        if claimed:
            who = f"{who or 'somebody else'}: accuracies claimed"
        rows.append(look | facts | {"model": ident(facts["model"]), "by": who})
    return rows


def _whole(value: Any) -> Any:
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else plain(value)


def _runs(history: "History") -> list[dict[str, Any]]:
    keys = ("run", "method", "imported", "seed", "children", "seconds", "device", "started", "finished", "abandoned")
    return [{key: plain(row[key]) for key in keys} for row in history.runs.to_dict("records")]


def _root_source(one: "Snapshot") -> str:
    from munet.errors import DamagedError

    try:
        return (one.store.get_model(one.root).get("root") or {}).get("source") or "not known"
    except DamagedError:
        return "cannot be read"
