"""The console as a service, in a cluster in memory."""

from __future__ import annotations

import os

import msgspec
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.testing import AccumulatingProtocol

from rocketmq_tw.admin import AdminClient
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.errors import BadConsoleSetting, HttpError
from rocketmq_tw.console.service import ConsoleService, url_of
from rocketmq_tw.console.token import read_token
from tests.admin.cases import AdminCase
from tests.console.visits import BEARER, TOKEN, request_bytes


class ServiceTests(AdminCase):
    """From the start to the stop."""

    brokers = 1

    def setUp(self) -> None:
        """Make the service, on a host of its own."""
        super().setUp()
        config = ConsoleConfig(listen="tcp:8080", token=TOKEN)
        self.service = self.make_service(config)

    def make_service(self, config: ConsoleConfig) -> ConsoleService:
        """Return a service with these settings."""
        reactor = self.cluster.network.reactor("10.0.5.1")
        names = self.cluster.name_server_addresses
        return ConsoleService(
            reactor,
            config,
            admin=lambda: AdminClient(reactor, names),
            about=About("broker-a", "1.0"),
        )

    def visit(self) -> bytes:
        """Ask for the cluster over the network in memory."""
        reactor = self.cluster.network.reactor("10.0.6.1")
        factory = Factory.forProtocol(AccumulatingProtocol)
        factory.protocolConnectionMade = None  # type: ignore[attr-defined]
        waiting = TCP4ClientEndpoint(reactor, "10.0.5.1", 8080).connect(factory)
        protocol = self.run_admin(waiting)
        headers = {"Authorization": BEARER, "Connection": "close"}
        protocol.transport.write(request_bytes("GET", "/api/cluster", **headers))
        self.cluster.wait_until(lambda: protocol.closed)
        return bytes(protocol.data)

    def test_life(self) -> None:
        """It serves while it runs, takes samples meanwhile, and leaves nothing."""
        for _ in range(2):
            self.service.startService()
            assert self.service.started is not None
            self.run_admin(self.service.started)
            found = self.visit()
            self.assertIn(b"200 OK", found)
            self.assertIn(b'"broker-a"', found)
            assert self.service.parts is not None
            self.assertNotEqual(self.service.parts.sampler.rates.lines(), ())
            self.run_admin(self.service.stopService())
            self.assertIsNone(self.service.address)

    def test_token(self) -> None:
        """It is made at the start, and not before; without one nothing is served."""
        path = os.path.join(os.path.abspath(self.mktemp()), "console-token")
        config = ConsoleConfig(listen="tcp:8080", token="", token_file=path)
        service = self.make_service(config)
        self.assertIn("/", service.assets)
        self.assertFalse(os.path.exists(os.path.dirname(path)))
        service.startService()
        assert service.started is not None and service.parts is not None
        self.run_admin(service.started)
        sessions = service.parts.site.sessions
        self.assertRaises(HttpError, sessions.check_token, "", "127.0.0.1")
        sessions.check_token(read_token(path), "127.0.0.1")
        self.run_admin(service.stopService())
        below = msgspec.structs.replace(config, token_file=f"{path}/below")
        service = self.make_service(below)
        service.startService()
        assert service.started is not None
        self.failureResultOf(service.started, BadConsoleSetting)
        self.run_admin(service.stopService())

    def test_url(self) -> None:
        """What the log says can be pasted into a browser."""
        for host, is_secure, url in (
            ("127.0.0.1", False, "http://127.0.0.1:80/"),
            ("0.0.0.0", True, "https://127.0.0.1:80/"),
            ("::1", False, "http://[::1]:80/"),
            ("::", False, "http://[::1]:80/"),
        ):
            address = IPv4Address("TCP", host, 80)
            self.assertEqual(url_of(address, is_secure), url)
        self.assertIn("/run/c", url_of(UNIXAddress(b"/run/c"), False))
