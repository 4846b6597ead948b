"""The console on real sockets, by TLS."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from rocketmq_tw.admin import AdminClient
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.service import ConsoleService
from rocketmq_tw.console.web.secure import Secured
from rocketmq_tw.tls.settings import ServerTls
from tests.tls.authority import Authority

reactor: Any = global_reactor
TOKEN = "a-token-for-tests"


class SecureTests(TestCase):
    """A console without a cluster, with the certificate of a broker."""

    timeout = 30

    async def start(self) -> int:
        """Start it; return its port."""
        self.authority = Authority(self.mktemp())
        certificate, key = self.authority.issue()
        service = ConsoleService(
            reactor,
            ConsoleConfig(listen="tcp:0:interface=127.0.0.1", token=TOKEN),
            admin=lambda: AdminClient(reactor, "127.0.0.1:1"),
            about=About("broker-a", "1.0"),
            secured=Secured(reactor, ServerTls(certificate=certificate, key=key)),
        )
        service.startService()
        self.addCleanup(service.stopService)
        assert service.started is not None
        await service.started
        where: Any = service.address
        return int(where.port)

    def ask(self, url: str) -> Any:
        """Send a request, in a thread."""
        context = ssl.create_default_context(cafile=self.authority.ca)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, context=context, timeout=10) as response:
            return json.load(response)

    def test_tls(self) -> Deferred[None]:
        """By TLS it responds; a plain connection gets nothing."""

        async def run() -> None:
            port = await self.start()
            about = await deferToThread(
                self.ask, f"https://127.0.0.1:{port}/api/session"
            )
            self.assertEqual(about, {"name": "broker-a", "version": "1.0"})
            with self.assertRaises(OSError):
                await deferToThread(self.ask, f"http://127.0.0.1:{port}/api/session")

        return Deferred.fromCoroutine(run())
