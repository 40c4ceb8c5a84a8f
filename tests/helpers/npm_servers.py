"""Servers for tests that npm installs: azurite (Azure, an emulator) and s3rver, which ignores conditions of writes."""

import base64
import hashlib
import hmac
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

BUCKET = "fleets"
_ACCOUNT = "devstoreaccount1"  # of every emulator, with its key, which is no secret
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def azure_server(folder: Path) -> Iterator[Mapping[str, str]]:
    """azurite with one container; yields the environment in which az:// is that server. Skips where npm has none."""
    words = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with _server(folder, "azurite@3.35.0", "azurite-blob", [*words, "--blobPort"]) as port:
        address = f"http://127.0.0.1:{port}/{_ACCOUNT}"
        urlopen(_container(f"{address}/{BUCKET}"), timeout=20).close()
        yield {
            "AZURE_STORAGE_ENDPOINT": address,
            "AZURE_ALLOW_HTTP": "true",
            "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
        }


@contextmanager
def careless_server(folder: Path) -> Iterator[Mapping[str, str]]:
    """s3rver with one bucket; yields the environment in which s3:// is that server. Skips where npm has none."""
    words = ["-d", str(folder), "-a", "127.0.0.1", "--configure-bucket", BUCKET, "-p"]
    with _server(folder, "s3rver@3.7.1", "s3rver", words) as port:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "S3RVER",
            "AWS_SECRET_ACCESS_KEY": "S3RVER",
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def _server(folder: Path, package: str, program: str, words: list[str]) -> Iterator[int]:
    """The port at which a package's program listens."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm, which installs {package}, is not here")
    install = [npm, "install", "--prefix", str(folder / "npm"), "--no-audit", "--no-fund", package]
    if (done := subprocess.run(install, capture_output=True, text=True, timeout=300)).returncode:
        pytest.skip(f"npm could not install {package}: {done.stderr.strip()[-200:]}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(folder / "log", "wb") as log:
        command = [str(folder / "npm" / "node_modules" / ".bin" / program), *words, str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _wait(server, port, folder / "log")
        yield port
    finally:
        server.kill()
        server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path, patience: float = 60.0) -> None:
    last = time.monotonic() + patience
    while time.monotonic() < last and server.poll() is None:
        with suppress(URLError, OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"no server at port {port}: {log.read_text(errors='replace')[-2000:]}")


def _container(url: str) -> Request:
    """The signed request that makes a container (Azure's Shared Key)."""
    date, path = formatdate(usegmt=True), url.split("/", 3)[3]
    signed = "PUT" + 12 * "\n" + f"x-ms-date:{date}\nx-ms-version:2021-12-02\n/{_ACCOUNT}/{path}\nrestype:container"
    mark = base64.b64encode(hmac.new(base64.b64decode(_KEY), signed.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": date, "x-ms-version": "2021-12-02", "Authorization": f"SharedKey {_ACCOUNT}:{mark}"}
    return Request(f"{url}?restype=container", method="PUT", headers={**headers, "Content-Length": "0"})
