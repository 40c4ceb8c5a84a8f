"""What each person contributed: counted from the histories of tasks and the lineages of their models."""

# pandas carries no types of its own:
# pyright: reportAttributeAccessIssue=false

from pathlib import Path
from typing import Any

from munet.analysis import History
from munet.analysis.people import NOT_KNOWN, contributions
from munet.report.figures import draw
from munet.store import Store
from munet.store.retained import history_of, noted
from sharing_tools import fleet, retain
from store_tools import changed


def grown(path: Path) -> Store:
    """Alice begins `flowers`, bob goes on with it, and alice's `signs` builds on what bob has."""
    store = fleet(path, "flowers", "signs")
    retain(store, "flowers", "1", by="alice")
    second = retain(store, "flowers", "2", by="bob")
    retain(store, "signs", "3", by="alice", parent=second)
    return store


def rows(store: Store) -> dict[tuple[str, str], tuple[int, int]]:
    table = contributions(History.of({"s": store}))
    return {(row.person, row.task): (row.retained, row.now) for row in table.itertuples()}


def test_models_count_for_who_evolved_them(tmp_path: Path) -> None:
    assert rows(grown(tmp_path / "s")) == {
        ("alice", "flowers"): (1, 0),
        ("alice", "signs"): (1, 1),
        ("bob", "flowers"): (1, 1),
    }


def two(path: Path) -> Store:
    """Bob's `signs` builds on what alice has of `flowers`."""
    store = fleet(path, "flowers", "signs")
    sized(store, "flowers", "1", "alice", 7)
    sized(store, "signs", "2", "bob", 11, parent=store.read_task("flowers")["model"])
    return store


def sized(store: Store, task: str, tag: str, by: str, head: int, parent: str | None = None) -> None:
    before = history_of(store.read_task(task))
    manifest = store.get_model(retain(store, task, tag, by=by, parent=parent))
    sizes: Any = {**manifest, "sizes": {**dict.fromkeys(manifest["layers"], 1), "head": head}}
    with store.commit():
        new = store.put_model(sizes)
        known = noted(before, new, None, by)
        store.write_task(changed(store.read_task(task), model=new, retained=known, test=None))


def test_parameters_count_once_for_who_trained_them_whoever_uses_them(tmp_path: Path) -> None:
    table = contributions(History.of({"s": two(tmp_path / "s")}))
    found = {(row.person, row.task): row.parameters for row in table.itertuples()}
    assert found == {("alice", "flowers"): 7, ("bob", "signs"): 11}, "the root is nobody's"


def test_whom_no_record_names_is_said(tmp_path: Path) -> None:
    store = grown(tmp_path / "s")
    older = {key: value for key, value in store.read_task("signs").items() if key != "retained"}
    store.write_task(older)  # pyright: ignore[reportArgumentType]
    assert rows(store)[NOT_KNOWN, "signs"] == (1, 1)


def test_the_figure_has_a_bar_for_each_person_as_long_as_the_table_says(tmp_path: Path) -> None:
    store = two(tmp_path / "s")
    sized(store, "flowers", "3", "bob", 5)
    figure = draw("people", History.of({"s": store}))
    panel: Any = figure.axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["alice", "bob"]
    widths: dict[int, float] = {}
    for bar in panel.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        widths[row] = widths.get(row, 0.0) + bar.get_width()
    assert widths == {0: 1.0, 1: 2.0}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["flowers", "signs"]
