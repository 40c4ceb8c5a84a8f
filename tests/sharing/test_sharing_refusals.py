"""What an object store refuses is said in one line with what helps, and nothing is half written."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("obstore", reason="obstore is not installed")

from cli_tools import Run
from munet.fs.object_store import first_line
from munet.store import Store


class Refusing(BaseHTTPRequestHandler):
    """Answers as S3 does: reads with `read`, writes with `write`, each (status, code)."""

    read = write = (404, "NoSuchKey")

    def _answer(self, status: int, code: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer(*self.read)

    def do_PUT(self) -> None:
        self._answer(*self.write)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Refusing]]:
    handler = type("Handler", (Refusing,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = {"ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "ALLOW_HTTP": "true", "REGION": "us-east-1"}
        for key, value in {**words, "ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any"}.items():
            monkeypatch.setenv(f"AWS_{key}", value)
        yield handler
        server.shutdown()


@pytest.mark.parametrize(
    ("read", "write", "said"),
    [
        ((404, "NoSuchBucket"), None, "there is no bucket s3://fleets: make it"),
        ((403, "RequestTimeTooSkewed"), None, "the clock of this machine is wrong: set it"),
        ((403, "InvalidAccessKeyId"), None, "does not take these credentials: put AWS_ACCESS_KEY_ID"),
        ((403, "AccessDenied"), None, "may not be read with these credentials"),
        ((404, "NoSuchKey"), (403, "AccessDenied"), "can only be read with these credentials: .*--read-only"),
    ],
)
def test_each_refusal_names_its_cause_and_what_helps(
    s3: type[Refusing], mine: Store, run: Run, tmp_path: Path, read: tuple, write: tuple | None, said: str
) -> None:
    s3.read, s3.write = read, write or read
    commands = [("remote", "add", mine.path, "origin", "s3://fleets/fleet")]
    if write is None:
        commands += [("clone", "s3://fleets/fleet", tmp_path / "made"), ("fsck", "s3://fleets/fleet")]
    before = {file: file.read_bytes() for file in mine.path.rglob("*.json")}
    for words in commands:
        code, _, err = run(*words)
        assert (code, err.count("\n")) == (2, 1)
        assert re.search(said, err), err
    assert {file: file.read_bytes() for file in mine.path.rglob("*.json")} == before
    assert not (tmp_path / "made").exists()


def test_a_file_is_no_place_to_share(mine: Store, run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("notes")
    code, _, err = run("remote", "add", mine.path, "origin", tmp_path / "notes")
    assert (code, err.count("\n"), "notes is a file: name the folder" in err) == (2, 1, True)


@pytest.mark.parametrize("url", ["s3://", "http://", "hf:///"])
def test_an_address_without_a_place_is_no_folder(mine: Store, run: Run, url: str) -> None:
    code, _, err = run("remote", "add", mine.path, "origin", url)
    assert (code, f"{url}: an address names a bucket" in err) == (2, True)


def test_a_clone_of_a_task_that_is_not_there_makes_nothing(mine: Store, run: Run, tmp_path: Path) -> None:
    code, _, err = run("clone", mine.path, tmp_path / "made", "--task", "flower")
    assert code == 2
    assert re.search(r"has no task 'flower'.*flowers", err), err
    assert not (tmp_path / "made").exists()


def test_the_next_command_names_the_remote_and_none_where_nothing_is_pushed(
    mine: Store, run: Run, tmp_path: Path
) -> None:
    _, out, _ = run("remote", "add", mine.path, "nas", tmp_path / "nas")
    assert out.rstrip().endswith(f"munet push {mine.path} --remote nas makes it")
    _, out, _ = run("remote", "add", mine.path, "mirror", tmp_path / "mirror", "--read-only")
    assert out.rstrip().endswith("nothing there yet")


def test_no_credentials_are_said_to_be_none(mine: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    code, _, err = run("remote", "add", mine.path, "origin", "az://fleets/fleet")
    assert (code, err.count("\n")) == (2, 1)
    assert "there are no credentials for az://fleets: put AZURE_STORAGE_ACCOUNT_NAME" in err


def test_what_a_store_says_is_told_without_its_tries_and_cut_at_a_word() -> None:
    tries = "in 2.35s, after 10 retries, max_retries: 10, retry_timeout: 180s  - "
    said = first_line(OSError(f"Error performing GET http://x/y {tries}HTTP error: {'word ' * 60}\nDebug source"))
    assert said.startswith("Error performing GET http://x/y: HTTP error: word word")
    assert said.endswith("word…")
    assert len(said) <= 200
