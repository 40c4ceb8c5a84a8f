"""The Ray cluster of a run: found or started, looked over, and how much it holds."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from signal import SIG_DFL, SIGTERM, getsignal, signal
from threading import current_thread, main_thread
from typing import Any

from munet.errors import InputError, WorkerError

_PATIENCE = 5.0  # seconds for an address to answer
_PROBE = 120.0  # seconds for every node to say what it has; a busy one starts a Python first


def import_ray() -> Any:
    """The `ray` package. Raises InputError where it is missing.

    Ray prints its own words about workers that died to standard output, which is for the run's lines; the run tells of
    them itself.
    """
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", r"[\s\S]*")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise InputError("the ray executor needs Ray: pip install 'munet-ml[ray]'", kind="missing-extra") from error
    return ray


_WAY = "Give the HOST:PORT that `ray start --head` printed, on a machine that has joined it, or no --address"


def _check(address: str) -> None:
    """Ray itself tries an address for a minute, and then ends the process."""
    host, _, port = address.rpartition(":")
    if address.startswith("ray://"):
        raise InputError(f"--address {address}: a Ray client cannot train. {_WAY}")
    if not host or not port.isdigit():
        raise InputError(f"--address {address} is no HOST:PORT. {_WAY}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"no Ray cluster answers at {address} ({error}). {_WAY}") from error


class Cluster:
    """A Ray cluster that this process has joined, or a Ray of this machine that it has started; left at the end.

    `shared`: every node sees the system's directory. `notes` are what a person should know.
    """

    def __init__(self, address: str | None, cpus: int) -> None:
        self.ray = import_ray()
        self.shared = False
        self.notes: list[str] = []
        self._mine = not self.ray.is_initialized()
        if self._mine:
            _join(self.ray, address or os.environ.get("RAY_ADDRESS") or "local", cpus)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        if self._mine:
            self.ray.shutdown()
            if current_thread() is main_thread() and getsignal(SIGTERM) is _leave:
                signal(SIGTERM, SIG_DFL)

    def capacity(self, threads: int, gpus: float) -> int:
        """Children that fit on the nodes at a time."""
        return sum(_holds(node["Resources"], threads, gpus) for node in self._nodes())

    def check(self, threads: int, gpus: float) -> int:
        """The same; raises InputError where it is none at all."""
        held = self.capacity(threads, gpus)
        if not held:
            wanted = f"{threads} CPU{'s' if threads > 1 else ''}" + (f" and {gpus:g} GPUs" if gpus else "")
            way = "fewer --threads" + (" or --gpus-per-child" if gpus else "")
            raise InputError(f"no node of the Ray cluster has the {wanted} that a child takes: give {way}")
        return held

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self.ray.nodes() if node["Alive"]]

    def look_over(self, look: Callable[..., dict[str, Any]], *question: Any) -> None:
        """Ask every node what it has. Raises InputError for one without this version of munet."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asking = self.ray.remote(num_cpus=0, max_retries=1)(look)
        asked = {
            asking.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
                *question
            ): node["NodeManagerAddress"]
            for node in self._nodes()
        }
        answered, _ = self.ray.wait(list(asked), num_returns=len(asked), timeout=_PROBE)
        found = [answer for ref in answered if (answer := self._answer(ref, asked[ref])) is not None]
        if not found:
            raise WorkerError(f"no node of the Ray cluster answered in {_PROBE:.0f} s: look at `ray status`")
        if len(found) < len(asked):
            self.notes.append(f"{len(asked) - len(found)} nodes of the Ray cluster do not answer: see `ray status`")
        self.shared = len(found) == len(asked) and all(node["sees"] for node in found)
        torch = version("torch")
        others = sorted({f"{node['host']} has {node['torch']}" for node in found if node["torch"] != torch})
        if others:
            self.notes.append(f"torch is {torch} here, but {', '.join(others)}: last bits of children may differ")

    def _answer(self, ref: Any, address: str) -> dict[str, Any] | None:
        """What a node has; None if it died meanwhile."""
        from munet.provenance import VERSION

        errors = self.ray.exceptions
        try:
            found = self.ray.get(ref)
        except errors.RayTaskError as error:
            if "No module named" in str(error):
                text = f"the Ray node {address} cannot import munet: install munet-ml=={VERSION} there"
                raise InputError(text) from error
            raise
        except errors.RayError:
            return None
        if found["munet"] != VERSION:
            text = f"the Ray node {address} has munet {found['munet']}, this is {VERSION}: install that there"
            raise InputError(text)
        return found


def _join(ray: Any, address: str, cpus: int) -> None:
    """Raises InputError where no cluster can be joined."""
    options: dict[str, Any] = {"num_cpus": cpus, "include_dashboard": False} if address == "local" else {}
    if address not in ("local", "auto"):
        _check(address)
    try:
        with _own_signals():
            ray.init(address=address, log_to_driver=False, logging_level="error", **options)
    except Exception as error:  # Ray raises whatever its parts raise
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        reason = reason.strip().rstrip(".")
        if address == "local":
            raise InputError(f"Ray did not start on this machine: {reason}. --executor processes needs none") from error
        raise InputError(f"no Ray cluster at address {address}: {reason}. {_WAY}") from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Leave SIGTERM to the run. Ray would take it over, and end the process with a trace on standard error.

    Where nobody handles it, let it unwind the stack: a Ray of this machine is stopped then, and not left to find out.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = getsignal(SIGTERM)
    try:
        yield
    finally:
        signal(SIGTERM, _leave if before in (None, SIG_DFL) else before)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _holds(resources: dict[str, float], threads: int, gpus: float) -> int:
    held = int(resources.get("CPU", 0) // threads)
    return held if not gpus else min(held, int(resources.get("GPU", 0) / gpus + 1e-9))
