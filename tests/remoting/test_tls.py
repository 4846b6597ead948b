"""TLS as settings say: nothing without it, and files that change."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.tls import LOOK_PERIOD, check_tls, server_side, tls_gauges
from rocketmq_tw.tls.errors import BadTlsFile
from rocketmq_tw.tls.settings import ServerMode, ServerTls, Tls, TlsSettings
from tests.remoting.ends import Echo
from tests.remoting.tls_ends import ADDRESS, HERE, TlsCase
from tests.tls.authority import NOW, Authority


class WithoutTests(SynchronousTestCase):
    """A program without TLS does not pay for it."""

    def test_no_server_side(self) -> None:
        """There is no certificate, or the mode says so."""
        for settings in (
            ServerTls(),
            ServerTls(mode=ServerMode.DISABLED, certificate="/nonexistent"),
        ):
            made = server_side(
                settings,
                reactor=Clock(),
                peers=PeerLog(Clock()),
                max_handshakes=1,
                max_handshakes_per_address=0,
                handshake_timeout=1,
            )
            self.assertIsNone(made)
            self.assertEqual({read() for read in tls_gauges(made).values()}, {0})

    def test_nothing_imported(self) -> None:
        """None of our modules imports OpenSSL or what it needs by itself."""
        code = (
            "import sys; sys.modules['OpenSSL'] = sys.modules['cryptography'] = None\n"
            "import rocketmq_tw.broker.service, rocketmq_tw.namesrv.service\n"
            "import rocketmq_tw.client.client\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class CheckTests(SynchronousTestCase):
    """What ends a program before it becomes a daemon."""

    def setUp(self) -> None:
        """Set the clock."""
        self.clock = Clock()
        self.clock.advance(NOW)

    def test_good(self) -> None:
        """Nothing is said."""
        authority = Authority(self.mktemp())
        certificate, key = authority.issue()
        check_tls(
            TlsSettings(
                server=ServerTls(certificate=certificate, key=key),
                client=Tls(ca_file=authority.ca),
            ),
            self.clock,
        )
        check_tls(TlsSettings(), self.clock)

    def test_bad(self) -> None:
        """Files of either side."""
        for settings in (
            TlsSettings(server=ServerTls(certificate="/nonexistent")),
            TlsSettings(client=Tls(ca_file="/nonexistent")),
        ):
            self.assertRaises(BadTlsFile, check_tls, settings, self.clock)


class ReloadTests(TlsCase):
    """Files that change while the server runs."""

    def replace(self, **options: Any) -> None:
        """Replace the server's files by those of another authority."""
        other = Authority(self.mktemp(), "the next one")
        made = other.issue(hosts=(HERE,), **options)
        for source, target in zip(made, (self.certificate, self.key), strict=True):
            os.replace(source, target)
        self.next_ca = other.ca

    def test_changed(self) -> None:
        """New connections use the new certificate, old ones go on."""
        self.serve()
        old = self.pool()
        made = old.connection(ADDRESS)
        self.run_clock()
        connection = self.successResultOf(made)
        self.replace()
        for _ in range(2):
            self.run_clock(LOOK_PERIOD)
        new = self.pool("10.0.0.5", ca_file=self.next_ca)
        for pool in (old, new):
            call = pool.call(ADDRESS, Echo(text="hello"))
            self.run_clock()
            self.assertEqual(self.successResultOf(call).text, "hello")
        self.assertIs(old.live(ADDRESS), connection)

    def test_half_changed(self) -> None:
        """A change is taken when it has lasted: two files change in turn."""
        self.serve()
        other = Authority(self.mktemp())
        certificate, key = other.issue(hosts=(HERE,))
        with capturedLogs() as events:
            os.replace(certificate, self.certificate)
            self.run_clock(LOOK_PERIOD)
            os.replace(key, self.key)
            self.run_clock(LOOK_PERIOD)
            self.assertEqual(events, [])
            self.run_clock(LOOK_PERIOD)
        [event] = events
        self.assertIn("use the changed files", event["log_format"])

    def test_broken(self) -> None:
        """A file that cannot be used is reported once, and the old one stays."""
        self.serve()
        with open(self.certificate, "w") as file:
            file.write("rubbish")
        with capturedLogs() as events:
            for _ in range(5):
                self.run_clock(LOOK_PERIOD)
        [event] = events
        self.assertIn(self.certificate, event["why"])
        self.assertIn("the old certificate stays in use", event["log_format"])
        call = self.pool().call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        self.successResultOf(call)

    def test_repaired(self) -> None:
        """After that, good files are used."""
        self.serve()
        os.unlink(self.key)
        for _ in range(3):
            self.run_clock(LOOK_PERIOD)
        self.replace()
        for _ in range(2):
            self.run_clock(LOOK_PERIOD)
        call = self.pool(ca_file=self.next_ca).call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        self.successResultOf(call)
        self.flushLoggedErrors()

    def test_stopped(self) -> None:
        """No timer is left."""
        self.serve()
        self.side.stop()
        self.listener.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_said(self) -> None:
        """What is accepted is in the log at the start, and that a test is one."""
        with capturedLogs() as events:
            self.serve(mode=ServerMode.ENFORCING, is_test=True)
        texts = [event["log_format"] for event in events]
        self.assertIn("nobody can verify", texts[0])
        self.assertEqual(texts[1], "only TLS connections are accepted")
