"""How events change the state of a run, and what the time left is made of."""

import pytest

from cli_tools import opening, task_row
from munet.cli.evolve.state import (
    ACCEPTED,
    BEST,
    EARLIER,
    REJECTED,
    TRAINING,
    WAITING,
    RunState,
    advance,
    initial_state,
)
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    GenerationStarted,
    RunFinished,
    TaskFinished,
    TaskStarted,
)


def played(*events, rows=(), step: float = 1.0) -> RunState:
    """The state after `events`, one every `step` seconds."""
    state = initial_state(0.0, rows)
    for number, event in enumerate(events, start=1):
        advance(state, event, number * step)
    return state


def cycle(child: int, number: int, accuracy: float) -> CycleFinished:
    return CycleFinished("mnist", 0, 0, child, number, accuracy)


def child(
    number: int, accuracy: float | None, *, accepted: bool, best: bool, reason: str | None = None
) -> ChildFinished:
    return ChildFinished("mnist", 0, 0, number, accepted, best, accuracy, accuracy, reason)


def test_children_go_from_waiting_to_a_verdict():
    events = [*opening(), cycle(0, 0, 0.5), cycle(0, 1, 0.6), child(0, 0.6, accepted=True, best=True)]
    state = played(*events, cycle(1, 0, 0.7))
    assert [row.state for row in state.children] == [BEST, TRAINING, WAITING]
    assert state.children[0].accuracies == [0.5, 0.6]
    more = [cycle(1, 1, 0.8), child(1, 0.8, accepted=True, best=True), cycle(2, 0, 0.1), cycle(2, 1, 0.2)]
    state = played(*events, cycle(1, 0, 0.7), *more, child(2, 0.2, accepted=False, best=False, reason="too low"))
    assert [row.state for row in state.children] == [ACCEPTED, BEST, REJECTED]
    assert state.children[2].reason == "too low"


def test_the_next_child_trains_before_its_first_cycle_is_over():
    assert [row.state for row in played(*opening()).children] == [TRAINING, WAITING, WAITING]


def test_progress_counts_cycles_that_a_rejected_child_never_runs():
    state = played(*opening(), cycle(0, 0, 0.5), child(0, None, accepted=False, best=False, reason="not finite"))
    assert state.progress == pytest.approx(2 / 12)


def test_time_left_is_the_mean_cycle_times_those_that_are_left():
    state = played(*opening())
    assert state.time_left is None
    advance(state, cycle(0, 0, 0.5), 5.0)  # the first child began at 3 s
    assert state.time_left == pytest.approx(11 * 2.0 + 1.0), "and a second for preparing the second generation"
    state.now = 7.0
    assert state.time_left == pytest.approx(11 * 2.0 - 1.0), "the clock runs between events"


def test_a_resumed_run_counts_what_was_done_and_times_only_its_own_work():
    run, task, _ = opening(resumed=True, finished_children=4)
    state = played(run, task, GenerationStarted("mnist", 0, 1, ((), (), ()), finished=(0,)), cycle(1, 0, 0.5))
    assert [row.state for row in state.children] == [EARLIER, TRAINING, WAITING]
    assert state.progress == pytest.approx((4 * 2 + 1) / 12)
    assert state.time_left == pytest.approx((12 - 8 - 1) * 1.0)


def test_tasks_show_before_and_now():
    rows = [task_row("mnist", validation_accuracy=0.4, test_accuracy=0.3), task_row("other")]
    state = played(*opening(), cycle(0, 0, 0.5), child(0, 0.5, accepted=True, best=True), rows=rows)
    row = state.tasks["mnist"]
    assert list(state.tasks) == ["mnist"], "only the tasks of the run are shown"
    assert (row.validation_before, row.validation, row.open, row.test) == (0.4, 0.4, 0.5, 0.3)
    advance(state, TaskFinished("mnist", 0, "id", 0.5, 0.45, True), 9.0)
    assert (row.validation_before, row.validation, row.open) == (0.4, 0.5, None)
    assert (row.test_before, row.test, row.iterations) == (0.3, 0.45, 1)


def test_a_task_without_a_model_stays_without():
    state = played(*opening(), TaskFinished("mnist", 0, None, None, None, False))
    assert state.tasks["mnist"].validation is None
    assert state.tasks["mnist"].iterations == 1


def test_iterations_of_earlier_sessions_count():
    start, *_ = opening(("a", "b", "c"), task_iterations=3, resumed=True, finished_children=7)
    state = played(start, TaskStarted("b", 1, 100, 10, 0.5))
    assert [row.iterations for row in state.tasks.values()] == [2, 1, 1]


def test_a_finished_run_has_no_time_left():
    state = played(*opening(), RunFinished("0001", 10.0, 6.0, 3.0, 0.5, 1000))
    assert (state.progress, state.time_left) == (1.0, 0.0)


def test_nothing_is_known_before_the_run_starts():
    state = played()
    assert (state.progress, state.time_left) == (0.0, None)


def test_a_generation_replaces_the_children_of_the_last():
    state = played(*opening(), GenerationStarted("mnist", 0, 1, ((),)))
    assert (state.generation, len(state.children)) == (1, 1)


def test_a_second_run_starts_its_clock_anew():
    state = played(*opening(), cycle(0, 0, 0.5), RunFinished("0001", 9.0, 8.0, 1.0, 0.0, 512))
    for number, event in enumerate(opening()):
        advance(state, event, 100.0 + number)
    assert (state.time_left, state.finished, state.elapsed) == (None, None, 2.0)
    advance(state, cycle(0, 0, 0.5), 104.0)  # the first child began at 102 s
    assert state.time_left == pytest.approx(11 * 2.0 + 1.0)
