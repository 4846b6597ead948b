"""Queues, read together."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.errors import InvalidArgument
from rocketmq_tw.admin.reading import MAX_PAGE, Spot, decode_cursor, encode_cursor
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.requests.pull import PullMessage
from tests.admin.cases import AdminCase


class CursorTests(SynchronousTestCase):
    """Cursors are texts that may come back from anywhere."""

    def test_round_trip(self) -> None:
        """Positions are kept."""
        positions = {"broker-a/0": 5, "broker-b/3": 1 << 40}
        text = encode_cursor(positions)
        self.assertTrue(text.replace("-", "").replace("_", "").rstrip("=").isalnum())
        self.assertEqual(decode_cursor(text), positions)

    def test_wrong(self) -> None:
        """Anything else is refused."""
        for text in ("", "x", "é", "e30=!", "W10=", "eyJhIjoieCJ9", "A" * 1_000_000):
            self.assertRaises(InvalidArgument, decode_cursor, text)

    def test_name(self) -> None:
        """A queue is named by its broker and number."""
        self.assertEqual(Spot(MessageQueue("T", "b", 3), "h:1").name, "b/3")


class PageTests(AdminCase):
    """Pages of many messages."""

    def setUp(self) -> None:
        """Send more than one pull returns."""
        super().setUp()
        self.cluster.create_topic("orders", 2)
        self.send("orders", *[b"%d" % n for n in range(200)])

    def test_more_than_one_pull(self) -> None:
        """Queues are pulled again when what was read of them is taken."""
        page = self.run_admin(
            self.admin.messages.by_time("orders", self.epoch(), limit=MAX_PAGE)
        )
        self.assertEqual(len({m.body for m in page.messages}), 200)
        self.assertIsNone(page.cursor)

    def test_page_is_bounded(self) -> None:
        """A small page pulls little, and has a cursor."""
        page = self.run_admin(
            self.admin.messages.by_time("orders", self.epoch(), limit=3)
        )
        self.assertEqual(len(page.messages), 3)
        self.assertIsNotNone(page.cursor)

    def test_large_messages(self) -> None:
        """A page ends early when its messages are large; the next one goes on."""
        self.cluster.create_topic("pictures", 2)
        self.send("pictures", *[bytes(4_000_000) for _ in range(7)])
        get = self.admin.messages.by_time
        first = self.run_admin(get("pictures", self.epoch(), limit=100))
        self.assertEqual(len(first.messages), 5)
        self.assertIsNotNone(first.cursor)
        rest = self.run_admin(
            get("pictures", self.epoch(), limit=100, cursor=first.cursor)
        )
        offsets = {m.offset_id for m in first.messages}
        offsets |= {m.offset_id for m in rest.messages}
        self.assertEqual((len(rest.messages), len(offsets)), (2, 7))
        self.assertIsNone(rest.cursor)

    def test_broker_that_fails(self) -> None:
        """The other's messages are returned, and it is reported."""
        for _ in range(2):
            self.cluster.brokers["broker-b"].traffic.refuse(PullMessage, 16)
        page = self.run_admin(
            self.admin.messages.by_time("orders", self.epoch(), limit=500)
        )
        self.assertEqual({m.broker for m in page.messages}, {"broker-a"})
        self.assertEqual({name[:8] for name in page.failed}, {"broker-b"})

    def epoch(self) -> datetime:
        """Return a time before all messages."""
        return datetime(2020, 1, 1, tzinfo=UTC)

    def test_broker_that_is_back(self) -> None:
        """What could not be read is in the next page, for nothing is skipped."""
        broker = self.cluster.brokers["broker-b"]
        for _ in range(2):
            broker.traffic.refuse(PullMessage, 16)
        seen: list[bytes] = []
        cursor = None
        while True:
            page = self.run_admin(
                self.admin.messages.by_time(
                    "orders", self.epoch(), limit=150, cursor=cursor
                )
            )
            seen += [each.body for each in page.messages]
            cursor = page.cursor
            if cursor is None:
                break
        self.assertEqual((len(seen), len(set(seen))), (200, 200))

    def test_broker_that_stays_away(self) -> None:
        """There is a last page nevertheless."""
        self.send("orders", b"more")
        first = self.run_admin(
            self.admin.messages.by_time("orders", self.epoch(), limit=1)
        )
        self.unreachable("broker-a")
        self.unreachable("broker-b")
        page = self.run_admin(
            self.admin.messages.by_time("orders", self.epoch(), cursor=first.cursor)
        )
        self.assertEqual((page.messages, page.cursor), ((), None))
        self.assertEqual(len(page.failed), 4)
