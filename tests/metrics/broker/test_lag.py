"""How far groups are behind."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from rocketmq_tw.metrics.broker import first_times
from rocketmq_tw.metrics.broker.lag_chunk import LagChunk
from rocketmq_tw.metrics_settings import MetricsSettings
from rocketmq_tw.store.errors import TooManyReads
from rocketmq_tw.wire.requests.topic import DeleteTopic
from tests.broker.cases import GROUP, TOPIC, pulled, sent
from tests.metrics.broker.cases import MetricsCase

LAG = "rocketmq_consumer_lag_messages"
IN_FLIGHT = "rocketmq_consumer_inflight_messages"
READY = "rocketmq_consumer_ready_messages"
LATENCY = "rocketmq_consumer_lag_latency_milliseconds"
QUEUEING = "rocketmq_consumer_queueing_latency_milliseconds"
OF_QUEUE = "rocketmq_consumer_queue_lag_messages"


class LagTests(MetricsCase):
    """A group that reads a topic."""

    def setUp(self) -> None:
        """Start with a topic and a group."""
        super().setUp()
        self.topic()
        self.tables.groups.find(GROUP)

    def send(self, count: int, queue_id: int = 0) -> None:
        """Send messages, one a second."""
        for _ in range(count):
            self.ask(sent(queue_id=queue_id))
            self.clock.advance(1)

    def commit(self, offset: int, queue_id: int = 0) -> None:
        """Let the group commit."""
        self.tables.offsets.commit(GROUP, TOPIC, queue_id, offset)

    def assert_page(self, expected: dict[str, int]) -> None:
        """Read a page, and compare."""
        page = self.read()
        labels = {"topic": TOPIC, "consumer_group": GROUP}
        found = {name: page.get(name, **labels) for name in expected}
        self.assertEqual(found, expected)

    def test_nothing_committed(self) -> None:
        """A group without offsets is not behind anything."""
        self.send(1)
        self.assertEqual(self.read().labels(LAG), [])

    def test_lag(self) -> None:
        """What is not committed, of all queues in which there is an offset."""
        self.send(5)
        self.send(3, queue_id=1)
        self.commit(2)
        self.commit(0, queue_id=1)
        self.assert_page({LAG: 6, READY: 6, IN_FLIGHT: 0})
        self.commit(5)
        self.assert_page({LAG: 3})
        self.commit(3, queue_id=1)
        self.assert_page({LAG: 0, LATENCY: 0, QUEUEING: 0})

    def test_in_flight(self) -> None:
        """What was sent and not committed is in flight."""
        self.send(5)
        self.commit(0)
        self.ask(pulled(max_msg_nums=3, sys_flag=4))
        self.assert_page({LAG: 5, READY: 2, IN_FLIGHT: 3})
        self.commit(3)
        self.assert_page({LAG: 2, READY: 2, IN_FLIGHT: 0})

    def remake(self) -> None:
        """Delete the topic, and create it again."""
        self.ask(DeleteTopic(TOPIC))
        self.topic()

    def test_made_again(self) -> None:
        """Of a topic that is deleted and made again nothing was sent to the group."""
        self.send(5)
        self.commit(0)
        self.ask(pulled(max_msg_nums=3, sys_flag=4))
        self.assert_page({LAG: 5, READY: 2, IN_FLIGHT: 3})
        self.remake()
        self.send(4)
        self.commit(0)
        self.assert_page({LAG: 4, READY: 4, IN_FLIGHT: 0})

    def test_age_when_made_again(self) -> None:
        """Its first message has its own age, and not that of the one before."""
        self.send(1)
        self.commit(0)
        self.clock.advance(100)
        self.read()
        self.remake()
        self.send(1)
        self.commit(0)
        self.assert_page({LAG: 1, LATENCY: 1250, QUEUEING: 1250})

    def test_age_stays(self) -> None:
        """It stays known when groups and queues come, also if nothing may be read."""
        self.send(1)
        self.send(1, queue_id=1)
        self.commit(0)
        self.clock.advance(100)
        self.read()
        self.patch(first_times, "READS", 0)
        for change in (
            lambda: self.tables.offsets.commit("Other", TOPIC, 0, 0),
            lambda: self.commit(0, queue_id=1),
        ):
            change()
            page = self.read()
            for name in (LATENCY, QUEUEING):
                found = page.get(name, consumer_group=GROUP) or 0
                self.assertEqual(found // 1000, 102, name)

    def test_latency(self) -> None:
        """The ages of the first messages, which grow while nothing happens."""
        self.send(5)
        self.commit(1)
        self.ask(pulled(queue_offset=1, max_msg_nums=2, sys_flag=4))
        page = self.read()
        latency, queueing = page.get(LATENCY), page.get(QUEUEING)
        assert latency is not None and queueing is not None
        self.assertTrue(4000 <= latency < 4600, latency)
        self.assertEqual(latency - queueing, 2000)
        self.clock.advance(10)
        self.assertGreater(self.read().get(LATENCY) or 0, latency + 9999)

    def test_out_of_range(self) -> None:
        """An offset behind the end, or before the begin, counts from there."""
        self.send(2)
        self.commit(9)
        self.assert_page({LAG: 0, READY: 0, IN_FLIGHT: 0})

    def test_forgotten(self) -> None:
        """A group whose offsets are removed has no series."""
        self.send(2)
        self.commit(0)
        self.read()
        self.tables.offsets.table.clear()
        self.assertEqual(self.read().names & {LAG, READY, IN_FLIGHT, LATENCY}, set())

    def test_queues(self) -> None:
        """Each queue has its own series, which goes with the offset."""
        self.send(2)
        self.send(1, queue_id=1)
        self.commit(0)
        self.commit(0, queue_id=1)
        page = self.read()
        self.assertEqual(page.get(OF_QUEUE, queue_id="0"), 2)
        self.assertEqual(page.get(OF_QUEUE, queue_id="1"), 1)
        self.tables.offsets.commit(GROUP, TOPIC, 1, -1)
        self.assertEqual(len(self.read().labels(OF_QUEUE)), 1)
        self.tables.offsets.table.clear()
        self.assertEqual(self.read().labels(OF_QUEUE), [])

    def test_read_from_disk(self) -> None:
        """A time that has to be read is there on the next page; nobody waits."""
        self.send(2)
        reading = Deferred[int]()
        self.store.store_time = lambda *key: reading
        self.commit(0)
        self.assert_page({LAG: 2, LATENCY: 0})
        reading.callback(int(self.clock.seconds() * 1000) - 60_000)
        found = self.read().get(LATENCY) or 0
        self.assertTrue(60_000 <= found < 61_000, found)

    def test_read_fails(self) -> None:
        """A time that cannot be read is looked for again."""
        self.send(2)
        read = self.store.store_time
        outcomes: list[Any] = [TooManyReads(1)]

        def store_time(*key: Any) -> Any:
            if outcomes:
                raise outcomes.pop()
            return read(*key)

        self.store.store_time = store_time
        self.commit(0)
        self.assert_page({LAG: 2, LATENCY: 0})
        self.assertGreater(self.read().get(LATENCY) or 0, 0)

    def test_begin_has_passed(self) -> None:
        """What was deleted before it was read is not behind."""
        self.send(3)
        self.commit(0)
        [queue] = self.store.counted_queues(TOPIC)
        queue.min_offset = 2
        self.assert_page({LAG: 1, READY: 1})

    def test_topic_is_new(self) -> None:
        """A topic that was deleted and created again is read as it is now."""
        self.send(3)
        self.commit(1)
        self.assert_page({LAG: 2})
        self.store.delete_topic(TOPIC)
        self.assert_page({LAG: 0})
        self.send(1)
        self.commit(0)
        self.assert_page({LAG: 1})

    def test_on_and_on(self) -> None:
        """Each page has what was sent and committed since, in whatever order."""
        ends, committed = [0, 0], [0, 0]
        for queue_id in (0, 1):
            self.commit(0, queue_id=queue_id)
        for number in range(8):
            queue_id = number % 2
            self.send(2, queue_id=queue_id)
            ends[queue_id] += 2
            self.assert_page({LAG: sum(ends) - sum(committed)})
            committed[queue_id] = number // 2
            self.commit(number // 2, queue_id=queue_id)
            self.assert_page({LAG: sum(ends) - sum(committed)})
            self.clock.advance(number)

    def test_failed(self) -> None:
        """After a page that could not be made all is looked at again."""
        self.send(2)
        self.commit(0)
        self.assert_page({LAG: 2})
        self.commit(1)
        self.send(2)
        with patch.object(LagChunk, "collect", side_effect=OSError):
            self.assert_page({LAG: 2})
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assert_page({LAG: 3})

    def test_turns(self) -> None:
        """A page reads so many times at most; the next ones read the others."""
        count = 3 * first_times.READS
        self.send(1)
        for number in range(count):
            self.tables.offsets.commit(f"g{number}", TOPIC, 0, 0)
        self.store.store_time = lambda *key: 1_000_000
        known = []
        for _ in range(4):
            page = self.read().values.items()
            known.append(sum(ms > 0 for (name, _), ms in page if name == LATENCY))
        self.assertLess(known[0], count)
        self.assertEqual(known, [*sorted(known[:3]), count])


class NoQueuesTests(MetricsCase):
    """The same without series for single queues."""

    settings = {"metrics": MetricsSettings(counts_queues=False)}

    def test_no_queues(self) -> None:
        """Only topics have series."""
        self.ask(sent())
        self.tables.offsets.commit(GROUP, TOPIC, 0, 0)
        page = self.read()
        self.assertEqual(page.get(LAG), 1)
        self.assertEqual(page.labels(OF_QUEUE), [])
        self.tables.offsets.table.clear()
        self.assertEqual(self.read().labels(LAG), [])
