"""TLS on real sockets: certificates that change under load, and slow handshakes."""

from __future__ import annotations

import os
import socket
from typing import Any, ClassVar

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.handshakes import Handshakes
from rocketmq_tw.remoting.listener import Listener
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.remoting.tls import ServerSide
from rocketmq_tw.remoting.write_through import unsent_bytes
from rocketmq_tw.tls.settings import ServerTls, Tls
from rocketmq_tw.wire.fields import Request
from tests.remoting.ends import Echo, EchoResponse, echoing
from tests.tls.authority import Authority

reactor: Any = global_reactor


class Late(Request[EchoResponse]):
    """Ask for a text that comes later."""

    code: ClassVar[int] = 31994
    text: str


class SocketTlsTests(TestCase):
    """One server on the loopback."""

    timeout = 120

    async def start(self, **limits: Any) -> None:
        """Start the server."""
        self.authority = Authority(self.mktemp())
        self.certificate, self.key = self.authority.issue()
        peers = PeerLog(reactor)
        self.handshakes = Handshakes(reactor, **limits)
        self.side = ServerSide(
            ServerTls(certificate=self.certificate, key=self.key),
            reactor=reactor,
            peers=peers,
            handshakes=self.handshakes,
        )
        self.side.start()
        self.factory = RemotingServerFactory(echoing(), reactor, peers=peers)
        listener = Listener(reactor, self.side)
        await listener.start("tcp:0:interface=127.0.0.1", self.factory)
        where: Any = listener.address
        self.port = where.port
        self.address = f"127.0.0.1:{self.port}"
        self.addCleanup(self.side.stop)
        self.addCleanup(self.factory.close_all)
        self.addCleanup(listener.stopService)

    def pool(self, ca: str) -> ConnectionPool:
        """Make a client."""
        pool = ConnectionPool(reactor, tls=Tls(ca_file=ca))
        self.addCleanup(pool.close_all)
        return pool

    def replace(self) -> Authority:
        """Replace the server's files by those of another authority."""
        other = Authority(self.mktemp(), "the next one")
        certificate, key = other.issue()
        os.replace(certificate, self.certificate)
        os.replace(key, self.key)
        return other

    def test_swap_under_load(self) -> Deferred[None]:
        """Each response arrives while the certificate changes; new ones get the new."""
        return Deferred.fromCoroutine(self._swap_under_load())

    async def _swap_under_load(self) -> None:
        await self.start()
        pool = self.pool(self.authority.ca)
        connection = await pool.connection(self.address)
        is_over = False
        count = 0

        async def load() -> None:
            nonlocal count
            while not is_over:
                response = await pool.call(
                    self.address, Echo(text=str(count), body=b"x" * 50_000)
                )
                assert len(response.body) == 50_000
                count += 1

        loads = [Deferred.fromCoroutine(load()) for _ in range(8)]
        while count < 20:
            await deferLater(reactor, 0.01)
        other = self.replace()
        # What the timer does each five seconds.
        for _ in range(2):
            await self.side._look()
        new = self.pool(other.ca)
        response = await new.call(self.address, Echo(text="new"))
        self.assertEqual(response.text, "new")
        before = count
        while count < before + 20:
            await deferLater(reactor, 0.01)
        is_over = True
        await DeferredList(loads, fireOnOneErrback=True)
        self.assertIs(pool.live(self.address), connection)

    def test_slow_clients(self) -> Deferred[None]:
        """Hundreds that begin a handshake and stop keep nobody out."""
        return Deferred.fromCoroutine(self._slow_clients())

    async def _slow_clients(self) -> None:
        await self.start(limit=50, timeout=20)
        slow = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(300)]
        for each in slow:
            self.addCleanup(each.close)
            each.sendall(b"\x16\x03\x01\x02\x00\x01")
        while self.handshakes.waiting < 300:
            await deferLater(reactor, 0.01)
        response = await self.pool(self.authority.ca).call(
            self.address, Echo(text="hello")
        )
        self.assertEqual(response.text, "hello")
        self.assertEqual(self.handshakes.completed, 1)

    def test_late_response(self) -> Deferred[None]:
        """What comes after the close is sent while anything is, as without TLS."""
        return Deferred.fromCoroutine(self._late_response())

    async def _late_response(self) -> None:
        await self.start()
        waiting: list[Deferred[EchoResponse]] = []

        def late(request: Late, call: Call) -> Any:
            if request.text == "large":
                return EchoResponse(text="large", body=bytes(8 << 20))
            waiting.append(Deferred())
            return waiting[-1]

        self.factory.router.on(Late, late)
        plain = ConnectionPool(reactor)
        self.addCleanup(plain.close_all)
        for pool in (self.pool(self.authority.ca), plain):
            connection = await pool.connection(self.address)
            below = getattr(connection.transport, "transport", connection.transport)
            below.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.transport.pauseProducing()
            responses = [
                connection.call(Late(text="late"), None),
                connection.call(Late(text="large"), None),
            ]
            while not self.factory.connections:
                await deferLater(reactor, 0.01)
            [server] = self.factory.connections
            while not unsent_bytes(server.transport):
                await deferLater(reactor, 0.01)
            closed = server.close()
            waiting.pop().callback(EchoResponse(text="late"))
            connection.transport.resumeProducing()
            found = await gatherResults(responses)
            self.assertEqual([each.text for each in found], ["late", "large"])
            await closed
