"""A real Ray cluster of two nodes on this machine: disks are not shared, workers and nodes die, and nothing changes."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import munet
from executor_tools import Once, contents, create, grow, kill, notices, reported, workers_of
from munet.errors import InputError
from munet.evolution.events import CycleFinished, TaskStarted
from munet.evolution.executors.ray_tasks import BLIND

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'munet-ml[ray]'")
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="finds workers through /proc")
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}
Known = tuple[dict[str, bytes], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head of one core; tests add the second node."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Known:
    """What a run in this process leaves and tells."""
    system = create(tmp_path_factory.mktemp("local") / "fleet", tiny_npz)
    events = grow(system, executor="local")
    return contents(system), reported(events)


@pytest.fixture
def system(tmp_path: Path, tiny_npz: Path) -> munet.System:
    return create(tmp_path / "fleet", tiny_npz)


@pytest.mark.slow
def test_a_worker_and_a_node_die_and_nothing_changes(cluster: Any, system: munet.System, local: Known) -> None:
    second = cluster.add_node(**NODE)
    turn = 0

    def disturb(event: munet.evolution.events.Event) -> None:  # pyright: ignore[reportAttributeAccessIssue]
        nonlocal turn
        if isinstance(event, CycleFinished) and event.cycle == 0:
            turn += 1
            if turn == 1:
                kill(workers_of(os.getpid(), "ray::train"))
            if turn == 6:
                cluster.remove_node(second)

    events = grow(system, disturb, executor="ray", address=cluster.address)
    assert (contents(system), reported(events)) == local
    # which of the two is heard of a node depends on whether its death or that of its workers is noticed first
    died = [text for text in notices(events) if " died while it trained" in text]
    assert any("a Ray worker died" in text for text in died)
    assert len(died) >= 2


def test_layers_are_shipped_to_a_node_that_does_not_see_them(cluster: Any, system: munet.System, local: Known) -> None:
    second = cluster.add_node(**NODE, env_vars={BLIND: "1"})
    events = grow(system, executor="ray", address=cluster.address)
    cluster.remove_node(second)
    assert (contents(system), reported(events)) == local
    assert notices(events) == [
        f"not all nodes of the Ray cluster see {system.path}: layers go through Ray's object store"
    ]


@pytest.mark.slow
def test_a_node_that_joins_later_may_see_nothing(
    cluster: Any, system: munet.System, tmp_path: Path, tiny_npz: Path
) -> None:
    longer: dict[str, Any] = {"settings": {}, "children": 8, "cycles": 6}  # so that there is work left for the node
    plain = create(tmp_path / "plain", tiny_npz)
    grow(plain, executor="local", **longer)
    joined: list[Any] = []

    def join() -> None:
        joined.append(cluster.add_node(**NODE, env_vars={BLIND: "1"}))

    events = grow(system, Once(CycleFinished, join), executor="ray", address=cluster.address, **longer)
    cluster.remove_node(joined[0])
    assert contents(system) == contents(plain)
    assert f"the Ray node {socket.gethostname()} does not see {system.path}: layers go through" in notices(events)[0]


@pytest.mark.slow
def test_a_node_without_the_images_names_the_path(cluster: Any, system: munet.System, tiny_npz: Path) -> None:
    data = system.path.parent / "images"
    shutil.copytree(tiny_npz, data)
    system.add_task("gone", f"npz:{data}")
    vanish = Once(TaskStarted, lambda: shutil.rmtree(data))
    with pytest.raises(InputError, match=rf"{data}.* \(on the Ray node {socket.gethostname()}\)$"):
        grow(system, vanish, tasks=["gone"], executor="ray", address=cluster.address)


def test_more_threads_than_a_node_has_are_refused(cluster: Any, system: munet.System) -> None:
    with pytest.raises(InputError, match="no node of the Ray cluster has the 64 CPUs"):
        grow(system, executor="ray", address=cluster.address, threads=64)
    assert system.store.runs() == [], "nothing was begun"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1 .*refused"),
        ("somewhere", "somewhere is no HOST:PORT"),
        ("127.0.0.1:99999", "no Ray cluster answers at 127.0.0.1:99999"),
        ("ray://127.0.0.1:1", "a Ray client cannot train"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(address: str, message: str, system: munet.System) -> None:
    with pytest.raises(InputError, match=message) as caught:
        grow(system, executor="ray", address=address)
    assert "\n" not in str(caught.value)
    assert system.store.runs() == [], "nothing was begun"


def test_missing_ray_names_the_extra(system: munet.System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'munet-ml\[ray\]'"):
        grow(system, executor="ray")
