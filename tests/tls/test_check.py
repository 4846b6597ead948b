"""The self-test, against servers of all kinds that listen in threads."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.tls.__main__ import main
from rocketmq_tw.tls.check import Line, check
from rocketmq_tw.tls.contexts import server_context
from rocketmq_tw.tls.settings import INSECURE, ClientAuth, ServerTls, Tls
from rocketmq_tw.wire.frame import JSON, FrameDecoder, join
from tests.tls.authority import NOW, Authority

HOST = "127.0.0.1"
RESPONSE = join(JSON, b'{"code":3,"flag":1,"opaque":1}')

Serve = Callable[[socket.socket], None]


def plain(connection: socket.socket) -> None:
    """Respond to any frame, and close when something else comes."""
    decoder = FrameDecoder()
    while data := connection.recv(65536):
        if decoder.feed(data):
            connection.sendall(RESPONSE)
        if decoder.error is not None:
            return


def secure(context: SSL.Context, is_permissive: bool = False) -> Serve:
    """Respond over TLS."""

    def serve(connection: socket.socket) -> None:
        is_tls = connection.recv(1, socket.MSG_PEEK) == b"\x16"
        if not is_tls:
            if is_permissive:
                plain(connection)
            return
        connection.setblocking(True)  # as OpenSSL expects it
        wrapped = SSL.Connection(context, connection)
        wrapped.set_accept_state()
        wrapped.do_handshake()
        decoder = FrameDecoder()
        while True:
            if decoder.feed(wrapped.recv(65536)):
                wrapped.sendall(RESPONSE)

    return serve


def http(connection: socket.socket) -> None:
    """Respond as a web server does."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


