"""What a consumer with traces writes: before and after each handler."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.dispatch.outcomes import Partial, Retry
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.model.message import Message, StoredMessage
from tests.client.trace.test_tracer import TracerCase


class ConsumerTests(TracerCase):
    """One message, and a handler."""

    def setUp(self) -> None:
        """Send a message with keys."""
        super().setUp()
        message = Message("T", b"x", keys=("k1", "k2"))
        sent = self.cluster.producer("P").send(message, timeout=5)
        self.id = self.cluster.result_of(sent).message_id

    def consume(self, handler: Any, trace: bool = True, **options: Any) -> None:
        """Start a consumer."""
        self.cluster.consumer(
            "CG", "T", handler, trace=trace, start_from=EARLIEST, **options
        )

    def outcome(self, handler: Any, **options: Any) -> str:
        """Consume the message once, and return how that ended."""
        self.consume(handler, **options)
        before, after = self.traces()[:2]
        self.assertEqual((before[0], after[0]), ("SubBefore", "SubAfter"))
        self.assertEqual(before[4], after[1])
        self.assertEqual(after[4], "true" if after[6] == "0" else "false")
        return after[6]

    def test_records(self) -> None:
        """Both have the id, the keys and one number; the second has the cost."""

        def handle(_message: StoredMessage) -> Deferred[None]:
            done: Deferred[None] = Deferred()
            self.cluster.clock.callLater(0.25, done.callback, None)
            return done

        self.consume(handle)
        before, after = self.traces()
        self.assertEqual(
            before[2:4] + before[5:], ["DefaultRegion", "CG", self.id, "0", "k1 k2"]
        )
        self.assertEqual(after[2:7], [self.id, "250", "true", "k1 k2", "0"])
        self.assertEqual(after[8], "CG")
        self.assertEqual(int(after[7]) - int(before[1]), 250)

    def test_success(self) -> None:
        """Any value is one, now or later."""

        async def later(_message: StoredMessage) -> int:
            return 5

        self.assertEqual(self.outcome(later), "0")

    def test_raises(self) -> None:
        """An exception is one; the consumer handles it as ever."""

        def fail(_message: StoredMessage) -> None:
            raise ValueError

        self.assertEqual(self.outcome(fail), "2")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_retry(self) -> None:
        """A handler that asks for a retry has failed; the retry is traced, too."""
        self.assertEqual(
            self.outcome(lambda m: Retry(1) if not m.reconsume_times else 0), "4"
        )
        self.assertEqual([each[6] for each in self.traces()[2:]], ["1", "0"])

    def test_too_late(self) -> None:
        """A handler that is cancelled after its time has timed out."""
        self.assertEqual(self.outcome(lambda m: Deferred(), handler_timeout=1), "1")

    def test_in_order(self) -> None:
        """Consumers in order are traced alike."""
        self.assertEqual(self.outcome(lambda m: None, ordered=True), "0")

    def test_off(self) -> None:
        """Without the option nothing is written."""
        seen: list[bytes] = []
        self.consume(lambda m: seen.append(m.body), trace=False)
        self.assertEqual((self.traces(), seen), ([], [b"x"]))


class BrokerOffTests(TracerCase):
    """``traceOn=false``."""

    settings = {"trace_topic_enable": True, "trace_on": False}

    def test_unwanted(self) -> None:
        """The broker says in each message that it has no traces."""
        self.cluster.result_of(self.cluster.producer("P").send(Message("T", b"y")))
        seen: list[bytes] = []
        self.cluster.consumer(
            "CG", "T", lambda m: seen.append(m.body), trace=True, start_from=EARLIEST
        )
        self.assertEqual(self.traces(), [])
        self.assertEqual(seen, [b"y"])


class BatchTests(TracerCase):
    """A handler that gets several messages."""

    def test_each_message(self) -> None:
        """Each has its own records under one number, and its share of the cost."""
        self.cluster.create_topic("B", 1)
        producer = self.cluster.producer("P")
        batch = [Message("B", b"%d" % number) for number in range(4)]
        self.cluster.result_of(producer.send_batch(batch))
        self.cluster.consumer(
            "CG",
            "B",
            lambda messages: Partial(messages[3:], level=18),
            trace=True,
            batch=4,
            start_from=EARLIEST,
        )
        records = self.traces()
        before = [each for each in records if each[0] == "SubBefore"]
        after = [each for each in records if each[0] == "SubAfter"]
        self.assertEqual(len({each[4] for each in before}), 1)
        self.assertEqual([each[6] for each in after], ["0", "0", "0", "4"])
        self.assertEqual([each[5] for each in before], [each[2] for each in after])
