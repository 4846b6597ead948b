"""Messages that are sent again within the window of their topic."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.dedupe.sends import (
    OFFSET_DIGITS,
    READ_AT_ONCE,
    DedupedSends,
)
from rocketmq_tw.broker.dedupe.window import Windows
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire import batch
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.send import SendBatchMessage, SendMessageV2
from tests.broker.cases import TOPIC, BrokerCase, sent
from tests.store.cases import draft


def keyed(key: str, body: bytes = b"x", **fields: Any) -> SendMessageV2:
    """Make a send with a unique key."""
    text = f"UNIQ_KEY\x01{key}\x02WAIT\x01true\x02" if key else "WAIT\x01true\x02"
    text += fields.pop("more", "")
    return sent(body=body, properties=text, **fields)


def batched(*keys: str, **fields: Any) -> SendBatchMessage:
    """Make a batch of messages with these keys, and their numbers as bodies."""
    values = {name: getattr(sent(), name) for name in sent().__struct_fields__}
    items = [
        (0, b"%d" % number, f"UNIQ_KEY\x01{key}\x02" if key else "")
        for number, key in enumerate(keys)
    ]
    return SendBatchMessage(**values | {"body": batch.encode(items)} | fields)


class DedupeCase(BrokerCase):
    """A topic with a window of ten seconds."""

    def setUp(self) -> None:
        """Create the topic, as an administrator does."""
        super().setUp()
        self.window("10s")

    def window(self, value: str | None) -> None:
        """Set the window of the topic."""
        attributes = {} if value is None else {"dedupe.window": value}
        config = TopicConfig(TOPIC, 4, 4, attributes=attributes)
        self.tables.topics.put(config)

    def place(self, request: Any) -> tuple[str, int, int]:
        """Send; return the message id, the queue and the queue offset."""
        response = self.ask(request)
        if isinstance(response, Deferred):
            self.clock.pump([0.0] * 20)
            response = self.successResultOf(response)
        self.assertEqual((response.status, response.remark), (0, None))
        return response.msg_id, response.queue_id, response.queue_offset

    def count(self) -> int:
        """Return how many messages are stored."""
        return sum(len(self.messages(TOPIC, queue_id)) for queue_id in range(4))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.pump([1.0] * int(seconds))


class SingleTests(DedupeCase):
    """One message, sent twice."""

    def test_recognised(self) -> None:
        """It is stored once; the second response is the first, whatever the queue."""
        first = self.place(keyed("A", queue_id=1))
        self.place(keyed("B", queue_id=1))
        again = self.place(keyed("A", body=b"other", queue_id=3))
        self.assertEqual(again, first)
        self.assertEqual(self.count(), 2)
        gauges = self.stats.gauges
        self.assertEqual(
            (gauges["dedupeKeys"](), gauges["messagesRecognised"]()), (2, 1)
        )

    def test_window_over(self) -> None:
        """After the window it is a new message; then that is the first."""
        first = self.place(keyed("A"))
        self.pass_time(9)
        self.assertEqual(self.place(keyed("A")), first)
        self.pass_time(3)
        second = self.place(keyed("A"))
        self.assertNotEqual(second, first)
        self.assertEqual(self.place(keyed("A")), second)
        self.assertEqual(self.count(), 2)

    def test_without_a_key(self) -> None:
        """Such messages are all new."""
        for text in ("", "UNIQ_KEY\x01\x02"):
            self.place(sent(properties=text))
            self.place(sent(properties=text))
        self.assertEqual(self.count(), 4)

    def test_other_kinds(self) -> None:
        """What is stored elsewhere first is not recognised."""
        delayed = keyed("A", more="DELAY\x011\x02")
        self.assertNotEqual(self.place(delayed)[0], self.place(delayed)[0])
        first = self.place(keyed("A"))
        self.assertEqual(self.place(keyed("A")), first)

    def test_off(self) -> None:
        """A topic without a window stores everything, and keeps nothing."""
        self.window(None)
        self.assertNotEqual(self.place(keyed("A")), self.place(keyed("A")))
        self.assertEqual(self.stats.gauges["dedupeKeys"](), 0)

    def test_switched_off_and_on(self) -> None:
        """What was stored before the window was set is not known."""
        first = self.place(keyed("A"))
        self.window(None)
        self.window("10s")
        self.assertNotEqual(self.place(keyed("A")), first)

    def test_plain_topics_are_cached(self) -> None:
        """Only topics with a window are looked up for each message."""
        self.place(keyed("A"))
        self.topic("Plain")
        self.ask(sent("Plain"))
        processor = self.router.find(int(SendMessageV2.code))
        assert processor is not None
        known = processor[1].__self__._targets.known  # type: ignore[attr-defined]
        self.assertEqual(set(known), {"Plain"})

    def test_topic_is_changed_while_reading(self) -> None:
        """A message that waits for the disk is not stored in a deleted topic."""
        self.place(keyed("A"))
        for change in (
            lambda: self.tables.topics.delete(TOPIC),
            lambda: self.window("20s"),
        ):
            record: Deferred[bytes | None] = Deferred()
            self.store.record_at = lambda offset, record=record: record
            response = self.ask(keyed("A"))
            self.assertNoResult(response)
            change()
            record.callback(None)
            self.clock.pump([0.0] * 5)
            refused = self.successResultOf(response)
            self.assertEqual(refused.status, ResponseCode.SYSTEM_BUSY)
            self.assertIn("was changed", refused.remark)
            del self.store.record_at
            self.window("10s")
            self.place(keyed("A"))
        self.assertEqual(self.stats.gauges["dedupeKeys"](), 2)

    def test_unchanged_while_reading(self) -> None:
        """One that waits for the disk is recognised, or stored, as any other."""
        first = self.place(keyed("A"))
        read = self.store.record_at
        for is_there in (True, False):
            record: Deferred[bytes | None] = Deferred()
            self.store.record_at = lambda offset, record=record: record
            response = self.ask(keyed("A"))
            record.callback(read(int(first[0][-16:], 16)) if is_there else None)
            found = self.successResultOf(response)
            self.assertEqual(found.msg_id == first[0], is_there)
        del self.store.record_at

    def test_one_way_and_batch_flag(self) -> None:
        """A batch under code 310 is one, too."""
        marked = sent(body=batched("A", "A").body, batch=True)
        self.place(marked)
        self.assertEqual(self.count(), 1)


class RestartTests(DedupeCase):
    """The broker starts again."""

    def test_rebuilt(self) -> None:
        """Keys within the window are read from the queues; older ones are not."""
        old = self.place(keyed("OLD"))
        self.pass_time(8)
        first = self.place(keyed("A", queue_id=2))
        self.pass_time(4)
        self.restart()
        self.assertEqual(self.stats.gauges["dedupeKeys"](), 1)
        self.assertEqual(self.place(keyed("A")), first)
        self.assertNotEqual(self.place(keyed("OLD")), old)

    def test_many(self) -> None:
        """Many are read in steps; of all queues those stored last are kept."""
        places = {}
        for number in range(60):
            key = f"K{number}"
            places[key] = self.place(keyed(key, queue_id=number % 4))
        self.restart()
        for key, place in places.items():
            self.assertEqual(self.place(keyed(key)), place)


class BatchTests(DedupeCase):
    """Batches."""

    def test_some_again(self) -> None:
        """Only new messages are stored; the response says where each is."""
        first = self.place(keyed("B", queue_id=3))
        ids, queue_id, _ = self.place(batched("A", "B", "C", queue_id=1))
        self.assertEqual(queue_id, 1)
        self.assertEqual(ids.split(",")[1], first[0])
        self.assertEqual(self.count(), 3)
        self.assertEqual(self.place(batched("A", "B", "C", queue_id=1))[0], ids)
        self.assertEqual(self.count(), 3)

    def test_twice_in_one(self) -> None:
        """A key that is twice in a batch is stored once."""
        ids, _, _ = self.place(batched("A", "", "A", ""))
        one, two, three, four = ids.split(",")
        self.assertEqual(one, three)
        self.assertNotEqual(two, four)
        self.assertEqual(self.count(), 3)

    def test_few_records_in_a_step(self) -> None:
        """First messages may be large: few are read at a time."""
        windows, names = Windows(1000), [b"K%d" % n for n in range(3 * READ_AT_ONCE)]
        sends = DedupedSends(
            store=self.store,
            windows=windows,
            responses=None,
            check_current=lambda target, what: None,
            now=self.clock.wall_seconds,
        )
        target = Target(TOPIC.encode(), 4, 4, window_ms=10_000)
        now_ms = int(self.clock.wall_seconds() * 1000)
        for name in names:
            offset = int(self.place(keyed(name.decode()))[0][-OFFSET_DIGITS:], 16)
            windows.add(TOPIC, windows.of(TOPIC, 10_000), name, offset, now_ms)
        drafts = [draft(properties=b"UNIQ_KEY\x01%b\x02" % name) for name in names]
        read, reads, steps = self.store.record_at, [], []

        def record_at(offset: int) -> object:
            reads.append(offset)
            return read(offset)

        self.store.record_at = record_at
        for _ in sends.batch_steps(sent(), target, drafts, lambda new, now: []):
            steps.append(len(reads))
        del self.store.record_at
        self.assertEqual(len(reads), len(names))
        largest = max(b - a for a, b in pairwise([0, *steps]))
        self.assertLessEqual(largest, READ_AT_ONCE)

    def test_empty(self) -> None:
        """An empty batch is refused as ever."""
        refused = self.ask(batched())
        self.clock.pump([0.0] * 5)
        if isinstance(refused, Deferred):
            refused = self.successResultOf(refused)
        self.assertEqual(refused.status, 13)


class LargeBatchTests(DedupeCase):
    """A batch that takes several iterations of the reactor."""

    settings = {"max_message_size": 1 << 20, "mapped_file_size_commit_log": 4 << 20}

    def test_topic_is_changed_meanwhile(self) -> None:
        """A batch that waits is not stored in a topic that is not as it was."""
        waiting = self.ask(batched(*(f"K{n}" for n in range(3000))))
        assert isinstance(waiting, Deferred)
        self.window("20s")
        self.clock.pump([0.0] * 20)
        response = self.successResultOf(waiting)
        self.assertEqual(response.status, ResponseCode.SYSTEM_BUSY)
        self.assertIn("was changed", response.remark)
        self.assertEqual(self.count(), 0)


class SyncFlushTests(DedupeCase):
    """``SYNC_FLUSH``."""

    settings = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}

    def test_second_waits_too(self) -> None:
        """Neither is acknowledged before the message is on disk."""
        self.threads.hold()
        responses = [self.ask(keyed("A")), self.ask(keyed("A"))]
        for response in responses:
            self.assertNoResult(response)
        self.clock.advance(0)
        self.threads.run()
        one, two = map(self.successResultOf, responses)
        self.assertEqual(one.msg_id, two.msg_id)
        self.assertEqual(self.count(), 1)

    def test_batch_waits(self) -> None:
        """A batch is acknowledged when the last of its records is on disk."""
        first = self.ask(keyed("B"))
        self.clock.pump([0.0] * 5)
        self.successResultOf(first)
        self.threads.hold()
        response = self.ask(batched("A", "B"))
        self.clock.pump([0.0] * 5)
        self.assertNoResult(response)
        self.threads.run()
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 0)


class LimitTests(DedupeCase):
    """``maxDedupeKeys``."""

    settings = {"max_dedupe_keys": 3}

    def test_forgotten(self) -> None:
        """The oldest are forgotten and counted; messages are stored all the same."""
        first = self.place(keyed("A"))
        for key in "BCD":
            self.place(keyed(key))
        gauges = self.stats.gauges
        self.assertEqual(
            (gauges["dedupeKeys"](), gauges["dedupeKeysForgotten"]()), (3, 1)
        )
        self.assertNotEqual(self.place(keyed("A")), first)
