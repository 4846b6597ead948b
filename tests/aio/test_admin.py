"""Administration in programs of asyncio."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin.brokers import Brokers
from rocketmq_tw.admin.clients import Clients
from rocketmq_tw.admin.cluster import Cluster
from rocketmq_tw.admin.dead_letters import DeadLetters
from rocketmq_tw.admin.groups import Groups
from rocketmq_tw.admin.messages import Messages
from rocketmq_tw.admin.name_servers import NameServers
from rocketmq_tw.admin.topics import Topics
from rocketmq_tw.admin.users import Users
from rocketmq_tw.aio import AdminClient
from rocketmq_tw.client.errors import NotRunning
from tests.aio.cases import AioCase


class AdminClientTests(AioCase):
    """One administrator, on a client."""

    def test_nouns(self) -> None:
        """Results and errors are those of the other client."""

        async def main() -> None:
            async with self.client() as client, AdminClient.of(client) as admin:
                topics = await admin.topics.list()
                self.assertEqual([topic.name for topic in topics], ["T"])
                status, stats = await asyncio.gather(
                    admin.cluster.status(), admin.topics.stats("T")
                )
                self.assertEqual(len(status.brokers), len(stats.queues))
                with self.assertRaises(NotFound):
                    await admin.groups.get("nobody")
                route = await admin.topics.route("T")
                self.assertEqual(len(route.queue_datas), 1)

        self.run_main(main())

    def test_types(self) -> None:
        """Each method is in the file in which ``mypy`` looks at the types."""
        program = Path(__file__).with_name("typed_admin.py").read_text()
        nouns = (Brokers, Clients, Cluster, DeadLetters, Groups, Messages, Topics)
        for noun in (*nouns, NameServers, Users):
            for name in vars(noun):
                if not name.startswith("_"):
                    self.assertRegex(program, rf"\b\w+\.{name}\(")

    def test_tail(self) -> None:
        """Messages come as they are sent, and a cancelled wait ends."""

        async def main() -> None:
            async with self.client() as client, AdminClient.of(client) as admin:
                async with admin.messages.tail("T") as tail:
                    await admin.messages.send("T", b"x")
                    self.assertEqual((await anext(tail)).body, b"x")
                    with self.assertRaises(TimeoutError):
                        await asyncio.wait_for(anext(tail), 0.05)
                    self.assertEqual(tail.failing, {})
                with self.assertRaises(StopAsyncIteration):
                    await anext(tail)

        self.run_main(main())

    def test_doctor(self) -> None:
        """Findings are iterated over."""

        async def main() -> None:
            async with self.client() as client, AdminClient.of(client) as admin:
                found = [each async for each in admin.doctor(topic="no", wait=0)]
                self.assertEqual([e.fault for e in found], ["no-route-unknown"])

        self.run_main(main())

    def test_not_running(self) -> None:
        """Before the start there is nothing to ask."""
        admin = AdminClient("127.0.0.1:9876")
        with self.assertRaises(NotRunning):
            _ = admin.topics
