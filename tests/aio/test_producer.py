"""Sending in programs of asyncio."""

from __future__ import annotations

import asyncio

from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.errors import NotRunning, ValidationError
from rocketmq_tw.model.message import Message, StoredMessage
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

    def test_requests(self) -> None:
        """A producer and a client ask; the handler of a consumer replies."""
        self.cluster.create_topic("Q")
        replies: list[bytes] = []

        async def main() -> None:
            async with self.client() as client, client.producer("P") as producer:

                async def handle(message: StoredMessage) -> None:
                    await client.reply(message, message.body + b"!")

                consumer = client.push_consumer("C", start_from=EARLIEST)
                consumer.subscribe("Q", "*", handle)
                async with consumer:
                    for asking in (producer, client):
                        reply = await asking.request(Message("Q", b"x"), timeout=5)
                        replies.append(reply.body)
                    with self.assertRaises(ValidationError):
                        await producer.reply(reply, b"x", properties={"a": "b"})

        self.run_main(main())
        self.assertEqual(replies, [b"x!", b"x!"])

    def test_recalls(self) -> None:
        """A message that is recalled before its time does not come."""
        self.cluster.create_topic("T")

        async def main() -> None:
            async with self.client() as client, client.producer("P") as producer:
                sent = await producer.send(Message("T", b"x", delay=100))
                assert sent.recall_handle is not None
                key = await producer.recall("T", sent.recall_handle)
                self.assertEqual(key, sent.message_id)

        self.run_main(main())
        self.cluster.advance(102)
        self.assertEqual(self.cluster.messages("T"), [])
