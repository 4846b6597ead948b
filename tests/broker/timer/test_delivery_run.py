"""Copies of usual messages, which are as those that are made one by one."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.timer.copies import delivered
from rocketmq_tw.broker.timer.delivery_run import DeliveryRun
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record import Draft, encode
from rocketmq_tw.wire.record_layout import MAX_TOPIC_V1
from tests.broker.cases import HOST, STORE_HOST
from tests.store.cases import NOW, TOPIC, StoreCase, draft

_USUAL = {
    "UNIQ_KEY": "k",
    "TAGS": "A",
    "TIMER_OUT_MS": "5000",
    "REAL_TOPIC": TOPIC,
    "REAL_QID": "1",
}
_LARGER: dict[str, Any] = {"commit_log_file_size": 100_000}
#: The slot, and how long a message waited for it.
_SLOT, _DELAY = 5000, 3000


def record(**fields: Any) -> bytes:
    """Make a record of the timer's queue; None removes a property."""
    kept = fields.pop("kept", {})
    pairs = {n: v for n, v in kept.items() if n not in _USUAL} | _USUAL | kept
    text = properties.encode({n: v for n, v in pairs.items() if v is not None})
    values: dict[str, Any] = {
        "topic": b"rmq_sys_wheel_timer",
        "queue_id": 0,
        "flag": 7,
        "sys_flag": 0,
        "born_time_ms": 1,
        "born_host": HOST,
        "body": b"Hello",
        "properties": text.encode(),
        "reconsume_times": 2,
    }
    return encode(Draft(**values | fields), 0, 400, 9, STORE_HOST)


class RunCase(StoreCase):
    """Has a store whose queues 0 and 1 exist."""

    def setUp(self) -> None:
        """Put a message into both."""
        super().setUp()
        self.store = self.open(**_LARGER)
        for queue_id in (0, 1):
            self.store.put(draft(queue_id=queue_id), NOW)

    def run_of(self, recalled: Recalled | None = None) -> DeliveryRun:
        """Begin a run."""
        assert self.store.runs is not None
        return DeliveryRun(
            self.store.runs, _SLOT, recalled or Recalled(), max_size=99, now=NOW
        )


class UsualTests(RunCase):
    """Messages that are delivered many at once."""

    def test_like_one_by_one(self) -> None:
        """The records are those that the general way makes."""
        records = [
            record(),
            record(body=b"", kept={"REAL_QID": "0"}),
            record(kept={"TAGS": None, "color": "gr\u00fcn"}),
            record(body=b"22", sys_flag=sysflag.COMPRESSED),
        ]
        run = self.run_of()
        first = self.store.commit_log_max
        for number, data in enumerate(records):
            self.assertTrue(run.add(data, 400 + number, _DELAY))
        self.assertEqual(run.store(), {TOPIC.encode(): 4})
        ours = self.store._log.read(first, 10_000)
        before = self.store.commit_log_max
        other = self.open(self.mktemp(), **_LARGER)
        for queue_id in (0, 1):
            other.put(draft(queue_id=queue_id), NOW)
        for number, data in enumerate(records):
            copy = delivered(data, 400 + number, linked_ms=2000, now_ms=int(NOW * 1000))
            other.put(copy.draft, NOW)
        self.assertEqual(other.commit_log_max, before)
        self.assertEqual(ours, other._log.read(first, 10_000))
        for key, queue in self.store._queues.table.items():
            self.assertEqual(queue.tail, other._queues.table[key].tail)

    def test_cancelled(self) -> None:
        """What was recalled is left out, and counted."""
        recalled = Recalled(1)
        recalled.add(TOPIC, "k")
        run = self.run_of(recalled)
        self.assertTrue(run.add(record(), 400, _DELAY))
        self.assertTrue(run.add(record(kept={"UNIQ_KEY": "other"}), 401, _DELAY))
        self.assertEqual((run.left_out, run.store()), (1, {TOPIC.encode(): 1}))


class OtherTests(RunCase):
    """Messages that are left to the general way."""

    def assert_left(self, data: bytes | None) -> None:
        """It is not added, and nothing of it is stored."""
        run, before = self.run_of(), self.store.commit_log_max
        self.assertFalse(run.add(data, 400, _DELAY), data)
        self.assertEqual((run.store(), self.store.commit_log_max), ({}, before))

    def test_lost_or_damaged(self) -> None:
        """There is no record, or it is short, or its body is damaged."""
        whole = record()
        damaged = whole.replace(b"Hello", b"Hallo")
        for data in (None, b"", whole[:80], whole[:-1], whole + b"\0", damaged):
            self.assert_left(data)
        at = whole.index(b"Hello") - 4
        self.assert_left(whole[:at] + b"\xff" * 4 + whole[at + 4 :])

    def test_where(self) -> None:
        """The queue does not exist, or is not one for messages, or is not named."""
        for kept in (
            {"REAL_QID": "2"},
            {"REAL_QID": "-1"},
            {"REAL_QID": "1234567890"},
            {"REAL_TOPIC": "Other"},
            {"REAL_TOPIC": "rmq_sys_wheel_timer"},
            {"REAL_TOPIC": None},
            {"REAL_QID": None},
        ):
            self.assert_left(record(kept=kept))
        # A later property may name another queue.
        for last in ("REAL_QID\x010\x02", "REAL_TOPIC\x01T\x02", "a\x01b\x02"):
            text = properties.encode(_USUAL) + last
            self.assert_left(record(properties=text.encode()))

    def test_other_records(self) -> None:
        """It is of another topic, has other hosts, or long properties."""
        self.assert_left(record(topic=TOPIC.encode()))
        v6 = host_to_bytes("::1", 80)
        self.assert_left(record(born_host=v6, sys_flag=sysflag.BORN_HOST_V6))
        self.assert_left(record(sys_flag=sysflag.PREPARED))
        self.assert_left(record(kept={"color": "x" * (MAX_PROPERTIES - 120)}))
        # Brokers of 4.9 leave out the last separator.
        text = properties.encode(_USUAL).encode()
        self.assert_left(record(properties=text[:-1]))

    def test_long_topic(self) -> None:
        """Its record has another form, as dead letters of groups with long names do."""
        for size, is_usual in ((MAX_TOPIC_V1, True), (MAX_TOPIC_V1 + 1, False)):
            topic = "%DLQ%".ljust(size, "g")
            self.store.put(draft(topic=topic.encode(), queue_id=1), NOW)
            added = self.run_of().add(record(kept={"REAL_TOPIC": topic}), 400, _DELAY)
            self.assertEqual(added, is_usual, size)

    def test_too_large(self) -> None:
        """It does not fit what is left of the log's window; others still do."""
        run = self.run_of()
        large = record(body=b"x" * self.store.runs.capacity)
        self.assertFalse(run.add(large, 400, _DELAY))
        self.assertTrue(run.add(record(), 401, _DELAY))
        self.assertEqual(run.store(), {TOPIC.encode(): 1})

    def test_renewed(self) -> None:
        """A queue that came into being meanwhile is found."""
        run, data = self.run_of(), record(kept={"REAL_QID": "2"})
        self.assertFalse(run.add(data, 400, _DELAY))
        self.store.put(draft(queue_id=2), NOW)
        run.renew()
        self.assertTrue(run.add(data, 400, _DELAY))
