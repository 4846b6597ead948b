"""Server and pool over real sockets: what in-memory transports cannot show."""

from __future__ import annotations

import socket

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs
from twisted.trial.unittest import TestCase

from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.server import RemotingServerFactory
from tests.remoting.ends import Echo, asked, echoing

#: More than the kernel's buffers take.
LARGE = bytes(8 << 20)


class SocketTests(TestCase):
    """A server and a pool of one process."""

    timeout = 120

    async def setUp(self) -> None:
        """Listen on any free port, and be ready to connect."""
        self.server = RemotingServerFactory(echoing(), reactor)
        endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
        self.port: IListeningPort = await endpoint.listen(self.server)
        self.number = self.port.getHost().port  # type: ignore[attr-defined]
        self.address = f"127.0.0.1:{self.number}"
        self.pool = ConnectionPool(reactor)

    async def tearDown(self) -> None:
        """Close it all."""
        await maybeDeferred(self.port.stopListening)
        await self.pool.close_all()
        await self.server.close_all(grace=0.1)

    def call(self, body: bytes = b"", timeout: float = 10.0) -> Deferred[object]:
        """Send one request."""
        return self.pool.call(self.address, Echo(text="hi", body=body), timeout)

    async def test_calls(self) -> None:
        """Many calls at once share one connection, and all get their response."""
        responses = await gatherResults([self.call(b"%d" % n) for n in range(500)])
        self.assertEqual(
            [each.body for each in responses], [b"%d" % n for n in range(500)]
        )
        self.assertEqual(len(self.server.connections), 1)

    async def test_large(self) -> None:
        """Bodies larger than any buffer come back whole and in order."""
        responses = await gatherResults(
            [self.call(LARGE), self.call(b"small"), self.call(LARGE)]
        )
        self.assertEqual(
            [len(each.body) for each in responses], [len(LARGE), 5, len(LARGE)]
        )

    async def test_refused(self) -> None:
        """Where nobody listens, that is said."""
        await self.port.stopListening()
        error = await self.assertFailure(self.call(), ConnectError)
        self.assertIn(self.address, str(error))

    async def test_slow_reader(self) -> None:
        """A client that does not read is not read from, and others are served."""
        slow = socket.create_connection(("127.0.0.1", self.number))
        slow.settimeout(0.5)
        self.addCleanup(slow.close)
        request = asked(ext='"text":"' + "x" * 60_000 + '"')
        sent = await deferToThread(send_all_it_takes, slow, request)
        self.assertLess(sent, 64 << 20)
        self.assertEqual((await self.call(b"others")).body, b"others")

    async def test_nonsense(self) -> None:
        """A client that sends nonsense is closed; the others go on."""
        await self.call()
        with capturedLogs() as events:
            bad = socket.create_connection(("127.0.0.1", self.number))
            bad.settimeout(5)
            bad.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(await deferToThread(bad.recv, 10), b"")
            bad.close()
        why = [event["why"] for event in events if "why" in event]
        self.assertEqual(len(why), 1)
        self.assertIn("HTTP", why[0])
        self.assertEqual((await self.call(b"x")).body, b"x")

    async def test_server_gone(self) -> None:
        """After the server came back, the next call connects anew."""
        await self.call()
        await self.server.close_all()
        await self.port.stopListening()
        while self.pool.live(self.address) is not None:
            await deferLater(reactor, 0.01)
        self.server = RemotingServerFactory(echoing(), reactor)
        endpoint = serverFromString(reactor, f"tcp:{self.number}:interface=127.0.0.1")
        self.port = await endpoint.listen(self.server)
        self.assertEqual((await self.call(b"again")).body, b"again")


def send_all_it_takes(connection: socket.socket, request: bytes) -> int:
    """Send until nothing is taken for a while; give the bytes that were."""
    sent = 0
    try:
        while sent < 64 << 20:
            sent += connection.send(request)
    except TimeoutError:
        pass
    return sent
