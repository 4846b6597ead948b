"""
TLS with Apache RocketMQ: its clients on our servers, our client on its servers.

The release 2.1.2 of the Go client has no TLS, what comes after it has; the Node client
has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tls.authority import Authority

from . import steps
from .lab import OURS, Lab, Server
from .program import wait_until
from .test_access import ADMIN, PROVIDERS, USERS
from .test_rocketmq_admin import Admin, run


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


def cluster(
    lab: Lab,
    make: str,
    settings: dict[str, str],
    of_broker: dict[str, str] | None = None,
) -> Server:
    """
    Start a name server and a broker with TLS; return the name server.

    :param of_broker: further settings of the broker.
    """
    more: dict[str, Any] = dict(settings)
    if make != OURS:
        more = {"jvm": tuple(flags(settings).split())}
    names = lab.name_server(make, **more)
    lab.broker(make, names, **more, **of_broker or {})
    return names


def test_mutual(lab: Lab, files: Files) -> None:
    """Java clients show a certificate; without one they send nothing."""
    names = cluster(lab, OURS, files.of_server("enforcing", mutual=True))
    for make in ("v49", "v55", OURS):
        options = files.options(make)
        steps.secured_round_trip(lab, names, make, f"Mutual_{make}", options)
    for make in ("v55", OURS):
        for options in ({}, files.options(make, certificate=False)):
            steps.check_refused(lab, names, make, options)


def test_permissive(lab: Lab, files: Files) -> None:
    """TLS and plain connections on the same ports; the Go client verifies nothing."""
    steps.build("go-tls")
    names = cluster(lab, OURS, files.of_server("permissive", mutual=False))
    for make, options in (
        ("v49", {}),
        ("v55", files.options("v55", certificate=False)),
        ("go-tls", {"tls": "true"}),
    ):
        steps.secured_round_trip(lab, names, make, f"Permissive_{make}", options)


def test_disabled(lab: Lab, files: Files) -> None:
    """With the mode ``disabled`` only plain connections are served."""
    settings = files.of_server("disabled", mutual=False)
    names = cluster(lab, OURS, {**settings, "tls.enable": "false"})
    steps.wait_until_sent(lab, names, "v49", "Disabled", {})
    for make in ("v49", OURS):
        options = files.options(make, certificate=False)
        steps.check_refused(lab, names, make, options)


def test_apache(lab: Lab, files: Files) -> None:
    """
    Our client on Apache's servers, which want a certificate and a signature.

    Its broker does not authorize: see :mod:`.test_decisions`.
    """
    names = cluster(
        lab,
        "v55",
        files.of_server("enforcing", mutual=True),
        {**USERS, **PROVIDERS, "authorizationEnabled": "false"},
    )
    options = {**files.options(OURS), **ADMIN}
    steps.wait_until_sent(lab, names, OURS, "First", options)
    steps.secured_round_trip(lab, names, OURS, "Apache", options)
    for wrong in (
        {**options, "password": "another-secret"},
        files.options(OURS),
        {**files.options(OURS, certificate=False), **ADMIN},
    ):
        steps.check_refused(lab, names, OURS, wrong)
    check_admin(lab, names, files)


def check_admin(lab: Lab, names: Server, files: Files) -> None:
    """``rocketmq-admin`` with a certificate and a signature, and with either wrong."""
    secret = lab.scratch / "secret"
    secret.write_text(ADMIN["password"] + "\n")
    secret.chmod(0o600)
    trust = ("--tls-ca", files.ca)
    certificate = ("--tls-cert", files.client, "--tls-key", files.client_key)
    user = ("--access-key", ADMIN["user"], "--secret-file", str(secret))
    admin = Admin(names.address, *trust, *certificate, *user)
    [broker] = admin.json("cluster", "status")["brokers"]
    assert broker["is_active"] and broker["version"].startswith("V5_5")
    made = admin.json("topic", "create", "Signed", "--queues", "1")
    assert len(made["done"]) == 1 and not made["failed"]
    admin.json("group", "create", "G_Signed")

    def is_routed() -> bool:
        done = run(names.address, *admin.options, "topic", "show", "Signed")
        return done.returncode == 0

    wait_until(is_routed, 60, "the topic's route")
    sent = admin.json("message", "send", "Signed", "signed", "--key", "k")
    at = ("message", "at", "Signed", f"{sent['broker']}/0", "0", "--body", "text")
    assert admin.json(*at)[0]["body"] == "signed"

    secret.write_text("another-secret\n")
    assert made["done"][0] in admin.text("topic", "create", "Forged", code=1)
    unsigned = Admin(names.address, *trust, *certificate)
    assert made["done"][0] in unsigned.text("topic", "create", "Unsigned", code=1)
    for options in (trust, ()):
        unknown = Admin(names.address, *options, *user, "--timeout", "2")
        unknown.text("broker", "list", code=3)
