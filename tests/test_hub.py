"""Nobody waits for a hub that does not answer."""

import socket

import pytest
from huggingface_hub import constants

from munet import hub


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def refuse(*args: object, **kwargs: object) -> socket.socket:
    raise ConnectionRefusedError


@pytest.mark.parametrize("offline", [True, False])
def test_without_network_the_client_stays_offline_and_is_as_it_was_afterwards(
    offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with hub.patient():
        assert constants.HF_HUB_OFFLINE
    assert constants.HF_HUB_OFFLINE is offline


def test_a_hub_that_answers_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address)
        return socket.socket()

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.example:8443")
    monkeypatch.setattr(socket, "create_connection", answer)
    with hub.patient():
        assert not constants.HF_HUB_OFFLINE
    assert asked == [("hub.example", 8443)]


def test_behind_a_proxy_only_the_client_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert not hub.reachable()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert hub.reachable()
