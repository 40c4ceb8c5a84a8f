"""Who trains: plans, what workers say, how their errors travel, layers that are shipped."""

from typing import Any

import pytest
import torch

from munet.errors import DamagedError, InputError
from munet.evolution.executors import WorkerPlan, plan_workers
from munet.evolution.executors import worker_plan as worker_plan
from munet.evolution.executors.failures import Failure, how_it_ended
from munet.evolution.executors.messages import Cycle, Done, Noted, Relay, Trained
from munet.evolution.executors.shipped_layers import LayerBundle, ShippedLayers, layers_needed
from munet.evolution.inheritance import ChildSpec
from munet.evolution.jobs import Job, JobGroup, Result
from munet.evolution.options import Where
from munet.evolution.origins import LayerOrigin
from munet.store.layer_file import layer_id, serialize
from store_tools import manifest, task_record


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_plan, "usable_cores", lambda: 8)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)


def plan(executor: str = "auto", **options: Any) -> WorkerPlan:
    run = {name: options.pop(name) for name in ("children", "work") if name in options}
    device = options.pop("device", "cpu")
    return plan_workers(Where(executor=executor, **options), device=device, **{"children": 6, **run})


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, ("processes", 6, 1)),
        ({"children": 2}, ("processes", 2, 4)),
        ({"children": 1}, ("local", 1, 8)),
        ({"threads": 4}, ("processes", 2, 4)),
        ({"threads": 8}, ("local", 1, 8)),
        ({"workers": 1}, ("local", 1, 8)),
        ({"workers": 3, "children": 1}, ("processes", 3, 2)),
        ({"work": 1e9}, ("local", 1, 8)),
        ({"work": 1e9, "workers": 2}, ("processes", 2, 4)),
        ({"device": "cuda"}, ("processes", 4, 2)),
        ({"device": "cuda", "children": 1}, ("local", 1, 8)),
        ({"device": "cuda:1"}, ("local", 1, 8)),
        ({"device": "cuda:1", "workers": 3}, ("processes", 3, 2)),
        ({"device": "mps"}, ("local", 1, 8)),
        ({"executor": "local"}, ("local", 1, 8)),
        ({"executor": "processes", "workers": 1}, ("processes", 1, 8)),
        ({"executor": "ray"}, ("ray", 0, 1)),
        ({"executor": "ray", "workers": 5, "threads": 2}, ("ray", 5, 2)),
    ],
)
def test_plans_fill_the_machine(options: dict[str, Any], wanted: tuple[str, int, int]) -> None:
    made = plan(**options)
    assert (made.executor, made.workers, made.threads) == wanted


def test_workers_are_spread_over_devices_and_share_their_memory() -> None:
    made = plan("processes", device="cuda", workers=6)
    assert made.devices == ("cuda:0", "cuda:1", "cuda:2", "cuda:3")
    assert made.sharing == 2
    assert plan("processes", device="cuda:2", workers=6).sharing == 6
    assert plan("processes", workers=6).sharing == 6
    assert plan("local").sharing == 1
    assert plan("ray", device="cuda", gpus_per_child=0.25).sharing == 4
    assert plan("ray", device="cuda").gpus_per_child == 1
    assert plan("ray", threads=2).sharing == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "rai"}, r"unknown executor 'rai' \(did you mean 'ray'\?\); known: auto, local, processes, ray"),
        ({"executor": "local", "workers": 2}, "add --executor processes"),
        ({"address": "auto"}, "add --executor ray"),
        ({"executor": "processes", "gpus_per_child": 0.5}, "add --executor ray"),
        ({"executor": "ray", "gpus_per_child": 0.5}, "add --device cuda"),
        ({"executor": "ray", "device": "cuda", "gpus_per_child": 1.5}, "1.5: give a part of one"),
        ({"executor": "ray", "device": "cuda", "gpus_per_child": 0.0}, "is 0: give a part of one"),
        ({"workers": 0}, "workers is 0"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_plans_that_contradict_themselves_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(**options)


def test_each_thing_is_heard_once() -> None:
    cycles: list[tuple[int, int, float]] = []
    notes: list[str] = []
    relay = Relay()
    result = Result(0, None, {}, {}, "", 0.0)  # type: ignore[arg-type]
    for generation in range(2):
        relay.begin(lambda *cycle: cycles.append(cycle), notes.append)
        for _ in range(2):
            assert relay.hear(Cycle(0, 0, 0.5)) is None
            assert relay.hear(Noted("the folder is full")) is None
        assert relay.hear(Trained(result)) is result
        assert relay.hear(Trained(result)) is None
        assert relay.hear(Done()) is None
        assert cycles == [(0, 0, 0.5)] * (generation + 1)
    assert notes == ["the folder is full"]


class Odd(Exception):
    """Cannot be pickled: its class asks for two arguments and hands on one."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def thrown(error: Exception) -> Failure:
    try:
        raise error
    except Exception as caught:
        return Failure.of(caught)


def test_errors_keep_their_kind_and_tell_where_they_happened() -> None:
    error = thrown(InputError("no such folder: /x")).unpacked()
    assert type(error) is InputError
    assert str(error) == "no such folder: /x"
    assert "test_executors_plans.py" in str(error.__cause__)
    error = thrown(Odd("a", "b")).unpacked()
    assert (type(error), str(error)) == (RuntimeError, "Odd: ab")
    with pytest.raises(InputError):
        Relay().hear(thrown(InputError("x")))


def test_exit_codes_in_words() -> None:
    assert how_it_ended(-9) == "was killed by SIGKILL"
    assert how_it_ended(-63).endswith("SIGRTMAX-1") or how_it_ended(-63) == "was killed by signal 63"
    assert how_it_ended(1) == "ended with exit code 1"
    assert how_it_ended(None) == "fell silent"


def test_a_job_group_needs_the_layers_it_begins_with() -> None:
    child = ChildSpec(
        origins={
            "embedding": LayerOrigin("stored", "e"),
            "posembed": LayerOrigin("posembed", 48),
            "head": LayerOrigin("head", 3),
        },
        momentum={"embedding": "m"},
    )
    job = Job(0, (0,), child, None, 48, True)  # type: ignore[arg-type]
    root = manifest({}, root={"source": "test", "native_posembed": {"layer": "p", "image_size": 32}})
    assert layers_needed(JobGroup(task_record("a"), (0,), 1, (job,)), root) == {"e", "m", "p"}


def test_shipped_layers_are_verified_and_fetched_once() -> None:
    tensors = {"w": torch.arange(6, dtype=torch.float32)}
    identity, data = layer_id(tensors), serialize(tensors)
    root = manifest({})
    fetched: list[str] = []

    def fetch(reference: str) -> bytes:
        fetched.append(reference)
        return data

    layers = ShippedLayers(fetch)
    layers.take(LayerBundle("r", root, {identity: "there", "f" * 64: "elsewhere"}))
    assert layers.manifest("r") == root
    assert torch.equal(layers.layer(identity)["w"], tensors["w"])
    layers.let_go()
    assert layers.layer(identity) is layers.layer(identity)
    assert fetched == ["there"]
    layers.take(LayerBundle("r", root, {"f" * 64: "elsewhere"}))
    with pytest.raises(DamagedError, match="damaged on its way"):
        layers.layer("f" * 64)
