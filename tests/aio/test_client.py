"""The client in programs of asyncio."""

from __future__ import annotations

import asyncio

from rocketmq_tw.aio import Client
from rocketmq_tw.client.errors import (
    NameServerUnavailable,
    NotRunning,
    StateError,
    ValidationError,
)
from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.requests.heartbeat import UnregisterClient
from tests.aio.cases import AioCase


class ClientTests(AioCase):
    """Starting and stopping."""

    def test_two_programs(self) -> None:
        """Two calls of ``asyncio.run`` in one process send a message each."""

        async def main() -> int:
            async with self.client() as client:
                result = await client.producer("P").send(Message("T", b"x"))
                return result.queue_offset

        self.assertEqual([self.run_main(main()), self.run_main(main())], [0, 1])

    def test_route(self) -> None:
        """It knows its id and the routes of topics."""

        async def main() -> None:
            async with self.client(client_id="me") as client:
                self.assertEqual(client.client_id, "me")
                route = await client.route("T")
                self.assertEqual(route.readable("T"), [self.queue])

        self.run_main(main())

    def test_not_started(self) -> None:
        """Before the start and after the stop there are no producers."""

        async def main() -> None:
            client = self.client()
            self.assertRaises(NotRunning, client.producer, "P")
            await client.stop()
            await client.start()
            with self.assertRaises(StateError):
                await client.start()
            await asyncio.gather(client.stop(), client.stop())
            self.assertRaises(NotRunning, client.producer, "P")

        self.run_main(main())

    def test_no_name_server(self) -> None:
        """A start that fails stops the client."""
        self.cluster.faults.refuse(self.cluster.name_servers[0])

        async def main() -> None:
            client = self.client()
            with self.assertRaises(NameServerUnavailable):
                await client.start()
            self.assertTrue(client.is_stopped)

        self.run_main(main())
        self.cluster.faults.admit(self.cluster.name_servers[0])

    def test_cancelled_start(self) -> None:
        """So does a start that is cancelled."""

        async def main() -> None:
            client = self.client()
            starting = asyncio.create_task(client.start())
            await asyncio.sleep(0)
            starting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await starting
            self.assertTrue(client.is_stopped)

        self.run_main(main())

    def test_cancelled_stop(self) -> None:
        """A stop that is cancelled comes to its end nevertheless."""

        async def main() -> None:
            client = await self.client().start()
            stopping = asyncio.create_task(client.stop())
            await asyncio.sleep(0)
            stopping.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await stopping
            self.assertTrue(self.clients[0].is_stopped)

        self.run_main(main())

    def test_end_of_the_program(self) -> None:
        """A program that ends without a stop leaves its groups."""

        async def main() -> None:
            client = await self.client().start()
            await client.producer("P").send(Message("T", b"x"))

        self.run_main(main())
        self.assertTrue(self.clients[0].is_stopped)
        (left,) = self.cluster.broker.traffic.requests(UnregisterClient)
        self.assertEqual(left.producer_group, "P")

    def test_endpoint(self) -> None:
        """An endpoint that needs an installed reactor is refused."""
        self.assertRaises(ValidationError, Client, "a:1", endpoint="tls:{host}:{port}")
