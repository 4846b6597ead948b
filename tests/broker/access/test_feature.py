"""Tests of how a broker is guarded by its settings."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher

from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from tests.broker.access.cases import ADMIN, AccessCase
from tests.broker.cases import BrokerCase, Peer, sent


class NoAccessControlTests(BrokerCase):
    """A broker without access control."""

    settings = {"access": AccessSettings()}

    def test_remote_administration(self) -> None:
        """Administration is refused from elsewhere, in a sentence with the option."""
        self.refused(16, "remoteAdministration=true", GetRuntimeInfo())
        self.peer.address = "127.0.0.1:4000"
        self.assertEqual(int(self.ask(GetRuntimeInfo()).status), 0)

    def test_own_address(self) -> None:
        """It is accepted from the address to which the client connects."""
        here = IPv4Address("TCP", "10.0.0.9", 10911)
        self.peer.transport = StringTransport(hostAddress=here, peerAddress=here)
        self.assertEqual(int(self.ask(GetRuntimeInfo()).status), 0)

    def test_clients(self) -> None:
        """Requests of clients are not looked at; plain sends keep their lane."""
        self.assertEqual(int(self.ask(sent()).status), 0)
        self.assertIsNotNone(self.router.lane)


class StartTests(AccessCase):
    """A broker with access control."""

    def test_warns_without_tls(self) -> None:
        """It says that others can read what passes."""
        self.assertEqual(self.warnings("TLS is off", "port for slaves"), [1, 0])

    def test_warns_of_slaves(self) -> None:
        """It says that others can copy the log, if it cannot know its slaves."""
        access = self.settings["access"]
        self.settings = {"access": msgspec.structs.replace(access, inner=None)}
        self.assertEqual(self.warnings("TLS is off", "port for slaves"), [1, 1])

    def warnings(self, *words: str) -> list[int]:
        """Restart, and count the lines with these words."""
        lines: list[Any] = []
        globalLogPublisher.addObserver(lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, lines.append)
        self.restart()
        text = [str(each.get("log_format")) for each in lines]
        return [sum(each in line for line in text) for each in words]

    def test_first_user_is_created_once(self) -> None:
        """A restart does not undo what was changed since."""
        path = os.path.join(self.root, "config", "access.json")
        before = os.stat(path).st_mtime_ns
        self.restart()
        self.assertEqual(os.stat(path).st_mtime_ns, before)
        self.assertEqual(self.status_as(ADMIN, GetRuntimeInfo()), 0)


class NobodyTests(AccessCase):
    """A broker for which no user is named."""

    def start(self) -> None:
        """It does not start, and says what to set."""
        error = self.assertRaises(RocketMQError, super().start)
        self.assertIn("initAuthenticationUser", str(error))
        self.peer = Peer()

    settings = {"access": AccessSettings(is_authenticated=True)}

    def test_start(self) -> None:
        """See :meth:`start`."""
