"""Sending in programs of asyncio."""

from __future__ import annotations

import asyncio

from rocketmq_tw.client.errors import NotRunning
from rocketmq_tw.model.message import Message
from tests.aio.cases import AioCase


class ProducerTests(AioCase):
    """One producer."""

    def test_sends(self) -> None:
        """Single messages, one way and in batches; many at the same time."""

        async def main() -> None:
            async with self.client() as client, client.producer("P") as producer:
                await asyncio.gather(
                    *(producer.send(Message("T", b"%d" % n)) for n in range(5))
                )
                await producer.send_oneway(Message("T", b"5"))
                await producer.send_batch([Message("T", b"6"), Message("T", b"7")])
                await producer.flush()
                self.assertEqual((producer.in_flight, producer.in_flight_bytes), (0, 0))
            with self.assertRaises(NotRunning):
                await producer.send(Message("T", b"8"))

        self.run_main(main())
        self.assertEqual(len(self.cluster.messages("T")), 8)
