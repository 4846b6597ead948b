"""The pull consumer, on a cluster in memory."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from rocketmq_tw.client.errors import (
    CommitError,
    GroupInUse,
    NotAssigned,
    NotRunning,
    StateError,
    ValidationError,
)
from rocketmq_tw.wire.requests.heartbeat import UnregisterClient
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from rocketmq_tw.wire.requests.pull import LitePullMessage, PullMessage
from tests.client.consumer.lite.cases import PullConsumerCase


class LifeTests(PullConsumerCase):
    """Starting and stopping."""

    def test_polls(self) -> None:
        """A started consumer returns the messages there are, then waits for more."""
        self.send(3)
        consumer = self.started()
        self.assertEqual(self.poll(consumer), [b"0", b"1", b"2"])
        waiting = consumer.poll()
        self.assertNoResult(waiting)
        self.send(1)
        self.assertEqual(self.bodies(self.successResultOf(waiting)), [b"0"])

    def test_pulls_are_lite(self) -> None:
        """They are the requests of lite pull consumers."""
        self.started()
        self.assertTrue(self.traffic.requests(LitePullMessage))
        self.assertEqual(self.traffic.requests(PullMessage), [])

    def test_not_started(self) -> None:
        """Without a start, or with nothing to read, a poll fails."""
        consumer = self.consumer()
        self.failureResultOf(consumer.poll(), NotRunning)
        self.assertRaises(NotRunning, consumer.__aiter__)
        self.cluster.result_of(consumer.start())
        self.failureResultOf(consumer.poll(), StateError)
        self.failureResultOf(consumer.start(), StateError)
        consumer.subscribe("T")
        self.failureResultOf(consumer.poll(0), ValidationError)

    def test_client_not_started(self) -> None:
        """It needs a started client."""
        consumer = self.cluster.make_client().pull_consumer("G")
        self.failureResultOf(consumer.start(), NotRunning)

    def test_started_with_the_client(self) -> None:
        """One that has subscribed before is started with its client."""
        self.send(1)
        client = self.cluster.make_client()
        consumer = client.pull_consumer(
            "G", start_from=self.consumer().config.start_from
        )
        consumer.subscribe("T")
        client.startService()
        self.cluster.wait_until(consumer.assignment)
        self.cluster.advance(0.1)
        self.assertEqual(self.poll(consumer), [b"0"])

    def test_group_in_use(self) -> None:
        """A second one of the group in one client fails, and stops."""
        client = self.cluster.client()
        first, second = client.pull_consumer("G"), client.pull_consumer("G")
        first.subscribe("T")
        second.subscribe("T")
        self.cluster.result_of(first.start())
        self.failureResultOf(second.start(), GroupInUse)
        self.successResultOf(second.done)

    def test_cancelled_start(self) -> None:
        """A start that is cancelled leaves nothing behind."""
        consumer = self.consumer()
        consumer.subscribe("T")
        started = consumer.start()
        started.cancel()
        self.failureResultOf(started, CancelledError)
        self.cluster.result_of(consumer.done)
        self.assertEqual(consumer.assignment(), [])

    def test_stopped(self) -> None:
        """It leaves the group; later polls fail, the one that waits gets nothing."""
        consumer = self.started()
        waiting = consumer.poll()
        self.cluster.result_of(consumer.stop())
        self.assertEqual(self.successResultOf(waiting), [])
        self.failureResultOf(consumer.poll(), NotRunning)
        (left,) = self.traffic.requests(UnregisterClient)
        self.assertEqual(left.consumer_group, "G")
        self.cluster.result_of(consumer.stop())

    def test_stopped_before_the_start(self) -> None:
        """One that was never started stops at once."""
        self.successResultOf(self.consumer().stop())

    def test_stop_commits(self) -> None:
        """What was dealt with is committed; what the last poll returned is not."""
        self.send(3)
        consumer = self.started()
        self.poll(consumer, 1)
        self.poll(consumer, 1)
        report = self.cluster.result_of(consumer.stop())
        self.assertEqual(self.bodies(report.abandoned), [b"1"])
        self.assertEqual(self.committed(), 1)

    def test_leaving_async_with_commits(self) -> None:
        """Without an exception all that was delivered was dealt with."""
        self.send(3)

        async def read(error: bool) -> None:
            async with self.consumer() as consumer:
                consumer.subscribe("T")
                await consumer.poll(2)
                if error:
                    raise ValueError

        reading = read(error=True)
        self.assertRaises(ValueError, self.cluster.result_of, reading)
        self.assertIn(self.committed(), (None, 0))
        self.cluster.result_of(read(error=False))
        self.assertEqual(self.committed(), 2)

    def test_successor_sees_nothing_twice(self) -> None:
        """After a stop another member continues where the first has ended."""
        self.send(5)
        consumer = self.started()
        self.poll(consumer, 3)
        self.cluster.result_of(consumer.commit())
        self.cluster.result_of(consumer.stop())
        self.assertEqual(self.poll(self.started()), [b"3", b"4"])


class CommitTests(PullConsumerCase):
    """What is committed, and when."""

    def test_auto_commit(self) -> None:
        """It is every 5 s, and only what was followed by another poll."""
        self.send(3)
        consumer = self.started()
        self.poll(consumer, 2)
        self.cluster.advance(6)
        self.assertNotIn((0, 2), self.commits())
        self.poll(consumer, 1)
        self.cluster.advance(6)
        self.assertIn((0, 2), self.commits())

    def test_by_hand(self) -> None:
        """Without auto-commit nothing is stored until ``commit``, not even a start."""
        self.send(3)
        consumer = self.started(auto_commit=False)
        self.poll(consumer, 2)
        self.poll(consumer, 1)
        self.cluster.advance(60)
        self.assertEqual(self.commits(), [])
        stored = self.cluster.result_of(consumer.commit())
        self.assertEqual(stored, {self.queues[0]: 3, self.queues[1]: 0})
        self.assertEqual(self.committed(), 3)
        self.poll(consumer)
        self.cluster.result_of(consumer.stop())
        self.assertEqual(len(self.commits()), 2)

    def test_some_queues(self) -> None:
        """Offsets of one queue leave the other alone; they may be lower, too."""
        self.send(3)
        consumer = self.started(auto_commit=False)
        for offset in (3, 1):
            stored = self.cluster.result_of(consumer.commit({self.queues[0]: offset}))
            self.assertEqual(stored, {self.queues[0]: offset})
        self.assertEqual(self.commits(), [(0, 3), (0, 1)])
        self.assertEqual(self.committed(), 1)

    def test_not_assigned(self) -> None:
        """Offsets of another member's queue are not stored."""
        consumer = self.started()
        other = self.queues[0].__class__("T", "broker-a", 9)
        self.failureResultOf(consumer.commit({other: 1}), NotAssigned)
        self.assertRaises(NotAssigned, consumer.position, other)

    def test_refused(self) -> None:
        """The error lists the queues that failed."""
        self.send(1)
        consumer = self.started()
        self.poll(consumer)
        self.traffic.refuse(UpdateConsumerOffset, 1)
        offsets = {self.queues[0]: 1}
        failed = self.assertRaises(
            CommitError, self.cluster.result_of, consumer.commit(offsets)
        )
        self.assertEqual(list(failed.failed), [self.queues[0]])

    def test_filtered_messages(self) -> None:
        """Messages that do not match are committed without being delivered."""
        self.send(3, tag="other")
        consumer = self.consumer()
        consumer.subscribe("T", "mine")
        self.cluster.result_of(consumer.start())
        self.cluster.advance(20)
        self.assertEqual(self.poll(consumer), [])
        self.assertEqual(consumer.position(self.queues[0]), 3)
        self.cluster.advance(5)
        self.assertEqual(self.committed(), 3)


