"""Pull consumers in programs of asyncio."""

from __future__ import annotations

import asyncio

from rocketmq_tw.aio import Client, PullConsumer
from rocketmq_tw.client import EARLIEST
from rocketmq_tw.model.message import Message
from tests.aio.cases import AioCase


class PullConsumerTests(AioCase):
    """One consumer of three messages."""

    def setUp(self) -> None:
        """Store them."""
        super().setUp()
        producer = self.cluster.producer()
        for number in range(3):
            message = Message("T", b"%d" % number)
            self.cluster.result_of(producer.send(message))

    def consumer(self, client: Client) -> PullConsumer:
        """Make it."""
        consumer = client.pull_consumer("G", start_from=EARLIEST)
        consumer.subscribe("T")
        return consumer

    def committed(self) -> int | None:
        """Ask for the group's offset."""
        other = self.cluster.client().pull_consumer("G")
        return self.cluster.result_of(other.committed(self.queue))

    def test_loop(self) -> None:
        """``async for`` works as anywhere in asyncio; leaving commits."""
        seen: list[bytes] = []

        async def main() -> None:
            async with self.client() as client, self.consumer(client) as consumer:
                async for message in consumer:
                    seen.append(message.body)
                    await asyncio.sleep(0)
                    if len(seen) == 3:
                        break

        self.run_main(main())
        self.assertEqual((seen, self.committed()), ([b"0", b"1", b"2"], 3))

    def test_batches_end(self) -> None:
        """A loop in another task ends when the consumer is stopped."""
        seen: list[int] = []

        async def loop(consumer: PullConsumer) -> None:
            async for batch in consumer.batches(2):
                seen.append(len(batch))

        async def main() -> None:
            async with self.client() as client:
                consumer = await self.consumer(client).start()
                looping = asyncio.create_task(loop(consumer))
                while sum(seen) < 3:
                    await asyncio.sleep(0)
                report = await consumer.stop()
                self.assertEqual(report.abandoned, [])
                await looping

        self.run_main(main())
        self.assertEqual((seen, self.committed()), ([2, 1], 3))

    def test_cancelled_body(self) -> None:
        """A task that is cancelled in the body has not dealt with its message."""

        async def main() -> None:
            async with self.client() as client:
                async with self.consumer(client) as consumer:
                    async for message in consumer:
                        if message.body == b"1":
                            task = asyncio.current_task()
                            assert task is not None
                            task.cancel()
                            await asyncio.sleep(1)

        with self.assertRaises(asyncio.CancelledError):
            self.run_main(main())
        self.assertEqual(self.committed(), 1)

    def test_cancelled_poll(self) -> None:
        """A poll that is cancelled just when messages come loses none of them."""

        async def main() -> None:
            async with self.client() as client, self.consumer(client) as consumer:
                self.assertEqual(len(await consumer.poll(2)), 2)
                self.assertEqual(len(await consumer.poll()), 1)
                polling = asyncio.create_task(consumer.poll())
                await asyncio.sleep(0)
                sending = client.producer("P").send(Message("T", b"3"))
                await sending
                # The poll has its messages now, but its task has not run yet, or is
                # about to get them.
                polling.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await polling
                (message,) = await consumer.poll()
                self.assertEqual(message.body, b"3")

        self.run_main(main())
        self.assertEqual(self.committed(), 4)

    def test_positions(self) -> None:
        """Seeking, committing and pausing are those of the client."""

        async def main() -> None:
            async with self.client() as client, self.consumer(client) as consumer:
                queue = self.queue
                self.assertEqual(consumer.assignment(), [queue])
                self.assertEqual(await consumer.seek(queue, 2), 2)
                self.assertEqual(len(await consumer.poll()), 1)
                self.assertEqual(await consumer.commit(), {queue: 3})
                self.assertEqual(await consumer.committed(queue), 3)
                self.assertEqual(consumer.position(queue), 3)
                self.assertEqual(await consumer.seek_to_end(queue), 3)
                self.assertEqual(await consumer.seek_to_time(queue, 0.0), 0)
                self.assertEqual(await consumer.seek_to_begin(queue), 0)
                consumer.pause()
                self.assertEqual(await consumer.poll(timeout=1), [])
                consumer.resume()
                self.assertEqual(len(await consumer.poll()), 3)

        self.run_main(main())

    def test_end_of_the_program(self) -> None:
        """A program that ends without a stop is not waited for, nor loses anything."""

        async def main() -> None:
            client = await self.client().start()
            consumer = await self.consumer(client).start()
            await consumer.poll(1)
            await consumer.poll(1)

        self.run_main(main())
        self.assertEqual(self.committed(), 1)
