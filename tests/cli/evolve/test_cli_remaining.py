"""The time left of runs over unequal tasks, by a clock that is made up."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.cli.evolve.state import advance, initial_state
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    GenerationStarted,
    RunFinished,
    RunStarted,
    SharesExpected,
    SharesPlanned,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
)
from munet.evolution.work import Images

TASKS = {"many": Images(2000, 500, 10500, 0), "few": Images(300, 20, 120, 0), "long": Images(2000, 100, 400, 0)}
COSTS = ((3.0, 1.0), (1.2, 1.0), (3.3, 1.1), (2.0, 0.7))
Timed = tuple[float, Event]  # the second at which it is heard


def run(order: tuple[str, ...], *, training: float = 1e-3, reading: float = 1.4e-3, testing: float = 2e-3,
        preparing: float = 0.1, generations: int = 2, cycles: int = 3) -> Iterator[Timed]:  # fmt: skip
    """The events of a run in which a forward pass of the root takes so many seconds where images are trained on,
    validated on and tested on."""
    images = tuple(TASKS[name] for name in order)
    yield 0.0, RunStarted("0001", "mu2net-plus", order, 1, generations, len(COSTS), cycles, images=images)
    clock = 0.0
    for name in order:
        yield clock, TaskStarted(name, 0, 9, 9, None)
        for generation in range(generations):
            clock += preparing
            yield clock, GenerationStarted(name, 0, generation, ((),) * len(COSTS), (), COSTS)
            for child, (trained, read) in enumerate(COSTS):
                seconds = {"train": TASKS[name].cycle * trained * training, "validation": TASKS[name].validation * read}
                seconds["validation"] *= reading
                for cycle in range(cycles):
                    clock += sum(seconds.values())
                    yield clock, CycleFinished(name, 0, generation, child, cycle, 0.5)
                record = {"samples": cycles * TASKS[name].cycle, "accuracies": [0.5] * cycles}
                record["seconds"] = {part: cycles * value for part, value in seconds.items()}
                yield clock, ChildFinished(name, 0, generation, child, True, False, 0.5, 0.5, None, record)
        clock += TASKS[name].test * testing
        yield clock, TaskFinished(name, 0, "id", 0.5, 0.5, True)
    yield clock, RunFinished("0001", clock, 0, 0, 0, 0)


def errors(events: list[Timed]) -> list[float]:
    """How far the time left is off after each event from the first tenth of the run on, as a share of the run."""
    state, end, found = initial_state(0.0), events[-1][0], []
    for clock, event in events:
        advance(state, event, clock)
        if clock >= end / 10:
            assert state.time_left is not None
            found.append(abs(clock + state.time_left - end) / end)
    return found


@given(st.permutations(list(TASKS)), st.floats(0.5, 2), st.floats(0, 0.3), st.integers(2, 3), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_from_the_first_tenth_on_the_time_left_is_within_a_fifth(
    order: list[str], reading: float, preparing: float, generations: int, cycles: int
):
    made = run(tuple(order), reading=reading * 1e-3, testing=reading * 1e-3, preparing=preparing,
               generations=generations, cycles=cycles)  # fmt: skip
    assert max(errors(list(made))) < 0.2


def test_a_test_that_is_slower_than_validation_is_learned_from_the_first():
    events = list(run(("few", "many", "long"), testing=5e-3))
    assert min(errors(events)) < 0.01
    after = next(number for number, (_, event) in enumerate(events) if isinstance(event, TaskFinished))
    state = initial_state(0.0)
    for clock, event in events[: after + 1]:
        advance(state, event, clock)
    assert state.time_left == pytest.approx(events[-1][0] - events[after][0], rel=0.1)


def test_the_share_that_is_done_grows_to_one():
    state, shares = initial_state(0.0), list[float]()
    for clock, event in run(("many", "few", "long")):
        advance(state, event, clock)
        shares.append(state.progress)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (pytest.approx(0), 1.0)


def test_a_head_in_the_making_moves_on_with_the_time():
    images = (Images(1000, 100, 100, 6000), Images(1000, 100, 100, 6000))
    run = RunStarted("0001", "head-only", ("a", "b"), 1, 1, 1, 1, head_first=True, images=images)
    state, clock, shares = initial_state(0.0), 0.0, list[float]()
    advance(state, run, clock)
    for name in run.tasks:
        advance(state, TaskStarted(name, 0, 9, 9, None), clock)
        advance(state, GenerationStarted(name, 0, 0, ((),)), clock)
        for second in range(16):  # the last ones take longer than the first head did
            state.now = clock + second
            shares.append(state.progress)
        clock += 10
        advance(state, ChildFinished(name, 0, 0, 0, True, True, 0.5, 0.5, None), clock)
        advance(state, TaskFinished(name, 0, "id", 0.5, 0.5, True), clock)
        shares.append(state.progress)
    first, second = shares[:16], shares[17:-1]
    assert set(first) == {0.0}, "nothing is known of the speed yet"
    assert shares[16] == pytest.approx(0.5, abs=0.05)
    assert second == sorted(second)
    assert second[5] == pytest.approx(0.75, abs=0.05)
    assert second[0] < second[5] < second[15] < shares[-1]


def test_a_trunk_stands_for_the_children_of_its_tasks():
    images = (Images(1000, 100, 100, 6000), Images(200, 100, 100, 1200))
    run = RunStarted("0001", "adaptive", ("a", "b"), 2, 1, 1, 4, head_first=True, images=images)
    state, clock = initial_state(0.0), 0.0
    advance(state, run, clock)
    for name in run.tasks:  # heads in closed form: a pass takes a millisecond
        advance(state, TaskStarted(name, 0, 9, 9, None), clock)
        advance(state, GenerationStarted(name, 0, 0, ((),)), clock)
        clock += (images[run.tasks.index(name)].head + 100) / 1000
        advance(state, ChildFinished(name, 0, 0, 0, True, True, 0.5, 0.5, None), clock)
        clock += 0.1
        advance(state, TaskFinished(name, 0, "id", 0.5, 0.5, True), clock)
    left = 4 * (3 * 1200 + 200) / 1000 + 0.2
    assert state.time_left == pytest.approx(left)
    advance(state, TrunkStarted(("a", "b"), 1, 4, (0.8, 0.2)), clock)
    assert state.time_left == pytest.approx(left)
    advance(state, TrunkCycle(1, 0, (0.5, 0.5)), clock + 3.8)
    assert state.time_left == pytest.approx(left - 3.8)
    for cycle in range(1, 4):
        advance(state, TrunkCycle(1, cycle, (0.5, 0.5)), clock + 3.8 * (cycle + 1))
    advance(state, TaskStarted("a", 1, 9, 9, 0.5), clock + 4 * 3.8)
    assert state.time_left == pytest.approx(0.2)


def test_what_a_head_tells_of_the_shares_counts_at_once():
    images = (Images(1000, 100, 100, 6000), Images(1000, 100, 100, 6000))
    run = RunStarted("0001", "adaptive", ("a", "b"), 2, 1, 1, 4, head_first=True, images=images)
    state = initial_state(0.0)
    advance(state, run, 0.0)
    advance(state, TaskStarted("a", 0, 9, 9, None), 0.0)
    advance(state, GenerationStarted("a", 0, 0, ((),)), 1.0)  # evidence: a pass takes a millisecond
    assert state.time_left is None, "how long the head takes is not known by its evidence"
    advance(state, ChildFinished("a", 0, 0, 0, True, True, 0.5, 0.5, None), 6.1)
    advance(state, TaskFinished("a", 0, "id", 0.5, 0.5, True), 6.2)
    other, trained, tests = 6.1, 4 * (3 * 1000 + 100) / 1000, 0.1
    assert state.time_left == pytest.approx(other + 2 * trained + 3 * tests)
    advance(state, SharesExpected(1, (("a", 0), ("b", 4000))), 6.2)
    assert state.time_left == pytest.approx(other + trained + 2 * tests)


def test_a_first_head_that_sets_much_up_is_weighed_with_the_speed_measured_before():
    images = (Images(0, 100, 100, 4900), Images(0, 100, 100, 4900))
    run = RunStarted("0001", "head-only", ("a", "b"), 1, 1, 1, 1, images=images, speed=500.0)  # a pass takes 1 ms
    state, test = initial_state(0.0), 0.1
    advance(state, run, 0.0)
    for event, clock in (
        (TaskStarted("a", 0, 9, 9, None), 0.0),
        (GenerationStarted("a", 0, 0, ((),)), 1.0),
        (ChildFinished("a", 0, 0, 0, True, True, 0.5, 0.5, None), 15.0),
        (TaskFinished("a", 0, "id", 0.5, 0.5, True), 15.0 + test),
    ):
        advance(state, event, clock)
    assert state.time_left == pytest.approx(10.0 + test), "neither the 5 s of before nor the 15 s of the first"


def test_a_first_cycle_that_begins_with_heads_says_little_of_the_others():
    images = (Images(1000, 100, 100, 6000, 0, 1500),)
    run = RunStarted("0001", "adaptive", ("a",), 2, 1, 1, 4, head_first=True, images=images)
    state = initial_state(0.0)
    advance(state, run, 0.0)
    for event, clock in (
        (TaskStarted("a", 0, 9, 9, None), 0.0),
        (GenerationStarted("a", 0, 0, ((),)), 1.0),
        (ChildFinished("a", 0, 0, 0, True, True, 0.5, 0.5, None), 6.1),  # a pass takes a millisecond
        (TaskFinished("a", 0, "id", 0.5, 0.5, True), 6.2),
        (TaskStarted("a", 1, 9, 9, 0.5), 6.2),
        (GenerationStarted("a", 1, 0, ((),), (), ((3.0, 1.0),)), 6.2),
    ):
        advance(state, event, clock)
    cycle, test = 3.1, 0.1
    assert state.time_left == pytest.approx(1.5 + 4 * cycle + test)
    advance(state, CycleFinished("a", 1, 0, 0, 0, 0.5), 6.2 + 1.5 + cycle)
    assert state.time_left == pytest.approx(3 * cycle + test)


def test_samples_that_are_divided_by_need_are_counted_as_they_are_divided():
    images = (Images(1000, 100, 100, 6000, 5000), Images(1000, 100, 100, 1200, 1000))
    run = RunStarted("0001", "adaptive", ("a", "b"), 2, 1, 1, 4, head_first=True, images=images)
    state, clock = initial_state(0.0), 0.0
    advance(state, run, clock)
    for name, one in zip(run.tasks, images, strict=True):  # a pass takes a millisecond
        advance(state, TaskStarted(name, 0, 9, 9, None), clock)
        clock += 1  # evidence, a part of what is read
        advance(state, GenerationStarted(name, 0, 0, ((),)), clock)
        clock += (one.head + one.validation) / 1000 - 1
        advance(state, ChildFinished(name, 0, 0, 0, True, True, 0.5, 0.5, None), clock)
        clock += 0.1
        advance(state, TaskFinished(name, 0, "id", 0.5, 0.5, True), clock)
    both = 4 * (2 * 3 * 1000 + 2 * 100) / 1000 + 6 + 0.2
    assert state.time_left == pytest.approx(both)
    advance(state, SharesPlanned(1, (("a", 8000), ("b", 0))), clock)
    one = (4 * (3 * 2000 + 100) + 5000) / 1000 + 0.1
    assert state.time_left == pytest.approx(one)
    advance(state, TaskStarted("a", 1, 9, 9, 0.5), clock)
    advance(state, GenerationStarted("a", 1, 0, ((),), (), ((3.0, 1.0),)), clock)
    for cycle in range(4):
        clock += 6.1
        advance(state, CycleFinished("a", 1, 0, 0, cycle, 0.5), clock)
    assert state.time_left == pytest.approx(5.1)  # the head is made anew, and the model tested
    assert 0 < state.share < 1
    advance(state, ChildFinished("a", 1, 0, 0, True, True, 0.5, 0.5, None), clock + 5)
    advance(state, TaskFinished("a", 1, "id", 0.5, 0.5, True), clock + 5.1)
    assert state.time_left == 0


def test_a_task_with_few_images_of_a_class_may_get_a_child_of_its_own_beside_its_path():
    images = (Images(1000, 100, 100, 6000, classes=10), Images(1000, 100, 100, 6000, classes=1000))
    started = RunStarted("0001", "adaptive", ("a", "b"), 1, 1, 1, 4, images=images, speed=1000 / 3)  # a pass takes 1 ms
    left = []
    for together in (False, True):
        state = initial_state(0.0)
        advance(state, replace(started, together=together), 0.0)
        left.append(state.time_left)
    trained = 4 * (3 * 1000 + 100) / 1000
    assert left == [pytest.approx(2 * trained + 0.2), pytest.approx(2.5 * trained + 0.2)]
    alone = initial_state(0.0)
    advance(alone, replace(started, tasks=("b",), images=images[1:], together=True), 0.0)
    assert alone.time_left == pytest.approx(trained + 0.1), "a trunk is of several"
    advance(state, SharesPlanned(0, (("a", 0), ("b", 20_000))), 0.0)  # 20 of each class
    assert state.time_left == pytest.approx(4 * (3 * 5000 + 100) / 1000 + 0.1)
