"""Tests of rocketmq_tw.broker.pop.acks: receipts that are good, and others."""

from __future__ import annotations

import msgspec

from rocketmq_tw.wire.bodies.pop import (
    BatchAck,
    BatchAckMessageRequestBody,
    encode_bit_set,
)
from rocketmq_tw.wire.receipts import Receipt
from rocketmq_tw.wire.requests.pop import BatchAckMessage
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, acknowledged, changed


def batch(receipt: Receipt, offsets: list[int], **fields: str) -> BatchAckMessage:
    """Make a batch of acknowledgements of one pop."""
    ack = BatchAck(
        GROUP,
        TOPIC,
        receipt.start_offset,
        receipt.queue_id,
        receipt.revive_queue,
        receipt.pop_time_ms,
        receipt.invisible_ms,
        **{
            "retry": str(receipt.retry),
            "bit_set": encode_bit_set(x - receipt.start_offset for x in offsets),
            **fields,
        },
    )
    body = BatchAckMessageRequestBody("broker-a", (ack,))
    return BatchAckMessage(body=body.encode())


class AckCase(PopCase):
    """Has three messages in flight."""

    def setUp(self) -> None:
        """Pop them."""
        super().setUp()
        self.fill(b"a", b"b", b"c")
        self.own = self.receipts()

    def in_flight(self) -> int:
        """Return how many messages are in flight."""
        table = self.pop.journal.in_flight._by_key.values()
        return sum(len(each.unacknowledged()) for each in table)


class BadReceiptTests(AckCase):
    """Receipts that change nothing, each with a remark that says why."""

    def test_not_in_flight(self) -> None:
        """Forged, of another group, pop or queue, or used: no error, and no effect."""
        good = self.own[b"a"]
        replaced = msgspec.structs.replace
        end = self.store.commit_log_max
        for request in (
            acknowledged(good, group="Other"),
            acknowledged(replaced(good, pop_time_ms=good.pop_time_ms + 1)),
            acknowledged(replaced(good, start_offset=1)),
            acknowledged(replaced(good, queue_id=1, offset=0)),
            msgspec.structs.replace(acknowledged(good), offset=1),
            changed(replaced(good, pop_time_ms=1), 1000),
            changed(good, 1000, consumer_group="Other"),
            batch(replaced(good, pop_time_ms=1), [0, 1]),
        ):
            response = self.now(request)
            self.assertEqual(response.status, 0 if request.code != 0 else 1)
            if "queue_id=1" not in repr(request):
                self.assertIn("nothing is changed", response.remark)
        self.assertEqual(self.in_flight(), 3)
        self.assertEqual(self.store.commit_log_max, end)

    def test_used_twice(self) -> None:
        """The second acknowledgement has no effect and no error."""
        self.now(acknowledged(self.own[b"a"]))
        end = self.store.commit_log_max
        response = self.now(acknowledged(self.own[b"a"]))
        self.assertIn("was used before", response.remark)
        self.assertEqual(self.store.commit_log_max, end)

    def test_expired(self) -> None:
        """Once the copy is made, the old receipt changes nothing."""
        self.pass_time(10.3)
        response = self.now(changed(self.own[b"a"], 60_000))
        self.assertIn("has expired", response.remark)
        self.assertEqual((response.pop_time, response.invisible_time), (0, 0))

    def test_refused(self) -> None:
        """Topic, queue, offset and text of a receipt are checked, in this order."""
        good = self.own[b"a"]
        replaced = msgspec.structs.replace
        for code, words, request in (
            (17, "topic[No] not exist", acknowledged(good, topic="No")),
            (13, "queueId[7]", acknowledged(replaced(good, queue_id=7))),
            (208, "store:0~3", acknowledged(replaced(good, offset=99))),
            (208, "store:0~3", changed(replaced(good, offset=3), 1)),
            (1, "extraInfo", replaced(acknowledged(good), extra_info="1 2 3")),
            (208, "no message", BatchAckMessage()),
            (208, "no message", BatchAckMessage(body=b'{"acks":[]}')),
            (1, "expected 0, 1 or 2", batch(good, [0], retry="x")),
        ):
            self.refused(code, words, request)
        self.assertEqual(self.in_flight(), 3)

    def test_the_end_is_no_error(self) -> None:
        """The offset behind the last message passes for an acknowledgement."""
        beyond = msgspec.structs.replace(self.own[b"a"], offset=3)
        self.assertEqual(self.now(acknowledged(beyond)).status, 0)


class BatchTests(AckCase):
    """Many acknowledgements in one request."""

    def test_some(self) -> None:
        """Those in the set are acknowledged; what was not popped is ignored."""
        response = self.now(batch(self.own[b"a"], [0, 2, 70]))
        self.assertEqual((response.status, response.remark), (0, None))
        self.assertEqual(self.in_flight(), 1)

    def test_unknown_topic(self) -> None:
        """Acknowledgements of an unknown topic are ignored."""
        body = batch(self.own[b"a"], [0]).body.replace(b"TopicTest", b"Unknown")
        self.assertEqual(self.now(BatchAckMessage(body=body)).status, 0)
        self.assertEqual(self.in_flight(), 3)


class ChangeTests(AckCase):
    """Changes of the invisible time."""

    def test_times(self) -> None:
        """Zero or less is over at once; the longest time never is."""
        self.now(changed(self.own[b"a"], -5))
        self.now(changed(self.own[b"b"], (1 << 63) - 1))
        self.pass_time(0.3)
        self.assertEqual([each.body for each in self.retries()], [b"a"])
        self.pass_time(20)
        bodies = sorted(each.body for each in self.retries())
        self.assertEqual(bodies, [b"a", b"c"])

    def test_next_receipt(self) -> None:
        """It is made of the response, and good."""
        response = self.now(changed(self.own[b"a"], 30_000))
        own = self.own[b"a"]
        receipt = Receipt(
            own.offset,
            response.pop_time,
            response.invisible_time,
            response.revive_qid,
            0,
            "broker-a",
            0,
            own.offset,
        )
        self.assertEqual(self.now(acknowledged(receipt)).remark, None)
        self.assertEqual(self.in_flight(), 2)


class LimitTests(PopCase):
    """More check points than may be."""

    settings = {"max_pop_check_points": 2, "max_pop_check_points_per_group": 1}

    def test_change(self) -> None:
        """A change that needs one more check point is refused, and changes nothing."""
        self.fill(b"a", b"b")
        receipts = self.receipts()
        self.refused(2, "maxPopCheckPointsPerGroup", changed(receipts[b"a"], 60_000))
        self.now(acknowledged(receipts[b"a"]))
        self.assertEqual(self.now(changed(receipts[b"b"], 60_000)).status, 0)
