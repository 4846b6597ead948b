"""Sending batches: stored whole, or refused whole."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.send.batch import AT_ONCE
from rocketmq_tw.remoting.pacing import STEPS, Steps
from rocketmq_tw.wire import batch
from rocketmq_tw.wire.requests.send import SendBatchMessage
from tests.broker.cases import GROUP, TOPIC, BrokerCase, Peer, sent

RETRY = f"%RETRY%{GROUP}"


def batched(*bodies: bytes, topic: str = TOPIC, **fields: object) -> SendBatchMessage:
    """Make a send of several messages."""
    items = [(0, body, "TAGS\x01TagA\x02") for body in bodies]
    values = {name: getattr(sent(topic), name) for name in sent().__struct_fields__}
    return SendBatchMessage(**values | {"body": batch.encode(items)} | fields)


class BatchTests(BrokerCase):
    """Several messages in one request."""

    def test_stored(self) -> None:
        """Each becomes a record of its own; the response names them all."""
        response = self.ask(batched(b"1", b"2", b"3", queue_id=1))
        messages = self.messages(TOPIC, 1)
        self.assertEqual([m.body for m in messages], [b"1", b"2", b"3"])
        self.assertEqual([m.queue_offset for m in messages], [0, 1, 2])
        ids = [f"0A00000100002A9F{m.commit_log_offset:016X}" for m in messages]
        self.assertEqual(response.msg_id, ",".join(ids))
        self.assertEqual((response.queue_id, response.queue_offset), (1, 0))

    def test_marked(self) -> None:
        """The other codes send a batch too, when they say so."""
        request = sent(body=batched(b"1", b"2").body, batch=True)
        self.assertEqual(self.ask(request).status, 0)
        self.assertEqual(len(self.messages(TOPIC)), 2)

    def test_refused(self) -> None:
        """What a batch cannot be is refused whole."""
        self.refused(13, "the batch is empty", batched())
        self.refused(13, "malformed at byte 0", batched(body=b"1234"))
        delayed = batched(b"1", properties="DELAY\x011\x02")
        self.refused(13, "cannot be delayed", delayed)
        self.refused(1, "DELAY of the", batched(b"1", properties="DELAY\x01x\x02"))
        long = batched(b"1", properties="x" * 32_768)
        self.refused(13, "properties text has 32768", long)
        self.refused(13, "retry topic", batched(b"1", topic=RETRY))
        self.refused(13, "at most 4096", batched(bytes(4097)))
        self.assertEqual(self.store.commit_log_max, 0)

    def test_properties_of_items(self) -> None:
        """An item's properties cannot break the record."""
        items = [(0, b"1", "A\x01b"), (0, b"2", "")]
        self.ask(batched(body=batch.encode(items)))
        self.assertEqual([m.body for m in self.messages(TOPIC)], [b"1", b"2"])


class LimitTests(BrokerCase):
    """Batches have a largest number of messages."""

    settings = {"max_batch_messages": 3}

    def test_many_messages(self) -> None:
        """One more than is set is refused, and nothing is stored."""
        self.ask(batched(b"1", b"2", b"3"))
        end = self.store.commit_log_max
        self.refused(13, "maxBatchMessages", batched(b"1", b"2", b"3", b"4"))
        self.assertEqual(self.store.commit_log_max, end)


class LargeBatchTests(BrokerCase):
    """A batch that is read in steps."""

    settings = {
        "max_message_size": 4 << 20,
        "mapped_file_size_commit_log": 8 << 20,
        "flush_disk_type": FlushDiskType.ASYNC_FLUSH,
    }
    count = 2 * AT_ONCE + 1

    def setUp(self) -> None:
        """Use up what an iteration allows, and send a large batch."""
        super().setUp()
        self.topic()
        self.other = Peer()
        self.request = batched(*(b"%d" % number for number in range(self.count)))

    def busy(self) -> None:
        """Use up what the iteration allows."""

        def steps() -> Steps[None]:
            for _ in range(STEPS - 1):
                yield None

        self.broker.pacer.run(steps(), self.other)

    def bodies(self) -> list[bytes]:
        """Read the first messages, and the last."""
        messages = self.messages(TOPIC)
        return [each.body for each in (*messages[:2], messages[-1])]

    def test_at_once(self) -> None:
        """Where nobody else is busy it is stored in this iteration."""
        response = self.ask(self.request)
        self.assertEqual((response.status, response.queue_offset), (0, 0))
        self.assertEqual(len(response.msg_id.split(",")), self.count)
        self.assertEqual(self.bodies(), [b"0", b"1", b"%d" % (self.count - 1)])

    def test_in_steps(self) -> None:
        """Nothing of it is stored before all is read; then all of it is."""
        self.busy()
        response = self.ask(self.request)
        self.assertNoResult(response)
        self.assertEqual(self.store.max_offset(TOPIC, 0), 0)
        self.clock.advance(0)
        stored = self.successResultOf(response)
        self.assertEqual((stored.status, stored.queue_offset), (0, 0))
        self.assertEqual(self.store.max_offset(TOPIC, 0), self.count)
        self.assertEqual(self.bodies(), [b"0", b"1", b"%d" % (self.count - 1)])

    def test_small_ones_never_wait(self) -> None:
        """However busy tools keep the broker."""
        self.busy()
        self.assertEqual(self.ask(batched(b"1", b"2")).status, 0)

    def test_its_size_counts_while_it_waits(self) -> None:
        """Past ``maxWaitingRequestsSize`` others are refused, and may be sent again."""
        self.broker.pacer.size = self.broker.config.max_waiting_requests_size
        self.busy()
        refused = self.ask(self.request)
        self.assertEqual(refused.status, 2)
        self.assertIn("maxWaitingRequestsSize", refused.remark)
        self.broker.pacer.size = 0
        self.ask(self.request)
        gauges = self.stats.gauges
        self.assertEqual(gauges["waitingRequests"](), 1)
        self.assertEqual(gauges["waitingRequestsSize"](), len(self.request.body))
        self.assertEqual(gauges["waitingRequestsRefused"](), 1)
        self.clock.advance(0)
        self.assertEqual(gauges["waitingRequestsSize"](), 0)

    def test_damaged_at_the_end(self) -> None:
        """It is refused whole."""
        self.busy()
        self.request.body += b"1234"
        response = self.ask(self.request)
        self.clock.advance(0)
        self.assertIn("malformed", self.successResultOf(response).remark)
        self.assertEqual(self.store.max_offset(TOPIC, 0), 0)

    def test_a_topic_deleted_meanwhile(self) -> None:
        """The batch does not bring it back."""
        self.busy()
        response = self.ask(self.request)
        self.tables.topics.delete(TOPIC)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 2)
        self.assertEqual(self.store.queues(), {})


class LargeSyncBatchTests(LargeBatchTests):
    """The same where senders wait for the disk."""

    settings = {
        **LargeBatchTests.settings,
        "flush_disk_type": FlushDiskType.SYNC_FLUSH,
    }

    def ask(self, request: Any, ext: Any = None) -> Any:
        """Wait for the disk if nothing else is to be waited for."""
        outcome = super().ask(request, ext)
        if isinstance(outcome, Deferred) and len(self.broker.pacer) == 0:
            self.clock.advance(0)
            return self.successResultOf(outcome)
        return outcome
