"""The client's end of TLS: whom it trusts, and what it says otherwise."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import LogLevel, capturedLogs

from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.tls.settings import INSECURE, ClientAuth, ServerMode
from tests.remoting.ends import Echo
from tests.remoting.tls_ends import ADDRESS, HERE, TlsCase
from tests.tls.authority import Authority


class VerificationTests(TlsCase):
    """Chain and name are verified, unless a word says otherwise."""

    def accepted(self, **settings: Any) -> None:
        """A call is responded to."""
        call = self.pool(**settings).call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        self.assertEqual(self.successResultOf(call).text, "hello")

    def refused(self, **settings: Any) -> str:
        """Return why no connection is made."""
        before = set(self.factory.connections)
        made = self.pool(**settings).connection(ADDRESS)
        self.run_clock()
        error = self.failureResultOf(made, ConnectError).value
        self.run_clock()
        self.assertEqual(self.factory.connections, before)
        return str(error)

    def test_accepted(self) -> None:
        """A certificate of the authority, for the host of the address."""
        self.serve()
        self.accepted()

    def test_long_requests(self) -> None:
        """Megabytes pass in both directions."""
        self.serve()
        body = os.urandom(1 << 20)
        call = self.pool().call(ADDRESS, Echo(text="x", body=body))
        self.run_clock()
        self.assertEqual(self.successResultOf(call).body, body)

    def test_other_name(self) -> None:
        """A name may be expected in place of the host; names of others are refused."""
        self.serve()
        self.accepted(server_name="mq.example")
        said = self.refused(server_name="mq.invalid")
        self.assertIn(
            f"the certificate of the server is for mq.example, {HERE}, not for"
            " mq.invalid",
            said,
        )

    def test_no_host_name(self) -> None:
        """What cannot be the name of a host is refused at once, with or without it."""
        self.serve()
        for name in ("a..b", f"{'x' * 64}.example"):
            for verify in ("full", INSECURE):
                said = self.refused(server_name=name, verify=verify)
                self.assertIn(f'"{name}" is not the name of a host', said)

    def test_wrong_address(self) -> None:
        """A certificate for another host."""
        certificate, key = self.authority.issue(hosts=("10.9.9.9",))
        self.serve(certificate=certificate, key=key)
        self.assertIn(f"is for 10.9.9.9, not for {HERE}", self.refused())

    def test_no_name(self) -> None:
        """A certificate for nobody in particular."""
        certificate, key = self.authority.issue(hosts=())
        self.serve(certificate=certificate, key=key)
        self.assertIn("is for no name or address", self.refused())

    def test_expired(self) -> None:
        """The certificate expired after the server has started."""
        # The server's clock is that of the network, which OpenSSL does not see.
        past = datetime(2024, 1, 1, tzinfo=UTC)
        certificate, key = self.authority.issue(hosts=(HERE,), end=past)
        self.clock.advance(datetime(2023, 1, 1, tzinfo=UTC).timestamp() - self.now)
        self.serve(certificate=certificate, key=key)
        self.assertIn("is refused: it has expired", self.refused())

    @property
    def now(self) -> float:
        """The time of day."""
        return self.clock.seconds()

    def test_self_signed(self) -> None:
        """A certificate that was made for a test."""
        self.serve(is_test=True)
        self.assertIn("is refused: it is signed by itself", self.refused())

    def test_unknown_authority(self) -> None:
        """An authority that is not in the file."""
        self.serve()
        other = Authority(self.mktemp(), "another one")
        said = self.refused(ca_file=other.ca)
        self.assertIn("its authority is not among those that are trusted", said)

    def test_unverified(self) -> None:
        """One word turns all of this off, and is in the log."""
        self.serve(is_test=True)
        with capturedLogs() as events:
            self.accepted(ca_file=None, verify=INSECURE)
        [event] = [e for e in events if e["log_level"] is LogLevel.warn]
        self.assertIn("servers are not verified", event["log_format"])

    def test_client_certificate(self) -> None:
        """A server that wants one gets it; without one, the reason is said."""
        self.serve(client_auth=ClientAuth.REQUIRE, client_ca=self.authority.ca)
        certificate, key = self.authority.issue("client", password="hush")
        self.accepted(certificate=certificate, key=key, key_password="hush")
        call = self.pool().call(ADDRESS, Echo(text="hello"))
        self.run_clock()
        failure = self.failureResultOf(call)
        self.assertIn("it wants a certificate of this client", str(failure.value))

    def test_bad_file(self) -> None:
        """A file that cannot be used is named."""
        self.serve()
        made = self.pool(ca_file="/nonexistent/ca").connection(ADDRESS)
        error = self.failureResultOf(made, ConnectError).value
        self.assertIn("tls.client.trustCertPath: /nonexistent/ca", str(error))

    def test_changed_file(self) -> None:
        """A file that has changed counts for the next connection, if it is good."""
        self.serve()
        path = self.mktemp()
        other = Authority(self.mktemp())
        for authority, is_trusted in ((other, False), (self.authority, True)):
            with open(authority.ca, "rb") as source, open(path, "wb") as target:
                target.write(source.read())
            pool = self.pool(ca_file=path)
            made = pool.connection(ADDRESS)
            self.run_clock()
            if is_trusted:
                self.successResultOf(made)
            else:
                self.failureResultOf(made, ConnectError)
        with open(path, "wb") as target:
            target.write(b"rubbish, and longer than before" * 100)
        pool.close(ADDRESS)
        self.run_clock()
        with capturedLogs() as events:
            made = pool.connection(ADDRESS)
            self.run_clock()
            self.successResultOf(made)
        self.assertIn("the old files stay in use", events[0]["log_format"])


class OtherServerTests(TlsCase):
    """Servers that do not speak TLS, and clients that do not wait."""

    def test_disabled(self) -> None:
        """A server without TLS closes, or responds in plain text."""
        self.serve(mode=ServerMode.ENFORCING)
        self.listener.stopService()
        plain = self.network.reactor(HERE)
        plain.listenTCP(9876, self.factory)
        made = self.pool().connection(ADDRESS)
        self.run_clock()
        error = self.failureResultOf(made, ConnectError).value
        self.assertIn("perhaps it does not accept TLS", str(error))

    def test_cancelled(self) -> None:
        """Who gives up during the handshake leaves no connection behind."""
        self.serve()
        self.network.cut("10.0.0.9", HERE)
        made = self.pool().connection(ADDRESS)
        self.network.heal_all()
        made.cancel()
        self.failureResultOf(made, CancelledError)

    def test_times_out(self) -> None:
        """A server that says nothing is given up."""
        self.network.reactor(HERE).listenTCP(9876, Factory.forProtocol(Protocol))
        made = self.pool().connection(ADDRESS)
        self.run_clock(1)
        self.run_clock(6)
        error = self.failureResultOf(made, ConnectError).value
        self.assertIn("within 5 s", str(error))
        self.assertEqual(self.network.links, [])
