"""The part of a task's record that is shared, and the join of two of them.

The join is that of maps that only grow (`munet.store.retained`), so it is commutative, associative and idempotent:
whoever has heard of the same models holds the same, whatever came first, came twice or was cut off. Which of several
heads a task's model is follows from the heads alone, by an order that everyone computes alike.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from munet.errors import DamagedError, InputError
from munet.store.manifests import layers_of
from munet.store.objects import is_id
from munet.store.retained import History, heads, history_of
from munet.store.schema import (
    Manifest,
    ModelTest,
    RetainedModel,
    SignedModel,
    TaskData,
    TaskRecord,
    task_data,
    task_record,
)
from munet.store.signatures import Signatures, signatures_of
from munet.tasks.names import check_name

NO_IMAGES = "none:"
_TOLD = ("order", "white")  # options of a source that say how images are read, and not where they are
_IDS = 100_000  # in a history at most
_COUNT = 10**12  # of anything that a record or manifest counts at most
_SIGNED = 100  # of one model at most
_NAMES = 100  # of a task at most
_SIGNATURE = re.compile(r"-----BEGIN SSH SIGNATURE-----\n[A-Za-z0-9+/=\n]{1,20000}-----END SSH SIGNATURE-----\n?")

Order = Callable[[str], tuple[Any, ...]]
"""From a model's id to what it is sorted by: the smallest is retained."""


@dataclass(frozen=True)
class SharedTask:
    """What systems tell each other of a task: its data without the place of its images, and its history."""

    data: TaskData
    retained: History
    iterations: int
    signatures: Signatures = field(default_factory=dict)
    called: frozenset[str] = frozenset()  # other names that manifests of its models have

    @property
    def names(self) -> frozenset[str]:
        """All names that manifests of its models may have."""
        return self.called | {self.data["name"]}

    @classmethod
    def of(cls, record: TaskRecord) -> "SharedTask":
        """The shared part of a record."""
        data = task_data(
            record["name"],
            _without_place(record["source"]),
            private=False,
            classes=record["classes"],
            splits=record["splits"],
            fingerprint=record["fingerprint"],
            skip_bad=record["skip_bad"],
            skipped=record["skipped"],
        )
        called = frozenset(record.get("called", ())) - {record["name"]}
        return cls(data, history_of(record), record["iterations"], signatures_of(record), called)

    @property
    def heads(self) -> list[str]:
        """Models that none has replaced."""
        return heads(self.retained)

    def knows(self, other: "SharedTask") -> bool:
        """Whether all that the other knows is known here."""
        return self.joined(other) == self

    def joined(self, other: "SharedTask") -> "SharedTask":
        """What both know together; the data is ours. InputError where they do not share their data."""
        self.refuse_other_data(other)
        retained = {model: _joined(model, self.retained, other.retained) for model in {*self.retained, *other.retained}}
        signatures = {
            model: united(self.signatures.get(model, ()), other.signatures.get(model, ()))
            for model in sorted({*self.signatures, *other.signatures})
        }
        iterations, called = max(self.iterations, other.iterations), (self.called | other.names) - {self.data["name"]}
        return SharedTask(self.data, dict(sorted(retained.items())), iterations, signatures, called)

    def refuse_other_data(self, other: "SharedTask", way: str = "leave it out") -> None:
        """InputError unless both mean the same images and classes."""
        what = self.other_data(other)
        if what is not None:
            raise InputError(f"task '{self.data['name']}' stands for {what} there: {way}", kind="other-data")

    def other_data(self, other: "SharedTask") -> str | None:
        """In what the data of both differ; None where they are the same images and classes."""
        if self.data["classes"] != other.data["classes"]:
            mine, theirs = len(self.data["classes"]), len(other.data["classes"])
            return f"other classes ({theirs} there, {mine} here)" if mine != theirs else "other classes"
        if self.data["fingerprint"] != other.data["fingerprint"]:
            return "other images"
        if self.data["fingerprint"].startswith(NO_IMAGES) and not set(self.retained) & set(other.retained):
            return "images that nobody named, so that they may be others"
        return None

    def record(self, before: TaskRecord | None, order: Order, added: int) -> TaskRecord:
        """The record that says so. What is of one place only stays as it was `before`: source, splits, its run."""
        base = task_record(self.data, added=added) if before is None else before
        model = min(self.heads, key=order, default=None)
        test = None if model is None else self.retained[model]["test"]
        record: TaskRecord = {
            **base,
            "model": model,
            "test": test,
            "iterations": self.iterations,
            "retained": dict(sorted(self.retained.items())),
        }
        if self.signatures:
            record["signatures"] = self.signatures
        if self.called:
            record["called"] = sorted(self.called)
        return record


