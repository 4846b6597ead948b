"""Push consumers in programs of asyncio."""

from __future__ import annotations

import asyncio

from rocketmq_tw.client import DEAD_LETTER, EARLIEST, Outcome
from rocketmq_tw.model.message import Message, StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from tests.aio.cases import AioCase


class PushConsumerTests(AioCase):
    """One consumer."""

    def test_consumes(self) -> None:
        """A handler is a coroutine of asyncio, and returns what any handler does."""
        seen: list[bytes] = []
        assigned: list[MessageQueue] = []

        async def handle(message: StoredMessage) -> Outcome | None:
            await asyncio.sleep(0)
            seen.append(message.body)
            return DEAD_LETTER if message.body == b"bad" else None

        async def note(queues: list[MessageQueue]) -> None:
            assigned.extend(queues)

        async def main() -> None:
            async with self.client() as client:
                producer = client.producer("P")
                for body in (b"good", b"bad"):
                    await producer.send(Message("T", body))
                consumer = client.push_consumer("G", start_from=EARLIEST)
                consumer.subscribe("T")
                consumer.handle_with(handle)
                consumer.on_assigned(note)
                async with consumer:
                    self.assertIn(self.queue, consumer.assignment())
                    while len(seen) < 2:
                        await asyncio.sleep(0)
                await consumer.wait_stopped()

        self.run_main(main())
        self.assertEqual(seen, [b"good", b"bad"])
        self.assertIn(self.queue, assigned)
        self.assertEqual(len(self.cluster.messages("%DLQ%G")), 1)

    def test_stop_cancels_handlers(self) -> None:
        """A handler that does not end is a task that is cancelled."""
        started = asyncio.Event()
        cancelled: list[bytes] = []

        async def handle(message: StoredMessage) -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(message.body)
                raise

        async def main() -> int:
            async with self.client() as client:
                consumer = client.push_consumer("G", start_from=EARLIEST)
                consumer.subscribe("T", "*", handle)
                await consumer.start()
                await client.producer("P").send(Message("T", b"x"))
                await started.wait()
                report = await consumer.stop(grace=0)
                return len(report.abandoned)

        self.assertEqual(self.run_main(main()), 1)
        self.assertEqual(cancelled, [b"x"])
