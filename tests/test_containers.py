"""The files for containers, read but not run: what they start exists, and nobody is root."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from munet import cli

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STEPS = [line.split(maxsplit=1) for line in TEXT.splitlines() if not line.startswith("#")]
DOCS = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")


def values(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def check_command(words: list[str]) -> None:
    """A usage error for a command, an option or a value that `munet` does not know; nothing is run."""
    command: Any = typer.main.get_command(cli.build())
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, list(words))


def by_default() -> list[str]:
    (text,) = values("CMD")
    return json.loads(text)


def started(name: str) -> list[str]:
    """What the containers of one service that is built here run after `munet`."""
    service = COMPOSE["services"][name]
    assert service["build"] == "."
    return service["command"]


def in_the_docs() -> list[list[str]]:
    lines = re.findall(r"docker compose run --rm share (.*?)(?:  +#.*|`.*)?$", DOCS, re.MULTILINE)
    return [line.split() for line in lines]


@pytest.mark.parametrize("words", [by_default(), started("serve"), started("share"), *in_the_docs()], ids=" ".join)
def test_every_command_is_one_of_munet(words: list[str]):
    check_command(words)
    with pytest.raises(Exception, match=r"(?i)no such option"):
        check_command([*words, "--no-such-option"])


def test_the_image_is_short_has_torch_for_cpus_and_no_root():
    assert len(TEXT.splitlines()) <= 20
    (user,) = values("USER")
    assert any(step.startswith("useradd") and step.endswith(f" {user}") for step in values("RUN"))
    assert user != "root"
    assert values("ENTRYPOINT") == ['["munet"]']
    first, second = [step for step in values("RUN") if step.startswith("pip install")]
    assert "--index-url https://download.pytorch.org/whl/cpu torch" in first
    extras = re.findall(r"'\.\[([a-z,]+)\]'", second)[0].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"serve", "remote"} <= set(extras) <= set(project["optional-dependencies"])


def test_what_is_copied_is_there_and_not_ignored():
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [name for step in values("COPY") for name in step.split()[:-1]]
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / name).exists() for name in copied)


def test_both_ports_are_those_that_are_served_and_open_on_this_machine_only():
    words = by_default()
    assert started("serve") == words
    port = words[words.index("--port") + 1]
    assert values("EXPOSE") == [port]
    assert COMPOSE["services"]["serve"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert all(one.startswith("127.0.0.1:") for one in COMPOSE["services"]["store"]["ports"])


def test_the_store_is_reached_where_it_listens_with_the_password_it_has():
    share, store = COMPOSE["services"]["share"]["environment"], COMPOSE["services"]["store"]
    port = store["ports"][0].rpartition(":")[2]
    assert share["AWS_ENDPOINT_URL"] == f"http://store:{port}"
    assert share["AWS_SECRET_ACCESS_KEY"] == store["environment"]["MINIO_ROOT_PASSWORD"]
    assert share["AWS_ACCESS_KEY_ID"] == store["environment"]["MINIO_ROOT_USER"]
    (bucket,) = re.findall(r"mkdir -p /data/(\w+)", store["entrypoint"][-1])
    assert f"s3://{bucket}" in DOCS
