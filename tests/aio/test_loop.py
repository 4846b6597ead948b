"""A reactor on a loop that runs already, with real sockets."""

from __future__ import annotations

import asyncio

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThreadPool
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.aio.loop import LoopReactor


class _Echo(Protocol):
    """Sends a line, and keeps what comes back."""

    def __init__(self) -> None:
        self.received: Deferred[bytes] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        """Send it."""
        assert self.transport is not None
        self.transport.write(b"hello\n")

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received.callback(data)

    def connectionLost(self, reason: object) -> None:  # type: ignore[override]
        """Note it."""
        self.lost.callback(None)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a line back, then wait for the end."""
    writer.write(await reader.readline())
    await reader.read()
    writer.close()


class LoopReactorTests(SynchronousTestCase):
    """A reactor in a program of asyncio."""

    def test_works(self) -> None:
        """Connections, threads and timers work; afterwards nothing is left."""

        async def main() -> None:
            loop = asyncio.get_running_loop()
            server = await asyncio.start_server(_echo, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            reactor = LoopReactor(loop)
            reactor.attach()
            echo = _Echo()
            factory = Factory.forProtocol(lambda: echo)  # type: ignore[arg-type]
            factory.doStart()
            from twisted.internet.endpoints import HostnameEndpoint

            connected = HostnameEndpoint(reactor, b"127.0.0.1", port).connect(factory)
            await connected.asFuture(loop)
            self.assertEqual(await echo.received.asFuture(loop), b"hello\n")
            pool = reactor.getThreadPool()
            found = deferToThreadPool(reactor, pool, lambda: 7)
            self.assertEqual(await found.asFuture(loop), 7)
            timer: Deferred[None] = Deferred()
            reactor.callLater(0.001, timer.callback, None)
            await timer.asFuture(loop)
            reactor.callLater(1000, self.fail)
            reactor.detach()
            await echo.lost.asFuture(loop)
            left = [reactor.getReaders(), reactor.getWriters()]
            self.assertEqual([*left, reactor.getDelayedCalls()], [[], [], []])
            server.close()
            await server.wait_closed()
            # The loop still runs.
            await asyncio.sleep(0)

        asyncio.run(main())

    def test_monotonic(self) -> None:
        """It schedules by a clock that cannot be set."""

        async def main() -> None:
            reactor = LoopReactor(asyncio.get_running_loop())
            self.assertLess(reactor.seconds(), 1_000_000_000)
            reactor.attach()
            reactor.detach()

        asyncio.run(main())
