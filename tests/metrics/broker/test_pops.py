"""Pops in the metrics."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.broker.pops import BOUNDS, Counts
from rocketmq_tw.store.errors import PropertiesTooLong
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, acknowledged
from tests.metrics.broker.cases import MetricsCase

IN = "rocketmq_pop_revive_in_message_total"
OUT = "rocketmq_pop_revive_out_message_total"
COPIES = "rocketmq_pop_revive_retry_messages_total"
LAG = "rocketmq_pop_revive_lag_milliseconds"
LATENCY = "rocketmq_pop_revive_latency_milliseconds"
SIZE = "rocketmq_pop_checkpoint_buffer_size"
PASSES = "rocketmq_pop_buffer_scan_time_consume_milliseconds"
#: The labels of all that is counted by topic.
OF_TOPIC = {"consumer_group": GROUP, "topic": TOPIC}


class PopTests(PopCase, MetricsCase):
    """What becomes of pops."""

    def counted(self, name: str, **labels: str) -> float | None:
        """Return what was counted of the topic."""
        return self.read().get(name, **OF_TOPIC, **labels)

    def test_nothing(self) -> None:
        """Without pops nothing is late, and nothing was counted."""
        page = self.read()
        self.assertEqual(page.get(SIZE), 0)
        self.assertEqual(page.get(LAG, queue_id="0"), 0)
        self.assertEqual(page.get(LATENCY, queue_id="0"), 0)
        self.assertEqual(page.names & {IN, OUT, COPIES, f"{PASSES}_count"}, set())

    def test_acknowledged(self) -> None:
        """A pop is done with the last of its acknowledgements."""
        self.fill(b"a", b"b")
        receipts = self.receipts()
        ok = {"put_status": "PUT_OK"}
        self.assertEqual(self.counted(IN, revive_message_type="CK", **ok), 1)
        self.assertEqual(self.read().get(SIZE), 1)
        self.now(acknowledged(receipts[b"a"]))
        self.assertIsNone(self.counted(OUT, revive_message_type="CK", queue_id="0"))
        self.now(acknowledged(receipts[b"b"]))
        self.assertEqual(self.counted(IN, revive_message_type="ACK", **ok), 2)
        for kind, count in (("CK", 1), ("ACK", 2)):
            found = self.counted(OUT, revive_message_type=kind, queue_id="0")
            self.assertEqual(found, count)
        self.assertEqual(self.read().get(SIZE), 0)

    def test_copied(self) -> None:
        """What is not acknowledged is counted as a copy, in a pass of no time."""
        self.fill(b"a")
        self.receipts(invisible_time=1000)
        self.pass_time(1.5)
        self.assertEqual(len(self.retries()), 1)
        self.assertEqual(self.counted(COPIES, put_status="PUT_OK"), 1)
        self.assertEqual(self.read().get(f"{PASSES}_bucket", le="1.0"), 1)
        self.assertEqual(self.counted(OUT, revive_message_type="CK", queue_id="0"), 1)

    def test_never_copied(self) -> None:
        """A copy that cannot be stored has another status."""
        self.fill(b"a")
        self.receipts(invisible_time=1000)
        put = self.store.put

        def refuse(draft: object, now: float) -> object:
            if draft.topic.startswith(b"%RETRY%"):  # type: ignore[attr-defined]
                raise PropertiesTooLong(40_000, 32_767)
            return put(draft, now)

        self.store.put = refuse  # type: ignore[method-assign]
        self.pass_time(1.5)
        self.flushLoggedErrors()
        self.assertEqual(self.counted(COPIES, put_status="UNKNOWN_ERROR"), 1)

    def test_late(self) -> None:
        """What is due and not looked at, as revival is stopped."""
        self.fill(b"a", b"b")
        self.receipts(invisible_time=1000, max_msg_nums=1)
        self.receipts(invisible_time=2000, max_msg_nums=1)
        self.pop.revival.stop()
        self.pass_time(4)
        page = self.read()
        found = [page.get(LAG, queue_id=f"{queue}") for queue in range(3)]
        self.assertEqual(found, [1, 1, 0])
        late_ms = page.get(LATENCY, queue_id="0")
        assert late_ms is not None
        self.assertTrue(2900 <= late_ms <= 4200, late_ms)

    def test_topic_is_gone(self) -> None:
        """A topic that is deleted has no series, and begins with nothing."""
        self.fill(b"a")
        self.receipts()
        self.read()
        self.broker.tables.topics.delete(TOPIC)
        self.assertNotIn(IN, self.read().names)
        self.topic()
        self.fill(b"b")
        self.receipts()
        self.assertEqual(
            self.counted(IN, revive_message_type="CK", put_status="PUT_OK"), 1
        )


class CountsTests(SynchronousTestCase):
    """The number of series is limited."""

    def test_limit(self) -> None:
        """More are not counted; those that there are go on."""
        counts = Counts(2)
        for name in ("a", "b", "c", "a"):
            counts.add((name,))
        self.assertEqual(counts.table, {("a",): 2, ("b",): 1})
        self.assertEqual(list(BOUNDS), sorted(BOUNDS))
