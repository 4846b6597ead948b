"""Receiving one by one in programs of asyncio."""

from __future__ import annotations

from rocketmq_tw.model.message import Message
from tests.aio.cases import AioCase


class SimpleConsumerTests(AioCase):
    """One consumer."""

    def test_receives(self) -> None:
        """It receives, acknowledges, and gives back."""

        async def main() -> None:
            async with self.client() as client:
                producer = client.producer("P")
                for body in (b"0", b"1"):
                    await producer.send(Message("T", body))
                consumer = client.simple_consumer("G")
                first, second = await consumer.receive("T")
                self.assertEqual(first.message.body, b"0")
                await consumer.ack(first)
                await consumer.change_invisible_time(second, 1)
                (again,) = await consumer.receive("T")
                self.assertEqual(again.message.body, b"1")
                await consumer.ack_all([again])
                self.assertEqual(await consumer.receive("T", wait=0), [])

        self.run_main(main())
