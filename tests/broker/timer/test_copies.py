"""Records of the timer's queue, and what is made of them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.copies import (
    Source,
    Unusable,
    delivered,
    rolled,
    source_of,
    target_of,
)
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.store.timer.layout import DELETE
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Checked, Draft, MalformedRecord, check, encode
from tests.broker.cases import HOST, STORE_HOST

TIMER = b"rmq_sys_wheel_timer"
USUAL = {"TIMER_OUT_MS": "5000", "REAL_TOPIC": "T", "REAL_QID": "3", "TAGS": "A"}


def record(topic: bytes = TIMER, prepared: int = 0, **kept: Any) -> bytes:
    """Make a record; None removes a property."""
    pairs = {n: v for n, v in (USUAL | kept).items() if v is not None}
    text = properties.encode(pairs).encode()
    draft = Draft(topic, 0, 7, 0, 1, HOST, b"Hello", text, prepared_offset=prepared)
    return encode(draft, 0, 400, 9, STORE_HOST)


def checked(data: bytes) -> Checked:
    """Check a record."""
    found = check(data, 0, len(data), False)
    assert isinstance(found, Checked)
    return found


class TargetTests(SynchronousTestCase):
    """What a record asks for."""

    def test_message(self) -> None:
        """Where it goes, and when."""
        target = target_of(checked(record()))
        self.assertEqual((target.topic, target.out_ms, target.flags), ("T", 5000, 0))

    def test_cancels(self) -> None:
        """One that cancels a message says which."""
        target = target_of(checked(record(TIMER_DEL_UNIQKEY="k")))
        self.assertEqual((target.cancels, target.flags), ("k", DELETE))

    def test_unusable(self) -> None:
        """Records that do not say it, and those of other topics."""
        for data in (
            record(b"T"),
            record(REAL_TOPIC=None),
            record(REAL_TOPIC="rmq_sys_wheel_timer"),
            record(TIMER_OUT_MS=None),
            record(TIMER_OUT_MS="-1"),
            record(TIMER_OUT_MS="x"),
            record(TIMER_OUT_MS="9" * 19),
        ):
            self.assertRaises(Unusable, target_of, checked(data))


class CopyTests(SynchronousTestCase):
    """Copies."""

    def test_delivered(self) -> None:
        """It goes to its queue, with the times of its wait and the code of its tag."""
        copy = delivered(record(), 400, linked_ms=4000, now_ms=6001)
        draft = copy.draft
        self.assertEqual((draft.topic, draft.queue_id, draft.flag), (b"T", 3, 7))
        self.assertEqual(draft.tags_code, java_hash("A"))
        kept = properties.decode(draft.properties.decode())
        times = {"TIMER_ENQUEUE_MS": "4000", "TIMER_DEQUEUE_MS": "6001"}
        self.assertEqual(kept, USUAL | times)

    def test_rolled(self) -> None:
        """It stays in the timer's queue and counts how often it was rolled."""
        for before, after in ((None, "1"), ("1", "2"), ("x", "1"), ("99999", "99999")):
            draft = rolled(record(TIMER_ROLL_TIMES=before), 400).draft
            self.assertEqual((draft.topic, draft.queue_id), (TIMER, 0))
            kept = properties.decode(draft.properties.decode())
            self.assertEqual(kept, USUAL | {"TIMER_ROLL_TIMES": after})

    def test_source(self) -> None:
        """Both say which record they are copies of; others are none."""
        for offset in (0, 1, 400):
            for copy in (
                delivered(record(), offset, linked_ms=None, now_ms=1),
                rolled(record(), offset),
            ):
                data = encode(copy.draft, 0, 900, 9, STORE_HOST)
                self.assertEqual(source_of(data), Source(offset, 9))
        self.assertIsNone(source_of(record()))
        # What ends a transaction uses the same field of a record.
        self.assertIsNone(source_of(record(prepared=7)))
        self.assertIsNone(source_of(record(b"T", prepared=7)))
        self.assertIsNone(source_of(record(b"T", prepared=7, TIMER_OUT_MS=None)))

    def test_unusable(self) -> None:
        """What does not say where it goes cannot be delivered."""
        for data in (record(b"T"), record(REAL_TOPIC=None), record(REAL_QID="-1")):
            self.assertRaises(Unusable, delivered, data, 0, linked_ms=1, now_ms=1)
        self.assertRaises(Unusable, rolled, record(b"T"), 0)

    def test_damaged(self) -> None:
        """A body that does not match its checksum is not copied: it would get one."""
        data = bytearray(record())
        data[90] ^= 1
        args = {"linked_ms": 1, "now_ms": 1}
        self.assertRaises(MalformedRecord, delivered, bytes(data), 0, **args)
        self.assertRaises(MalformedRecord, rolled, bytes(data), 0)
        for size in range(len(data)):
            self.assertRaises(MalformedRecord, delivered, record()[:size], 0, **args)
