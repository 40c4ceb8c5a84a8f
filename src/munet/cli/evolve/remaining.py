"""The time that a run still takes: images times the cost of each child, corrected by what was measured.

Work is counted in forward passes of the root on one image: those that are trained on, those that are only read, and
those that heads in closed form are fitted to, which have a rate of their own. Each second between two events belongs to
what the second one tells of: heads, children, the test that ends a task iteration, or what a generation is prepared
from. Until a child has trained, the speed that was measured before the run stands for it, where one was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from munet.cli.evolve.passes import Spent, Work
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
from munet.evolution.work import READ, Images

_COSTS = (3.0, 1.0)  # of an image that is trained on, and of one that is read, where a child is not known
_PRIOR = 8  # children of that cost that are averaged with those of the run: few children say little of the next
_MEASURED = 10.0  # seconds that the speed measured before counts as: the first cycle sets much up
_HEADS_MEASURED = 5.0  # that it counts as for heads: the first one sets much up, too
_FEW_OF_A_CLASS = 12  # images that a trunk trains on, of each class: below, many a path is no better than its head
_OWN = 1 / 2  # of the children that a task with so few may get beside its path
_ONE = Images(1, 0, 0, 0)  # where a run does not say: cycles are equally long


@dataclass
class Remaining:
    """What is left of a run. `seconds` is how long that takes; None until a cycle is done, unless the run knows its
    speed."""

    run: RunStarted
    now: float  # of the last event
    over: dict[str, int] = field(default_factory=dict)  # task iterations of each task
    place: TaskStarted | None = None
    placed: float = 0.0  # when that was heard
    generation: int = -1
    cycles: dict[int, int] = field(default_factory=dict)  # that each unfinished child of the generation has left
    costs: Sequence[tuple[float, float]] = ()  # of each child of the generation
    trunk: TrunkStarted | None = None
    trunk_cycles: int = 0  # left
    samples: dict[tuple[str, int], int] = field(default_factory=dict)  # of task iterations whose share is planned
    shared: set[tuple[str, int]] = field(default_factory=set)  # task iterations that a trunk gives their child
    known: Work = field(default_factory=Work)  # sum of the costs of an image, over the children so far
    drawn: int = 0  # these children
    best: float = 1.0  # cost of an image that the best child of the task iteration reads
    probing: float = 0.0  # seconds of the evidence for a head in the making
    heads: Spent = field(default_factory=Spent)
    children: Spent = field(default_factory=Spent)
    tests: Spent = field(default_factory=Spent)
    preparing: list[float] = field(default_factory=list)  # seconds before each generation
    trained: Spent = field(default_factory=Spent)  # by the clocks of the children
    read: Spent = field(default_factory=Spent)

    def hear(self, event: Event, now: float) -> None:
        """Let an event of the run change what is left."""
        seconds = now - self.now
        match event:
            case TaskStarted():
                for name in self.run.tasks:
                    self.over[name] = max(self.over.get(name, 0), event.iteration)
                self.place, self.generation, self.cycles, self.best = event, -1, {}, 1.0
                self.placed = now
                self._end_trunk(seconds)
            case GenerationStarted():
                if self.is_head(event.iteration):
                    self.probing = seconds  # evidence, which is part of what its child reads
                else:
                    self.preparing.append(seconds)
                self._begin(event)
            case CycleFinished():
                start = self._start(event.child)
                self._share_out(seconds, start, self._cycle(event.child))
                self.cycles[event.child] -= 1
            case ChildFinished():
                self._finish(event, seconds)
            case SharesPlanned() | SharesExpected():
                self.samples |= {(name, event.iteration): samples for name, samples in event.samples}
                return  # what that took belongs to what is prepared from it
            case TrunkStarted():
                self.preparing.append(seconds)
                self.trunk, self.trunk_cycles = event, event.cycles
                self.shared |= {(name, event.iteration) for name in event.tasks}
            case TrunkCycle():
                self._share_out(seconds, self._trunk_start(), self._trunk_cycle())
                self.trunk_cycles -= 1
            case TaskFinished():
                self.tests.add(seconds, Work(read=self._images(event.task).test * self.best))
                self.over[event.task] = event.iteration + 1
                self.place, self.cycles = None, {}
            case RunFinished():
                self.over = dict.fromkeys(self.run.tasks, self.run.task_iterations)
            case _:
                return  # what a notice took belongs to what follows
        self.now = now

    @property
    def seconds(self) -> float | None:
        """Seconds from the last event on."""
        if not (self.run.speed or self.heads.work.passes or self.children.work.passes):
            return None
        generations, left = len(list(self._generations())), self._children_left()
        preparing = generations * sum(self.preparing) / len(self.preparing) if self.preparing else 0.0
        training = self._estimated(left) * self._correction()
        return left.fitted * self._head_rate() + training + preparing + self._tests_left().read * self._test_rate()

    @property
    def share(self) -> float:
        """Fraction of all work that is done."""
        return 1 - (self._children_left() + self._tests_left()).passes / max(self._whole(), 1e-9)

    def within_head(self, now: float) -> float:
        """Fraction of all work that a head in the making has done at `now`, by the time that it is to take: nothing is
        heard of it before it is there."""
        if self.place is None or not self.is_head(self.place.iteration) or (self.generation >= 0 and not self.cycles):
            return 0.0
        work = self._expected(self.place.task, self.place.iteration)
        seconds = work.fitted * self._head_rate()
        if not seconds:
            return 0.0
        return min(0.9, (now - self.placed) / seconds) * work.passes / max(self._whole(), 1e-9)

    def _whole(self) -> float:
        """Passes of all work, done or not."""
        whole = Remaining(self.run, self.now, known=self.known, drawn=self.drawn, samples=self.samples)
        return (whole._children_left() + whole._tests_left()).passes

    # What is left -----------------------------------------------------------------------------------------------------

    def _images(self, task: str) -> Images:
        return Images(*self.run.images[self.run.tasks.index(task)]) if self.run.images else _ONE

    def _open(self) -> Iterator[tuple[str, int]]:
        """Task iterations that are not over."""
        for name in self.run.tasks:
            for iteration in range(self.over.get(name, 0), self.run.task_iterations):
                yield name, iteration

    def _generations(self) -> Iterator[tuple[str, int]]:
        """The task iteration of each generation that has not begun, but for what trunks do."""
        for name, iteration in self._open():
            if (name, iteration) in self.shared or self._is_left_alone(name, iteration):
                continue
            mine = self.place is not None and (name, iteration) == (self.place.task, self.place.iteration)
            begun = self.generation + 1 if mine else 0
            yield from [(name, iteration)] * ((1 if self.is_head(iteration) else self.run.generations) - begun)

    def _may_be_worse_together(self) -> Iterator[tuple[str, int]]:
        """Task iterations whose path through a trunk may not satisfy, so that they get a child of their own as well."""
        if not self.run.together or len(self.run.tasks) < 2:  # a trunk is of several
            return
        here = self.place and self.generation >= 0 and (self.place.task, self.place.iteration)
        for name, iteration in self._open():
            if iteration == int(self.run.head_first) and (name, iteration) != here:
                images = self._cycle_images(name, iteration) * self.run.cycles
                if 0 < images < _FEW_OF_A_CLASS * self._images(name).classes:
                    yield name, iteration

    def _children_left(self) -> Work:
        left = [self._child(child) for child in self.cycles]
        left += [self._expected(name, iteration) for name, iteration in self._generations()]
        left += [self._expected(name, iteration) * _OWN for name, iteration in self._may_be_worse_together()]
        left += [self._trunk_start(), self._trunk_cycle() * self.trunk_cycles, self._trunk_end()]
        return sum(left, Work())

    def _tests_left(self) -> Work:
        images = sum(self._images(name).test for name, at in self._open() if not self._is_left_alone(name, at))
        return Work(read=self._typical()[1] * images)

    def _is_left_alone(self, task: str, iteration: int) -> bool:
        """Whether a task iteration is known to train nothing."""
        return self.samples.get((task, iteration)) == 0

    def _cycle_images(self, task: str, iteration: int) -> float:
        """Images that a child trains on in one cycle."""
        planned = self.samples.get((task, iteration))
        return self._images(task).cycle if planned is None else planned / self.run.cycles

    def is_head(self, iteration: int) -> bool:
        """Whether a task iteration only gives a model with a head in closed form."""
        return not self._trains or (self.run.head_first and iteration == 0)

    @cached_property
    def _trains(self) -> bool:
        """Whether the run trains anything."""
        return not self.run.images or any(Images(*images).cycle for images in self.run.images)

    def _expected(self, task: str, iteration: int) -> Work:
        """Of the children of one generation that are not drawn yet."""
        images = self._images(task)
        if self.is_head(iteration):
            return Work(fitted=images.head + images.validation)
        trained, read = self._typical()
        cycle = Work(self._cycle_images(task, iteration) * trained, images.validation * read)
        heads = Work(fitted=(images.start + images.again) * read)
        return (cycle * self.run.cycles + heads) * self.run.children

    def _typical(self) -> tuple[float, float]:
        """Costs of a child that is not drawn yet."""
        trained, read = (_PRIOR * cost for cost in _COSTS)
        count = self.drawn + _PRIOR
        return (self.known.trained + trained) / count, (self.known.read + read) / count

    def _begin(self, event: GenerationStarted) -> None:
        self.generation = event.generation
        children = range(len(event.children))
        self.cycles = {child: self.run.cycles for child in children if child not in event.finished}
        self.costs = event.costs or [_COSTS] * len(event.children)
        if not self.is_head(event.iteration):
            self.known = sum((Work(*costs) for costs in self.costs), self.known)
            self.drawn += len(self.costs)

    def _child(self, child: int) -> Work:
        """What a child of the generation has left."""
        assert self.place is not None
        if self.is_head(self.place.iteration):
            return self._expected(self.place.task, self.place.iteration)
        return self._start(child) + self._cycle(child) * self.cycles[child] + self._end(child)

    def _start(self, child: int) -> Work:
        """Before the first cycle: the head that training starts from."""
        assert self.place is not None
        begun = self.cycles[child] < self.run.cycles
        return Work(fitted=0.0 if begun else self._images(self.place.task).start * self.costs[child][1])

    def _cycle(self, child: int) -> Work:
        assert self.place is not None
        task, (trained, read) = self.place.task, self.costs[child]
        return Work(self._cycle_images(task, self.place.iteration) * trained, self._images(task).validation * read)

    def _end(self, child: int) -> Work:
        """After the last cycle: a head that is made anew."""
        assert self.place is not None
        return Work(fitted=self._images(self.place.task).again * self.costs[child][1])

    def _trunk_cycle(self) -> Work:
        if self.trunk is None:
            return Work()
        trained, read = _COSTS
        cycles = [self._cycle_images(name, self.trunk.iteration) for name in self.trunk.tasks]
        return Work(trained * sum(cycles), read * sum(self._images(name).validation for name in self.trunk.tasks))

    def _trunk_start(self) -> Work:
        tasks = self.trunk.tasks if self.trunk and self.trunk_cycles == self.trunk.cycles else ()
        return Work(fitted=_COSTS[1] * sum(self._images(name).start for name in tasks))

    def _trunk_end(self) -> Work:
        tasks = self.trunk.tasks if self.trunk else ()
        return Work(fitted=_COSTS[1] * sum(self._images(name).again for name in tasks))

    def _end_trunk(self, seconds: float) -> None:
        """Seconds between the last cycle of a trunk and the first of its tasks."""
        if self.trunk is not None:
            self.heads.add(seconds, self._trunk_end())
            self.trunk, self.trunk_cycles = None, 0

    # What was measured ------------------------------------------------------------------------------------------------

    def _share_out(self, seconds: float, start: Work, cycle: Work) -> None:
        """Seconds of a cycle that may have begun with heads: to both as they were expected."""
        head, training = start.fitted * self._head_rate(), self._estimated(cycle) * self._correction()
        if head:
            self.heads.add(seconds * head / (head + training), start)
            seconds *= training / (head + training)
        self.children.add(seconds, cycle)

    def _finish(self, event: ChildFinished, seconds: float) -> None:
        work = self._child(event.child) if self.is_head(event.iteration) else self._end(event.child)
        (self.heads if work.fitted else self.children).add(seconds + self.probing, work)
        self.probing = 0.0
        del self.cycles[event.child]
        trained, read = self.costs[event.child]
        self.best = read if event.best else self.best
        spent: Mapping[str, Any] = event.record.get("seconds") or {}
        if spent and event.record.get("accuracies"):
            images = self._images(event.task)
            self.trained.add(spent["train"], Work(event.record["samples"] * trained))
            self.read.add(spent["validation"], Work(read=len(event.record["accuracies"]) * images.validation * read))

    def _estimated(self, work: Work) -> float:
        """What work takes a worker, heads apart: by the children that are finished, else by the speed that was measured
        before, else forward passes."""
        trained, read = self._rates() or (1.0, 1.0)
        return work.trained * trained + work.read * read

    def _rates(self) -> tuple[float, float] | None:
        """Seconds of a forward pass where images are trained on, and where they are read."""
        if self.trained.work.trained and self.read.work.read:
            return self.trained.seconds / self.trained.work.trained, self.read.seconds / self.read.work.read
        if not self.run.speed:
            return None
        trained = 1 / (_COSTS[0] * self.run.speed)
        return trained, self._own_head_rate() or trained

    def _correction(self) -> float:
        """Seconds of the children so far by what was estimated of them."""
        if done := self._estimated(self.children.work):
            prior = _MEASURED if self.run.speed else 0.0
            return (self.children.seconds + prior) / (done + prior)
        return 1.0 if self._rates() else self._own_head_rate() or 0.0

    def _own_head_rate(self) -> float | None:
        return self.heads.seconds / self.heads.work.fitted if self.heads.work.fitted else None

    def _head_rate(self) -> float:
        """Seconds of a forward pass where a head in closed form is fitted."""
        if not self.run.speed:
            return self._own_head_rate() or self._estimated(Work(read=1.0)) * self._correction()
        before = READ / self.run.speed  # what the estimate before the run says
        return (self.heads.seconds + _HEADS_MEASURED) / (self.heads.work.fitted + _HEADS_MEASURED / before)

    def _test_rate(self) -> float:
        """Seconds of an image of a test: of those that were done, else as children read, one worker at a time."""
        if self.tests.work.read:
            return self.tests.seconds / self.tests.work.read
        rates = self._rates()
        return rates[1] if rates else self._correction()