def order_of(model: str, manifest: Manifest) -> tuple[Any, ...]:
    """Of two models of a task the smaller one is retained: measured on more validation images, more accurate on them,
    of fewer parameters, or else the one with the smaller id."""
    measures: Mapping[str, Any] = manifest.get("metrics") or {}
    accuracy, examples = measures.get("validation_accuracy"), measures.get("validation_examples")
    parameters = sum((manifest.get("sizes") or {}).values())
    return (-(examples or 0), -(-1.0 if accuracy is None else accuracy), parameters, model)


def accuracy_in(order: tuple[Any, ...]) -> float | None:
    """The validation accuracy in what `order_of` returned, if it was measured."""
    return None if order[1] > 0 else -order[1]


def refuse_senseless(record: TaskRecord, place: str) -> None:
    """DamagedError where the record of somebody else has an id that is none, or a name that no task may have."""
    known = history_of(record)
    ids = [*known, *(other for one in known.values() for other in one["replaces"])]
    wrong = next((id for id in ids if not is_id(id)), None)
    if wrong is not None:
        raise DamagedError(f"{place}: the record of a task names the model {wrong[:70]!r}, which is no id")
    if len(ids) > _IDS:
        raise DamagedError(f"{place}: the record of a task names {len(ids)} models: at most {_IDS} are taken")
    iterations = record["iterations"]
    if not 0 <= iterations <= _COUNT:
        raise DamagedError(f"{place}: the record of a task says that it had {iterations} task iterations")
    for test in (entry["test"] for entry in known.values()):
        if test is not None and not _is_measured(test):
            raise DamagedError(f"{place}: the record of a task has a test that nobody can have measured: {test}"[:300])
    for model, said in signatures_of(record).items():
        garbled = [one for one in said if not _SIGNATURE.fullmatch(one["signature"])]
        if not is_id(model) or garbled or len(said) > _SIGNED:
            raise DamagedError(f"{place}: the record of a task has signatures over {model[:70]!r} that are none")
    called = record.get("called", [])
    if len(called) > _NAMES:
        raise DamagedError(f"{place}: task '{record['name']}' has had {len(called)} names: at most {_NAMES} are taken")
    for name in (record["name"], *called):
        if check_name(name) != name:
            raise DamagedError(f"{place}: {name!r} is no task name")


def refuse_senseless_model(manifest: Manifest, model: str, place: str) -> None:
    """DamagedError where the manifest of somebody else has a number that cannot be."""
    measures: Mapping[str, Any] = manifest.get("metrics") or {}
    counts = {"generation": manifest.get("generation"), "validation_examples": measures.get("validation_examples")}
    counts |= {f"size of {slot}": size for slot, size in (manifest.get("sizes") or {}).items()}
    wrong = {name: value for name, value in counts.items() if value is not None and not 0 <= value <= _COUNT}
    accuracy = measures.get("validation_accuracy")
    if accuracy is not None and not 0 <= accuracy <= 1:
        wrong["validation_accuracy"] = accuracy
    for name, value in wrong.items():
        raise DamagedError(f"{place}: model {model[:10]} has a {name} of {value}, which cannot be")


def _is_measured(test: ModelTest) -> bool:
    temperature = test.get("temperature", 1.0)
    return 0 <= test["accuracy"] <= 1 and 0 <= (test["examples"] or 0) <= _COUNT and 0 < temperature < _COUNT


def layer_ids(manifest: Manifest) -> dict[str, str]:
    """Layer id -> the slot that it is for, of all that a model needs."""
    return {id: what.rpartition(" ")[2] for what, id in layers_of(manifest)}


def _joined(model: str, a: Mapping[str, RetainedModel], b: Mapping[str, RetainedModel]) -> RetainedModel:
    return joined_entries([known[model] for known in (a, b) if model in known])


def joined_entries(entries: Sequence[RetainedModel]) -> RetainedModel:
    """What several say of a model, at least one."""
    tests = [entry["test"] for entry in entries]
    return {
        "replaces": sorted({other for entry in entries for other in entry["replaces"]}),
        "by": sorted({person for entry in entries for person in entry["by"]}),
        "test": max(tests, key=_known),  # two machines may differ in the last bits
    }


def united(a: Sequence[SignedModel], b: Sequence[SignedModel]) -> list[SignedModel]:
    """All signatures over a model, each once."""
    found = {json.dumps(one, sort_keys=True): one for one in (*a, *b)}
    return [found[text] for text in sorted(found)]


def _known(test: ModelTest | None) -> tuple[bool, str]:
    return test is not None, json.dumps(test, sort_keys=True)


def _without_place(source: str) -> str:
    """An address that says how single images are read, and not where they are."""
    _, _, options = source.rpartition("?")
    pairs = [pair for pair in options.split("&") if pair.partition("=")[0] in _TOLD] if "?" in source else []
    return f"{NO_IMAGES}?{'&'.join(pairs)}" if pairs else NO_IMAGES
