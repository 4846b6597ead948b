"""
TLS with Apache RocketMQ: its clients on our servers, our client on its servers.

The Go client 2.1.2 and the Node client have no TLS.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tls.authority import Authority

from .corpus import check_contents, check_once
from .lab import OURS, Lab, Server
from .program import Program, wait_for_messages, wait_until

PLAN = "sync:20,async:20,oneway:20,batch:20"
COUNT = 80


class Files:
    """The files of an authority, a server and a client."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(str(folder))
        self.ca = authority.ca
        self.server, self.server_key = authority.issue("server")
        self.client, self.client_key = authority.issue("client")

    def of_server(self, mode: str, mutual: bool) -> dict[str, str]:
        """Return the settings of a server, which connects to others by TLS, too."""
        settings = {
            "tls.server.mode": mode,
            "tls.server.certPath": self.server,
            "tls.server.keyPath": self.server_key,
            "tls.test.mode.enable": "false",
            **self.of_client(),
        }
        if mutual:
            settings["tls.server.need.client.auth"] = "require"
            settings["tls.server.authClient"] = "true"
            settings["tls.server.trustCertPath"] = self.ca
        return settings

    def of_client(self, certificate: bool = True) -> dict[str, str]:
        """Return the settings of a client."""
        settings = {
            "tls.enable": "true",
            "tls.client.authServer": "true",
            "tls.client.trustCertPath": self.ca,
        }
        if certificate:
            settings["tls.client.certPath"] = self.client
            settings["tls.client.keyPath"] = self.client_key
        return settings

    def options(self, make: str, certificate: bool = True) -> dict[str, str]:
        """Return the options of a program on a make's client."""
        if make != OURS:
            settings = self.of_client(certificate)
            return {"jvm": flags({**settings, "tls.test.mode.enable": "false"})}
        own = {"cert": self.client, "key": self.client_key} if certificate else {}
        return {"ca": self.ca, **own}


def flags(settings: dict[str, str]) -> str:
    """Return Java's flags for settings, as only those are read by Apache RocketMQ."""
    return " ".join(f"-D{key}={value}" for key, value in settings.items())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Make an authority."""
    return Files(tmp_path_factory.mktemp("tls"))


def cluster(lab: Lab, make: str, settings: dict[str, str]) -> Server:
    """Start a name server and a broker with TLS; return the name server."""
    more: dict[str, Any] = dict(settings)
    if make != OURS:
        more = {"jvm": tuple(flags(settings).split())}
    names = lab.name_server(make, **more)
    lab.broker(make, names, **more)
    return names


def check_round_trip(
    lab: Lab, names: Server, make: str, options: dict[str, str], topic: str
) -> None:
    """Send messages and receive each once, unchanged."""
    send(lab, names, make, options, topic).finish()
    consumer = lab.consumer(make, names, topic=topic, group=f"G_{topic}", **options)
    lines = wait_for_messages([consumer], COUNT, 60)
    consumer.stop()
    check_once(range(COUNT), lines)
    check_contents(topic, lines)


def send(
    lab: Lab, names: Server, make: str, options: dict[str, str], topic: str
) -> Program:
    """Send messages to a topic that the first one creates."""
    return lab.sender(make, names, topic=topic, seed=topic, plan=PLAN, **options)


def test_mutual(lab: Lab, files: Files) -> None:
    """Java clients show a certificate; without one they send nothing."""
    names = cluster(lab, OURS, files.of_server("enforcing", mutual=True))
    for make in ("v49", "v55", OURS):
        check_round_trip(lab, names, make, files.options(make), f"Mutual_{make}")
    refused = [
        send(lab, names, make, options, "Refused")
        for make in ("v55", OURS)
        for options in ({}, files.options(make, certificate=False))
    ]
    for program in refused:
        with pytest.raises(AssertionError):
            program.finish()
        assert not program.events("sent")


def test_permissive(lab: Lab, files: Files) -> None:
    """TLS and plain connections on the same ports, in both releases."""
    names = cluster(lab, OURS, files.of_server("permissive", mutual=False))
    for make, options in (
        ("v49", {}),
        ("v55", files.options("v55", certificate=False)),
    ):
        check_round_trip(lab, names, make, options, f"Permissive_{make}")


def test_apache(lab: Lab, files: Files) -> None:
    """Our client on Apache's name server and broker, which want a certificate."""
    names = cluster(lab, "v55", files.of_server("enforcing", mutual=True))

    def is_registered() -> bool:
        options = {"topic": "First", "plan": "sync:1", **files.options(OURS)}
        program = lab.sender(OURS, names, **options)
        try:
            program.finish()
        except AssertionError:
            return False
        return True

    wait_until(is_registered, 60, "a broker with a route")
    check_round_trip(lab, names, OURS, files.options(OURS), "Apache")
