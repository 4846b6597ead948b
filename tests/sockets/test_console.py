"""The console on real sockets, by TLS."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import time
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
from tests.ports import free_port
from tests.tls.authority import Authority

reactor: Any = global_reactor
#: Only TLS, and only requests that are signed.
CLOSED = """\
tls.server.mode=enforcing
authenticationEnabled=true
authorizationEnabled=true
initAuthenticationUser={"username":"admin","password":"a-long-secret"}
"""
TOKEN = "a-token-for-tests"


class SecureTests(TestCase):
    """A console without a cluster, with the certificate of a broker."""

    timeout = 120

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
        with urllib.request.urlopen(request, context=context, timeout=60) as response:
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

    def test_large(self) -> Deferred[None]:
        """A large body comes whole, and its connection takes the next request."""

        def send(port: int) -> list[int]:
            context = ssl.create_default_context(cafile=self.authority.ca)
            browser = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=60, context=context
            )
            headers = {"Authorization": f"Bearer {TOKEN}"}
            more = {**headers, "Content-Type": "application/json"}
            found = []
            for method, path, body, given in (
                ("POST", "/api/session", b" " * (5 << 20), more),
                ("GET", "/api/session", None, headers),
                ("GET", "/api/openapi.json", None, headers),
            ):
                browser.request(method, path, body, given)
                response = browser.getresponse()
                response.read()
                found.append(response.status)
            browser.close()
            return found

        async def run() -> None:
            port = await self.start()
            self.assertEqual(await deferToThread(send, port), [413, 200, 200])

        return Deferred.fromCoroutine(run())


class ProgramTests(TestCase):
    """``twistd rocketmq`` with everything closed, and a console."""

    timeout = 120

    def test_closed(self) -> None:
        """The console reaches both servers of its program, whatever others need."""
        authority = Authority(self.mktemp())
        certificate, key = authority.issue()
        folder, port = self.mktemp(), free_port()
        config = self.mktemp()
        with open(config, "w") as file:
            file.write(CLOSED)
        command = [sys.executable, "-m", "twisted", "rocketmq", f"--data={folder}"]
        command += [f"--listen=127.0.0.1:{free_port()}", f"--console={port}"]
        command += [f"--namesrv-listen=127.0.0.1:{free_port()}", "--name=broker-a"]
        command += [f"--tls-cert={certificate}", f"--tls-key={key}"]
        with open(self.mktemp(), "wb") as log:
            words = [*command, f"--config={config}", "--advertise=127.0.0.1"]
            program = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            overview = self.overview(f"https://127.0.0.1:{port}", folder, authority)
        finally:
            program.terminate()
            program.wait(20)
        self.assertEqual(overview["problems"], [])
        self.assertEqual(overview["status"]["failed"], {})

    def overview(self, url: str, folder: str, authority: Authority) -> Any:
        """Return what the console says once the broker is registered."""
        context = ssl.create_default_context(cafile=authority.ca)
        until = time.monotonic() + 90
        why: object = "no broker is registered"
        while time.monotonic() < until:
            try:
                with open(f"{folder}/console-token") as file:
                    headers = {"Authorization": f"Bearer {file.read().strip()}"}
                request = urllib.request.Request(f"{url}/api/cluster", headers=headers)
                with urllib.request.urlopen(request, context=context) as response:
                    found = json.load(response)
                if found["status"]["brokers"]:
                    return found
            except OSError as error:
                why = error
            time.sleep(0.1)
        raise AssertionError(f"the console does not show the broker: {why}")