class PauseTests(PullConsumerCase):
    """Pausing and resuming."""

    def test_pause(self) -> None:
        """A paused queue delivers nothing, not even what was pulled before."""
        self.send(1, queue_id=0)
        self.send(1, queue_id=1)
        consumer = self.started()
        consumer.pause([self.queues[0]])
        (message,) = self.cluster.result_of(consumer.poll(timeout=0))
        self.assertEqual(message.queue_id, 1)
        waiting = consumer.poll()
        self.assertNoResult(waiting)
        consumer.resume()
        (message,) = self.successResultOf(waiting)
        self.assertEqual(message.queue_id, 0)


class BoundTests(PullConsumerCase):
    """What is kept for later polls."""

    def test_messages(self) -> None:
        """Above the limit nothing is pulled; each queue may exceed it by one pull."""
        self.send(30)
        consumer = self.started(max_cached_messages=8, pull_batch=4)
        self.cluster.advance(30)
        pulled = {r.queue_offset for r in self.traffic.requests(LitePullMessage)}
        self.assertEqual(max(pulled), 8)
        self.assertEqual(len(self.poll(consumer, 100)), 12)
        self.cluster.advance(1)
        self.assertEqual(len(self.poll(consumer, 100)), 12)


class GroupTests(PullConsumerCase):
    """Several members of a group."""

    def test_queues_are_shared(self) -> None:
        """Each queue has one owner; a queue that is lost is committed before."""
        self.send(2, queue_id=1)
        first = self.started()
        self.poll(first)
        revoked: list[object] = []
        first.on_revoked(revoked.append)
        second = self.consumer()
        second.subscribe("T")
        self.cluster.result_of(second.start())
        self.poll(first)
        self.cluster.advance(5)
        self.assertEqual(len(first.assignment()), 1)
        self.assertEqual(len(second.assignment()), 1)
        self.assertEqual(len(revoked), 1)
        self.assertEqual(self.committed(1), 2)
