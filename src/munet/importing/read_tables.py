"""The tables of each of the three formats, read into the one form of `state.py`."""

from collections.abc import Iterable
from pathlib import Path

from munet.errors import InputError
from munet.importing.csv_table import Row, read_table
from munet.importing.formats import Place, StateFolder, read_config
from munet.importing.state import Key, Model, State

_PATH = ("task_name", "id", "parent_id", "components")
_QUALITY = "metrics.quality"
_ROOT, _ROOT_AGENT = "NOT_TRAINABLE", "root_model/"


def read_state(place: Place) -> State:
    """What the tables of a published system say. InputError for tables that are missing, cut short or malformed."""
    return _read_agents(place) if place.format == "mu3net" else _read_one(place)


def _read_one(place: Place) -> State:
    """muNet and mu2Net: one process wrote everything."""
    state = place.states[0]
    population = [_model(row) for row in read_table(state.path / "population.csv", _PATH)]
    paths = [_model(row) for row in read_table(state.path / "paths.csv", _PATH)]
    names = _names([state], agents=False)
    config = read_config(state.path, place.folder, state.path.parent)
    return _checked(State(place.format, state.path, population, paths, names, [state.checkpoint], config, place.notes))


def _read_agents(place: Place) -> State:
    """mu3Net: each agent saved what it made, the newest public state of each says what it has published."""
    population, paths, configs = list[Model](), list[Model](), {}
    newest: dict[Path, StateFolder] = {state.path.parent: state for state in place.states}
    for folder, state in newest.items():
        rows = read_table(state.path / "published.csv", _PATH)
        population += [_model(row, folder.name) for row in rows]
        configs[folder.name] = read_config(state.path, folder)
    for state in place.states:
        rows, agent = read_table(state.path / "paths.csv", _PATH), state.path.parent.name
        paths += [_model(row, agent, state.order[0]) for row in rows]
    names = _names(place.states, agents=True)
    config = {agent: config for agent, config in configs.items() if config is not None} or None
    checkpoints = [state.checkpoint for state in place.states]
    return _checked(State("mu3net", place.folder, population, paths, names, checkpoints, config, place.notes))


def _model(row: Row, agent: str = "", cycle: int | None = None) -> Model:
    number, task = row.whole("id"), row.text("task_name")
    if number is None or number < 0:
        raise row.wrong("id", "a whole number from 0")
    if task is None:
        raise row.wrong("task_name", "the name of a task")
    root = task.startswith(_ROOT_AGENT if agent else _ROOT)
    mine = (row.text("agent_id") or agent) if agent else ""
    score, accounted = ("metrics.score", "metrics.accounted_params") if agent else ("score", "final_accounted_params")
    return Model(
        key=(mine, number),
        task=None if root else task,
        parent=_parent(row, mine),
        row=row,
        score=row.number(score),
        accounted=row.number(accounted),
        cycle=cycle,
    )


def _parent(row: Row, agent: str) -> Key | None:
    text = row.text("parent_id")
    number = None if text in (None, "none") else row.whole("parent_id")
    if number is None or number < 0:
        return None
    return (row.text("parent_agent_id") or agent if agent else ""), number


def _names(states: Iterable[StateFolder], *, agents: bool) -> dict[Key, str]:
    """Names of all components. Saving appends to the table, so an id may come again, but only with its name."""
    names: dict[Key, str] = {}
    for state in states:
        agent = state.path.parent.name if agents else ""
        for row in read_table(state.path / "components.csv", ("id", "name")):
            number, name = row.whole("id"), row.text("name")
            if number is None or name is None:
                raise row.wrong("id" if number is None else "name", "there")
            key = (row.text("agent_id") or agent if agents else "", number)
            if names.setdefault(key, name) != name:
                raise row.wrong("name", f"{names[key]}, as component {number} is called above")
    return names


def _checked(state: State) -> State:
    """The state, unless its population cannot be one."""
    seen: dict[Key, Model] = {}
    for model in state.population:
        if model.key in seen:
            raise InputError(f"{model.name} is there twice: the first is in line {seen[model.key].row.line}")
        seen[model.key] = model
        if model.task is not None and _QUALITY not in model.row.columns:
            raise InputError(f"{model.row.file} has no column '{_QUALITY}': it is no table of this format")
    if not any(model.task is None for model in state.population):
        wanted = f"{_ROOT_AGENT}…" if state.format == "mu3net" else _ROOT
        raise InputError(f"{state.folder} has no root model: no row of its population has the task_name {wanted}")
    if all(model.task is None for model in state.population):
        raise InputError(f"{state.folder} has a root but no task: there is nothing to import")
    return state
