"""Rows of many requests and tasks, computed together: one thread computes what waits whenever the device is free.

An image that several tasks ask about is one row, and stages that their models share are computed once for all rows
(`munet.training.trie`). What comes while a batch is computed is the next one.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch

from munet.serving.limits import Limits
from munet.serving.measures import Measures
from munet.training import Preprocessing, prepare
from munet.training.fixed_rows import FixedRows, fixed_rows
from munet.training.trie import Function, Node, Target, walk


class Full(Exception):
    """So many requests wait already that one more is refused."""


class Late(Exception):
    """A request waited longer than it may take."""


@dataclass
class Wanted:
    """What one request wants of one image: logits at each node. `image` is float32 (C, S, S), ready for the network, or
    uint8 (H, W, C) that `preprocessing` makes ready, together with those that are computed beside it."""

    image: torch.Tensor
    nodes: Sequence[Node]
    preprocessing: Preprocessing | None = None


@dataclass
class Question:
    """A request that waits. Its answer is a list of float32 logits (classes,) for each wanted image."""

    wanted: Sequence[Wanted]
    deadline: float  # of `time.monotonic`
    answer: "Future[list[list[torch.Tensor]]]" = field(default_factory=Future)
    came: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        return len(self.wanted)


class Batcher:
    """Answers questions on a device, in the order in which they came. With `exact`, logits are those of `munet predict`
    to the last bit (on a CPU); else they differ in the last digits with what is computed beside them."""

    def __init__(self, device: torch.device | str, limits: Limits, measures: Measures, *, exact: bool = False) -> None:
        self._device, self._limits, self._measures, self._exact = torch.device(device), limits, measures, exact
        self._waiting: deque[Question] = deque()
        self._news = threading.Condition()
        self._closed = False
        self._rows = 0  # that wait
        self._enough = 1  # rows that the computing thread waits for
        self._expected, self._until = 0, 0.0  # rows that may soon wait, and until when they are waited for
        self._thread = threading.Thread(target=self._run, name="munet-serve-compute", daemon=True)
        self._thread.start()

    def ask(self, wanted: Sequence[Wanted], seconds: float) -> "Future[list[list[torch.Tensor]]]":
        """The answer, when it is there; Late as its exception after so many seconds. Full where too many wait."""
        question = Question(wanted, time.monotonic() + seconds)
        with self._news:
            if self._closed or len(self._waiting) >= self._limits.queue:
                raise Full
            self._waiting.append(question)
            self._rows += question.rows
            self._measures.queue.set(len(self._waiting))
            if self._rows >= self._enough:
                self._news.notify()
        return question.answer

    def close(self) -> None:
        """Answer nothing more."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            self._answer(batch)

    def _next(self) -> list[Question]:
        """What waits, as far as it fits into one batch. A lone question is never kept waiting for others."""
        with self._news:
            self._wait_for(1, None)
            if (left := self._until - time.monotonic()) > 0:
                self._wait_for(self._expected, left)
            if self._closed:
                return []
            batch, rows = [], 0
            while self._waiting and (not batch or rows + self._waiting[0].rows <= self._limits.rows):
                rows += self._waiting[0].rows
                batch.append(self._waiting.popleft())
            self._rows -= rows
            self._measures.queue.set(len(self._waiting))
        return batch

    def _wait_for(self, rows: int, seconds: float | None) -> None:
        self._enough = rows
        self._news.wait_for(lambda: self._rows >= self._enough or self._closed, seconds)

    def _expect(self, answered: int) -> None:
        """Those who are about to be answered may ask again at once: for a short time they are waited for, beside those
        who wait already."""
        with self._news:
            self._expected = min(self._limits.rows, self._rows + answered)
            self._until = time.monotonic() + self._limits.wait

    def _answer(self, batch: list[Question]) -> None:
        now, due = time.monotonic(), list[Question]()
        for question in batch:
            self._measures.waited.observe(now - question.came)
            if not question.answer.set_running_or_notify_cancel():  # the client has hung up
                continue
            if now > question.deadline:
                question.answer.set_exception(Late())
            else:
                due.append(question)
        try:
            answers = self._computed([wanted for question in due for wanted in question.wanted])
        except Exception as error:  # whoever asked hears of it, and the next batch is computed all the same
            for question in due:
                question.answer.set_exception(error)
            return
        self._expect(sum(question.rows for question in due))
        start = 0
        for question in due:
            question.answer.set_result(answers[start : start + question.rows])
            start += question.rows

    @torch.inference_mode()
    def _computed(self, wanted: list[Wanted]) -> list[list[torch.Tensor]]:
        """Logits for each image at each of its nodes."""
        found: list[dict[str, torch.Tensor]] = [{} for _ in wanted]
        given = ready(wanted)
        for size in dict.fromkeys(image.shape[-1] for image in given):
            rows = [number for number, image in enumerate(given) if image.shape[-1] == size]
            images = torch.stack([given[number] for number in rows]).to(self._device)
            self._measures.rows.observe(len(rows))
            nodes: dict[str, tuple[Node, list[int]]] = {}
            for row, number in enumerate(rows):
                # tasks with equal layers are one node
                for node in {node.key: node for node in wanted[number].nodes}.values():
                    nodes.setdefault(node.key, (node, []))[1].append(row)
            targets = [
                Target(node, None if len(mine) == len(rows) else torch.tensor(mine, device=self._device))
                for node, mine in nodes.values()
            ]
            for (node, mine), logits in zip(nodes.values(), self._walk(targets, images, size), strict=True):
                for row, values in zip(mine, logits.float().cpu(), strict=True):
                    found[rows[row]][node.key] = values
        self._measures.alone.inc(sum(node.depth for one in wanted for node in one.nodes))
        return [[logits[node.key] for node in one.nodes] for logits, one in zip(found, wanted, strict=True)]

    def _walk(self, targets: list[Target], images: torch.Tensor, size: int) -> list[torch.Tensor]:
        rows, computed = fixed_rows(size, self._device) if self._exact else None, 0
        call: Callable[[Function, torch.Tensor], torch.Tensor] = FixedRows(rows) if rows else lambda f, x: f(x)

        def apply(function: Function, x: torch.Tensor) -> torch.Tensor:
            nonlocal computed
            computed += len(x)
            return call(function, x)

        found = walk(targets, lambda: images, apply=apply)
        self._measures.computed.inc(computed)
        return found


def ready(wanted: Sequence[Wanted]) -> list[torch.Tensor]:
    """The images, float32 (C, S, S): what is made ready here is so in one call for all that come in one shape."""
    images, groups = [one.image for one in wanted], dict[tuple[Preprocessing, torch.Size], list[int]]()
    for number, one in enumerate(wanted):
        if one.preprocessing is not None:
            groups.setdefault((one.preprocessing, one.image.shape), []).append(number)
    for (preprocessing, _), rows in groups.items():
        made = prepare(torch.stack([images[row] for row in rows]), preprocessing)
        for row, image in zip(rows, made.unbind(), strict=True):
            images[row] = image
    return images
