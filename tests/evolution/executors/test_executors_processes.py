"""Worker processes: the same population as in one process, whatever becomes of the workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import munet
from executor_tools import BUDGET, Once, alive, contents, create, grow, kill, notices, reported, workers_of
from munet.errors import InputError, WorkerError
from munet.evolution.events import ChildFinished, CycleFinished, Event, TaskStarted
from munet.evolution.executors import processes
from repo import SOURCES

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="finds workers through /proc")

Known = tuple[dict[str, bytes], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Known:
    """What a run in this process leaves and tells."""
    system = create(tmp_path_factory.mktemp("local") / "fleet", tiny_npz)
    events = grow(system, executor="local")
    return contents(system), reported(events)


@pytest.fixture
def system(tmp_path: Path, tiny_npz: Path) -> Iterator[munet.System]:
    """A system to grow; no worker is left afterwards."""
    yield create(tmp_path / "fleet", tiny_npz)
    assert workers_of(os.getpid()) == []


def shoot() -> None:
    """Kill all workers of this process, and wait until they are gone, but leave it to their owner to notice."""
    workers = workers_of(os.getpid())
    kill(workers)
    for pid in workers:
        with suppress(ChildProcessError):  # its owner was faster
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def test_two_workers_give_what_one_process_gives(system: munet.System, local: Known) -> None:
    events = grow(system, executor="processes", workers=2)
    assert (contents(system), reported(events)) == local
    assert notices(events) == []


def test_a_killed_worker_loses_only_its_job_group(system: munet.System, local: Known) -> None:
    events = grow(system, Once(CycleFinished, shoot), executor="processes", workers=1)
    assert (contents(system), reported(events)) == local, "and no cycle is reported twice"
    (notice,) = notices(events)
    assert "was killed by SIGKILL while it trained children 1, 2, 3 and 4 of shapes: trained again" in notice


def test_a_worker_that_dies_while_it_waits_is_replaced(system: munet.System, local: Known) -> None:
    def shoot_second(event: Event) -> None:
        if isinstance(event, TaskStarted) and event.task == "again":
            shoot()

    events = grow(system, shoot_second, executor="processes", workers=1)
    assert (contents(system), reported(events)) == local
    assert notices(events) == []


def test_workers_that_die_over_one_job_group_end_the_run(
    system: munet.System, local: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = processes._start

    def doomed(fd: int, threads: int) -> "subprocess.Popen[bytes]":
        process = start(fd, threads)
        process.kill()
        return process

    with monkeypatch.context() as patch:
        patch.setattr(processes, "_start", doomed)
        with pytest.raises(WorkerError, match=r"3 workers died over .* of shapes, .* SIGKILL.*more memory\?") as caught:
            grow(system, executor="processes", workers=2)
    assert "\n" not in str(caught.value)
    grow(system, executor="processes", workers=2)
    assert contents(system) == local[0], "the run went on to the same end"


def test_an_observer_that_stops_the_run_stops_the_workers(system: munet.System, local: Known) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        grow(system, Once(ChildFinished, stop), executor="processes", workers=2)
    assert workers_of(os.getpid()) == []
    grow(system, executor="local")
    assert contents(system) == local[0]


def test_a_worker_without_the_images_names_the_path(tmp_path: Path, tiny_npz: Path, system: munet.System) -> None:
    data = tmp_path / "images"
    shutil.copytree(tiny_npz, data)
    system.add_task("gone", f"npz:{data}")
    with pytest.raises(InputError, match=str(data)):
        grow(
            system,
            Once(TaskStarted, lambda: shutil.rmtree(data)),
            tasks=["gone"],
            executor="processes",
            workers=1,
        )


# What a user who has never heard of multiprocessing writes.
SCRIPT = """
import json
import sys
import munet
print("once", flush=True)
asked = json.loads(sys.argv[2])
where = munet.Where(executor="processes", workers=2, device="cpu", threads=asked.pop("threads"))
budget = munet.Budget(**{name: value for name, value in asked.items() if name in dir(munet.Budget)})
rest = {name: value for name, value in asked.items() if name not in dir(munet.Budget)}
munet.evolve(
    munet.System.open(sys.argv[1]), method="mu2net-plus", budget=budget, where=where,
    observer=lambda event: print(type(event).__name__, flush=True), **rest
)
"""
LONG = {"tasks": ["shapes"], "generations": 1, "children": 40, "cycles": 3, "settings": {}}


def start_script(system: munet.System, **options: Any) -> "subprocess.Popen[str]":
    script = system.path.parent / "grow.py"
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, str(script), str(system.path), json.dumps({**BUDGET, **options})]
    heeding = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{SCRIPT}"
    script.write_text(heeding)  # tests in the background of a shell ignore SIGINT, and so would what they start
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_script_without_a_main_guard_runs_once(system: munet.System, local: Known) -> None:
    with start_script(system) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines().count("once") == 1
    assert contents(system) == local[0]


def end_by(number: signal.Signals, process: "subprocess.Popen[str]", children: int) -> None:
    """Signal a run after so many children, and wait until its workers have gone as well."""
    assert process.stdout is not None
    for line in process.stdout:
        children -= line == "ChildFinished\n"
        if not children:
            break
    workers = workers_of(process.pid)
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert len(workers) == 2
    while any(alive(pid) for pid in workers):  # the time limit of the test ends this
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_run(number: signal.Signals, system: munet.System) -> None:
    with start_script(system, **LONG) as process:
        end_by(number, process, 1)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(system: munet.System, local: Known) -> None:
    for children in (1, 3, 2, 5):
        with start_script(system) as process:
            end_by(signal.SIGKILL, process, children)
        assert munet.System.open(system.path).fsck().ok
    grow(system, executor="processes", workers=2)
    system.gc()
    assert contents(system) == local[0]
