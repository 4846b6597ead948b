"""A client and a server in one process, over sockets that nobody else can reach."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.trial.unittest import TestCase

from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.remoting.in_process import InProcessEndpoint, OwnServers
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.tls.settings import Tls
from tests.remoting.ends import Echo, echoing

reactor: Any = global_reactor
ADDRESS = "127.0.0.1:9876"


class InProcessTests(TestCase):
    """A pool that reaches one address so; its other connections use TLS."""

    timeout = 120

    def setUp(self) -> None:
        """Make both ends."""
        self.is_open = True
        self.factory = RemotingServerFactory(echoing(), reactor)
        self.addCleanup(self.factory.close_all)
        endpoint = InProcessEndpoint(reactor, self.factory, lambda: self.is_open)
        tls = Tls(verify="none-insecure")
        self.pool = ConnectionPool(reactor, tls=tls, direct={ADDRESS: endpoint})
        self.addCleanup(self.pool.close_all)

    async def test_call(self) -> None:
        """Requests are handled, and a connection that was lost is made again."""
        for text in ("first", "second"):
            response = await self.pool.call(ADDRESS, Echo(text=text, body=b"x" * 99999))
            self.assertEqual((response.text, len(response.body)), (text, 99999))
            server = next(iter(self.factory.connections))
            self.assertTrue(server.address.startswith("UNIXAddress("))
            await self.pool.close(ADDRESS)

    async def test_closed(self) -> None:
        """Nothing connects while the server does not listen, or after its end."""
        self.is_open = False
        with self.assertRaisesRegex(ConnectError, "accepts no connections"):
            await self.pool.call(ADDRESS, Echo(text="x"))
        self.is_open = True
        await self.factory.close_all()
        with self.assertRaisesRegex(ConnectError, "accepts no connections"):
            await self.pool.call(ADDRESS, Echo(text="x"))

    async def test_own_servers(self) -> None:
        """A server is found by the address that it has when it is asked for."""
        addresses: list[str] = []
        own = OwnServers(reactor)
        own.add(lambda: "".join(addresses), self)
        self.assertIsNone(own.get(ADDRESS))
        addresses.append(ADDRESS)
        self.assertIsNone(own.get("127.0.0.1:10911"))
        pool = ConnectionPool(reactor, tls=Tls(verify="none-insecure"), direct=own)
        self.addCleanup(pool.close_all)
        response = await pool.call(ADDRESS, Echo(text="by another pool"))
        self.assertEqual(response.text, "by another pool")
        await pool.close(ADDRESS)
        self.is_open = False
        with self.assertRaisesRegex(ConnectError, "accepts no connections"):
            await pool.call(ADDRESS, Echo(text="x"))
