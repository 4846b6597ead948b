"""Fetching records that a filter chooses by their properties."""

from __future__ import annotations

import struct

import msgspec

from rocketmq_tw.broker.pull.sql_records import SqlRecords
from rocketmq_tw.filter.sql92.compiler import compile_sql
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import Fetched, FetchStatus
from rocketmq_tw.store.queues.filtered import MOST_BYTES, MOST_PARTS, look
from rocketmq_tw.wire.record import decode_all
from tests.store.cases import NOW, SMALL, TOPIC, StoreCase, draft


class Costly:
    """A filter that accepts nothing, and counts what it is asked."""

    def __init__(self, cost: int) -> None:
        self.cost = cost
        self.asked = 0

    def __call__(self, tags_code: int) -> bool:
        """Let all pass."""
        return True

    def accepts(self, properties: bytes) -> bool:
        """Accept none."""
        self.asked += 1
        return False


class FilteredTests(StoreCase):
    """Which records come, and where the consumer asks again."""

    config = msgspec.structs.replace(SMALL, consume_queue_file_size=40_000)

    def numbered(self, count: int) -> MessageStore:
        """Return a store with messages whose property ``a`` counts."""
        store = self.open()
        for number in range(count):
            made = draft(b"%d" % number)
            store.put(
                msgspec.structs.replace(made, properties=b"a\x01%d\x02" % number), NOW
            )
        return store

    def get(
        self, store: MessageStore, offset: int, text: str, count: int = 32
    ) -> Fetched:
        """Read those that meet an expression."""
        sql = SqlRecords(compile_sql(text))
        return store.get(TOPIC, 0, offset, count, 1 << 20, sql)

    def bodies(self, fetched: Fetched) -> list[int]:
        """Return the numbers of messages, and see that they are as many as promised."""
        messages = decode_all(fetched.data)
        self.assertEqual(len(messages), fetched.count)
        return [int(message.body) for message in messages]

    def test_some(self) -> None:
        """Those that match, up to the count; then from the next that matches."""
        store = self.numbered(20)
        found = self.get(store, 0, "a > 9 AND a <> 11", 3)
        self.assertEqual(self.bodies(found), [10, 12, 13])
        self.assertEqual((found.next_offset, found.max_offset), (14, 20))
        found = self.get(store, 14, "a > 9 AND a <> 11", 30)
        self.assertEqual(
            (self.bodies(found), found.next_offset), ([*range(14, 20)], 20)
        )
        again = self.get(store, 20, "a > 9")
        self.assertIs(again.status, FetchStatus.OFFSET_OVERFLOW_ONE)

    def test_none(self) -> None:
        """If none matches, the consumer asks again behind what was looked at."""
        found = self.get(self.numbered(20), 0, "a > 99")
        self.assertIs(found.status, FetchStatus.NO_MATCHED_MESSAGE)
        self.assertEqual((found.count, found.next_offset), (0, 20))

    def test_cost(self) -> None:
        """A costly filter looks at fewer records, at one at least."""
        store = self.numbered(100)
        for cost, asked in ((MOST_PARTS // 10 - 25, 10), (1 << 30, 1)):
            costly = Costly(cost)
            found = store.get(TOPIC, 0, 0, 32, 1 << 20, costly)
            self.assertEqual((costly.asked, found.next_offset), (asked, asked))

    def test_bytes(self) -> None:
        """No more bytes are read than a limit, but for one record."""
        half = MOST_BYTES // 2
        for sizes, count in (([half, half, 1], 2), ([3 * half, 1], 1)):
            offsets = [sum(sizes[:at]) for at in range(len(sizes))]
            data = b"".join(
                struct.pack(">QIQ", offset, size, 0)
                for offset, size in zip(offsets, sizes, strict=True)
            )
            looked = look(data, 0, 1)
            self.assertEqual((len(looked.sizes), looked.scanned), (count, count))
