"""Reading queues in programs of asyncio."""

from __future__ import annotations

from rocketmq_tw.client.errors import OffsetOutOfRange
from rocketmq_tw.model.message import Message
from tests.aio.cases import AioCase


class QueueReaderTests(AioCase):
    """One reader."""

    def test_reads(self) -> None:
        """It reads a queue, and knows where that begins and ends."""

        async def main() -> None:
            async with self.client() as client:
                await client.producer("P").send(Message("T", b"x"))
                reader = client.queue_reader("G")
                begin = await reader.min_offset(self.queue)
                end = await reader.max_offset(self.queue)
                self.assertEqual((begin, end), (0, 1))
                self.assertEqual(await reader.search(self.queue, 0.0), 0)
                pulled = await reader.pull(self.queue, begin)
                self.assertEqual([m.body for m in pulled.messages], [b"x"])
                with self.assertRaises(OffsetOutOfRange):
                    await reader.pull(self.queue, 10)

        self.run_main(main())
