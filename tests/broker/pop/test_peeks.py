"""Tests of looking at messages without handing them out."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.wire import record
from rocketmq_tw.wire.requests.pop import PeekMessage, PopResponse, PopRollback
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, popped


class PeekTests(PopCase):
    """What a pop would find."""

    def peek(self, queue_id: int = -1, count: int = 32) -> PopResponse:
        """Look."""
        response: PopResponse = self.now(PeekMessage(TOPIC, queue_id, count, GROUP))
        return response

    def bodies(self, **fields: Any) -> set[bytes]:
        """Return the bodies of what is seen."""
        response = self.peek(**fields)
        return {each.body for each in record.decode_all(response.body)}

    def test_nothing_is_handed_out(self) -> None:
        """The same messages are there for the next look, and for a pop."""
        self.fill(b"a", b"b", queue_id=1)
        self.fill(b"c", queue_id=2)
        for _ in range(2):
            self.assertEqual(self.bodies(), {b"a", b"b", b"c"})
        self.assertIsNone(self.tables.offsets.query(GROUP, TOPIC, 1))
        self.assertEqual(set(self.receipts()), {b"a", b"b", b"c"})

    def test_without_receipts(self) -> None:
        """Only the number of other messages is there."""
        self.fill(b"a", b"b", b"c")
        response = self.peek(count=1)
        self.assertEqual(response.rest_num, 2)
        self.assertIsNone(response.start_offset_info)
        self.assertEqual(response.pop_time, 0)

    def test_popped_messages_are_passed(self) -> None:
        """What is in flight is not seen; in order it is."""
        self.fill(b"a", b"b", queue_id=0)
        self.now(popped(max_msg_nums=1))
        self.assertEqual(self.bodies(), {b"b"})
        self.now(popped(consumer_group=GROUP, order=True))
        self.assertEqual(self.bodies(), {b"b"})

    def test_one_queue(self) -> None:
        """It may be chosen."""
        self.fill(b"a", queue_id=1)
        self.fill(b"b", queue_id=2)
        self.assertEqual(self.bodies(queue_id=2), {b"b"})

    def test_at_most_32(self) -> None:
        """However many are asked for."""
        self.fill(*(b"%d" % number for number in range(40)))
        self.assertEqual(len(self.bodies(count=1 << 30)), 32)
        self.assertEqual(self.peek(count=1 << 30).rest_num, 8)

    def test_nothing_there(self) -> None:
        """Code 19; likewise if no message is asked for."""
        self.assertEqual(self.peek().status, 19)
        self.fill(b"a")
        self.assertEqual(self.peek(count=0).status, 19)
        self.assertEqual(self.peek(count=-1).status, 19)

    def test_checked(self) -> None:
        """As a pop is."""
        self.refused(17, "Gone", PeekMessage("Gone", -1, 1, GROUP))
        self.refused(29, "illegal", PeekMessage(TOPIC, 4, 1, GROUP))

    def test_rollback(self) -> None:
        """Nothing is anywhere but in the revive log."""
        self.assertEqual(self.now(PopRollback()).status, 0)