class Server:
    """Listens until it is closed."""

    def __init__(self, serve: Serve) -> None:
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._serve = serve
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self._serve(connection)
                except (OSError, SSL.Error):
                    pass

    def close(self) -> None:
        """Stop listening."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


class CheckCase(SynchronousTestCase):
    """Has an authority."""

    def setUp(self) -> None:
        """Make it."""
        self.authority = Authority(self.mktemp())

    def context(self, issued: tuple[str, str] | None = None, **more: Any) -> Any:
        """Return the context of a server."""
        certificate, key = issued or self.authority.issue()
        settings = ServerTls(certificate=certificate, key=key, **more)
        return server_context(settings, more.pop("now", NOW))

    def listening(self, serve: Serve) -> int:
        """Start a server; return its port."""
        server = Server(serve)
        self.addCleanup(server.close)
        return int(server.port)


class CheckTests(CheckCase):
    """Each thing that can be wrong, as a sentence."""

    def found(self, serve: Serve, now: float = NOW, **settings: Any) -> list[Line]:
        """Return what is found of a server."""
        settings.setdefault("ca_file", self.authority.ca)
        return check(HOST, self.listening(serve), Tls(**settings), now, 5.0)

    def problems(self, serve: Serve, **settings: Any) -> str:
        """Return the problems that are found."""
        lines = self.found(serve, **settings)
        return "; ".join(line.text for line in lines if not line.is_good)

    def test_good(self) -> None:
        """Everything is in order."""
        lines = self.found(secure(self.context()))
        self.assertTrue(all(line.is_good for line in lines))
        texts = [line.text for line in lines]
        self.assertIn("TLS is spoken: TLSv1.3", texts[1])
        self.assertEqual(
            texts[2], "its certificate is for localhost, 127.0.0.1, until 2090-01-01"
        )
        self.assertEqual(texts[3], "requests are served by TLS")
        self.assertEqual(texts[4:], ["plain connections are not served"])

    def test_permissive(self) -> None:
        """Plain connections are served, too."""
        lines = self.found(secure(self.context(), is_permissive=True))
        self.assertIn("served, too", lines[-1].text)
        self.assertTrue(lines[-1].is_good)

    def test_plain_server(self) -> None:
        """A server without TLS."""
        said = self.problems(plain)
        self.assertIn("the server closes the connection", said)
        self.assertIn("the server has no certificate", said)

    def test_other_protocol(self) -> None:
        """A web server."""
        self.assertIn("it does not speak TLS here", self.problems(http))

    def test_nobody(self) -> None:
        """A port that is closed, and a name that does not resolve."""
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        [line] = check(HOST, port, Tls(), NOW)
        self.assertIn(f"nothing listens at {HOST}:{port}", line.text)
        [line] = check("a" * 70, 1, Tls(), NOW)
        self.assertIn("aaa does not resolve", line.text)

    def test_silence(self) -> None:
        """A server that accepts, and no more."""
        with socket.create_server((HOST, 0)) as silent:
            lines = check(HOST, silent.getsockname()[1], Tls(), NOW, 0.05)
        self.assertIn("the server says nothing", lines[1].text)

    def test_unknown_authority(self) -> None:
        """The wrong file of authorities."""
        other = Authority(self.mktemp(), "another one")
        said = self.problems(secure(self.context()), ca_file=other.ca)
        self.assertIn("its authority is not among those that are trusted", said)

    def test_self_signed(self) -> None:
        """A certificate that nobody signed but itself; unless that is wanted."""
        serve = secure(self.context(self.authority.issue(self_signed=True)))
        self.assertIn("signed by itself", self.problems(serve))
        self.assertEqual(self.problems(serve, verify=INSECURE), "")

    def test_dates(self) -> None:
        """One that has expired, and one that will."""
        past = datetime(2022, 1, 1, tzinfo=UTC)
        issued = self.authority.issue("old", end=past)
        context = server_context(
            ServerTls(certificate=issued[0], key=issued[1]),
            datetime(2021, 1, 1, tzinfo=UTC).timestamp(),
        )
        self.assertIn("old: it has expired", self.problems(secure(context)))
        soon = datetime(2089, 12, 20, tzinfo=UTC).timestamp()
        lines = self.found(secure(self.context()), now=soon)
        self.assertEqual(lines[3].text, "it expires in 12 days")

    def test_wrong_host(self) -> None:
        """A certificate for others."""
        serve = secure(self.context(self.authority.issue(hosts=("a.example",))))
        self.assertIn(f"it is not for {HOST}", self.problems(serve))
        self.assertEqual(self.problems(serve, server_name="a.example"), "")

    def test_client_certificate(self) -> None:
        """One is wanted, by either version of TLS."""
        for protocols in ("TLSv1.2", "TLSv1.3"):
            context = self.context(
                client_auth=ClientAuth.REQUIRE,
                client_ca=self.authority.ca,
                protocols=protocols,
            )
            said = self.problems(secure(context))
            self.assertRegex(said, "wants a certificate|refuses the handshake")
            certificate, key = self.authority.issue("client")
            good = self.problems(secure(context), certificate=certificate, key=key)
            self.assertEqual(good, "")

    def test_old_version(self) -> None:
        """A server that has stopped at TLS 1.1."""
        context = self.context()
        context.set_min_proto_version(SSL.TLS1_VERSION)
        context.set_max_proto_version(SSL.TLS1_1_VERSION)
        self.assertIn("version", self.problems(secure(context)))

    def test_no_rocketmq(self) -> None:
        """TLS, but of another program."""

        def serve(connection: socket.socket) -> None:
            connection.setblocking(True)
            wrapped = SSL.Connection(context, connection)
            wrapped.set_accept_state()
            wrapped.do_handshake()
            wrapped.recv(65536)
            wrapped.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        context = self.context()
        self.assertIn("what is served by TLS is not RocketMQ", self.problems(serve))


class MainTests(CheckCase):
    """The command."""

    def run_command(self, *words: str) -> tuple[int, str]:
        """Return the exit code and what is printed."""
        output = io.StringIO()
        return main(["check", *words], output), output.getvalue()

    def test_good(self) -> None:
        """Its exit code is 0 if clients are served by TLS."""
        port = self.listening(secure(self.context()))
        code, said = self.run_command(f"{HOST}:{port}", "--ca", self.authority.ca)
        self.assertEqual(code, 0, said)
        self.assertIn("ok      requests are served by TLS\n", said)

    def test_bad(self) -> None:
        """It is 1 if they are not."""
        code, said = self.run_command(f"{HOST}:{self.listening(plain)}")
        self.assertEqual(code, 1)
        self.assertIn("PROBLEM ", said)

    def test_mistakes(self) -> None:
        """It is 2 for what is wrong with the command."""
        for words, expected in (
            (("nowhere",), '"nowhere" is not HOST:PORT'),
            ((f"{HOST}:1", "--ca", "/nonexistent"), "/nonexistent cannot be read"),
        ):
            code, said = self.run_command(*words)
            self.assertEqual(code, 2)
            self.assertIn(expected, said)
