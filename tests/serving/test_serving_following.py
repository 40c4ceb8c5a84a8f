"""A system that lives in a remote: pushed models are taken up, and a remote that goes away ends nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from test_serving_answers import picture

import munet
from cli_tools import SOURCES
from munet.errors import InputError, StoreError
from munet.serving.app import app
from munet.serving.following import Following
from munet.sharing.cloning import followed
from munet.sharing.remotes import add_remote, remotes
from munet.store import Store
from retaining import retain_another


@pytest.fixture
def remote(system: munet.System, tmp_path: Path) -> Path:
    """Where the system is shared, as its remote `origin`."""
    add_remote(system.store, "origin", str(tmp_path / "shared"))
    system.push()
    return tmp_path / "shared"


def test_a_system_is_cloned_once_and_found_again_by_address_or_name(remote: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    assert followed(str(remote), here) == "origin"
    assert munet.System.open(here).tasks == ["three", "four", "again"]
    add_remote(Store.open(here), "other", str(tmp_path / "elsewhere"))
    assert followed(str(remote), here) == followed("origin", here) == "origin"
    assert followed("other", here) == followed(str(tmp_path / "elsewhere"), here) == "other"
    with pytest.raises(InputError, match=f"its remotes are origin, other: `munet remote add {here} NAME"):
        followed(str(tmp_path / "third"), here)


def test_some_tasks_are_cloned_alone_and_another_system_is_left_alone(
    remote: Path, system: munet.System, tmp_path: Path
) -> None:
    followed(str(remote), tmp_path / "some", ["four"])
    assert munet.System.open(tmp_path / "some").tasks == ["four"]
    other = munet.System.create(tmp_path / "other", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    with pytest.raises(StoreError):
        followed(str(remote), other.path)
    with pytest.raises(StoreError, match="holds no munet system yet"):
        followed(str(tmp_path / "nothing"), tmp_path / "new")
    assert remotes(other.store) == {}


def test_what_is_pushed_is_served_and_a_remote_that_goes_away_is_told(
    remote: Path, system: munet.System, start: Any, tmp_path: Path
) -> None:
    service, notes = start(), list[str]()
    here = munet.System.clone(str(remote), tmp_path / "here")
    service.served._models = here.models
    pulling = munet.System.open(here.path)
    service.following = following = Following(str(remote), pulling.pull, 3600, notes.append)
    new = retain_another(system, "three")
    system.push()
    following.once()
    assert service.served.refresh() == ["three"]
    remote.rename(tmp_path / "away")
    with TestClient(app(service), base_url="http://localhost:8000") as client:
        assert client.get("/models").json()["remote"] == {"url": str(remote), "fault": None}
        following.once()
        following.once()
        assert f"{remote} holds no munet system" in client.get("/models").json()["remote"]["fault"]
        answer = client.post("/models/three", content=picture(1))
        assert (answer.status_code, answer.headers["X-Munet-Model"]) == (200, new)
        (tmp_path / "away").rename(remote)
        following.once()
        assert client.get("/models").json()["remote"]["fault"] is None
    assert len(notes) == 2
    assert notes[0].endswith(f"what is here is served on, and {remote} is asked again and again")
    assert notes[1] == f"{remote} is there again"


@contextmanager
def serving(*words: str | Path) -> Iterator[subprocess.Popen[str]]:
    env = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    code = [sys.executable, "-c", "from munet.cli import main; main()", "serve", *map(str, words), "--port", "0"]
    process = subprocess.Popen(code, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def model_of(url: str) -> str:
    from urllib.request import Request, urlopen

    with urlopen(Request(f"{url}models/three", data=picture(1)), timeout=60) as answer:
        return answer.headers["X-Munet-Model"]


def test_the_command_clones_serves_and_takes_up_what_is_pushed(
    remote: Path, system: munet.System, tmp_path: Path
) -> None:
    words = [tmp_path / "here", "--remote", remote, "--every", "1s", "--device", "cpu"]
    with serving(*words) as process:
        assert process.stdout
        cloned = [process.stdout.readline() for _ in range(3)]
        assert [line.split(":")[0] for line in cloned] == ["three", "four", "again"]
        said = process.stdout.readline()
        assert said.startswith(f"Serving 3 tasks of {tmp_path / 'here'} at http://127.0.0.1:")
        url = said.split(" at ")[1].split()[0]
        old = model_of(url)
        new = retain_another(system, "three")
        system.push()
        while (answering := model_of(url)) != new:
            assert answering == old
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    remote.rename(tmp_path / "away")
    with serving(*words) as process:
        assert process.stdout
        assert process.stderr
        assert "what is here is served on" in process.stderr.readline()
        url = process.stdout.readline().split(" at ")[1].split()[0]
        assert model_of(url) == new
