"""What the push and the pull consumer have in common."""

from __future__ import annotations

import asyncio
from typing import Any

from rocketmq_tw import EARLIEST, Message
from rocketmq_tw.model.queue import MessageQueue
from tests.aio.cases import AioCase


class MemberTests(AioCase):
    """The queues of a member."""

    def test_queues(self) -> None:
        """Both tell of their queues; while they are paused, a poll finds nothing."""
        told: list[list[MessageQueue]] = []
        seen: list[bytes] = []

        async def handle(message: Any) -> None:
            seen.append(message.body)

        async def main() -> None:
            async with self.client() as client:
                push = client.push_consumer("Push", start_from=EARLIEST)
                push.subscribe("T", "*", handle)
                pull = client.pull_consumer("Pull", start_from=EARLIEST)
                pull.subscribe("T")
                for consumer in (push, pull):
                    consumer.on_assigned(told.append)
                async with push, pull:
                    for consumer in (push, pull):
                        self.assertIn(self.queue, consumer.assignment())
                        consumer.pause([self.queue])
                    await client.producer("P").send(Message("T", b"x"))
                    self.assertEqual(await pull.poll(timeout=1.0), [])
                    for consumer in (push, pull):
                        consumer.resume()
                    found = await pull.poll(timeout=5.0)
                    self.assertEqual([message.body for message in found], [b"x"])
                    while not seen:
                        await asyncio.sleep(0)

        self.run_main(main())
        queues = [queue for each in told for queue in each]
        self.assertEqual(queues.count(self.queue), 2)
