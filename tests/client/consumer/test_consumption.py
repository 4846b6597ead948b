"""The moving parts of one consumer, connected."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.config import ConsumerConfig, StopReport
from rocketmq_tw.client.consumer.consumption import COMMIT_PERIOD, Consumption
from rocketmq_tw.client.consumer.fetcher import WATCHDOG
from rocketmq_tw.client.consumer.subscriptions import Subscriptions
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList
from rocketmq_tw.wire.requests.offset import (
    OffsetResponse,
    QueryConsumerOffset,
    UpdateConsumerOffset,
)
from rocketmq_tw.wire.requests.pull import PullMessage
from tests.client.fakes import FakeSession, pulled, stored


class ConsumptionTests(SynchronousTestCase):
    """A consumer of one queue, that has read it up to 7."""

    def setUp(self) -> None:
        """Start it."""
        self.session = FakeSession({"T": 1})
        self.clock = self.session.clock
        members = ConsumerIdList((self.session.client_id,)).encode()
        self.session.brokers.responses = {
            GetConsumerList: Response(body=members),
            QueryConsumerOffset: OffsetResponse(offset=7),
            UpdateConsumerOffset: Response(),
        }
        self.outcome: Deferred[None] | None = None
        self.changes = 0
        subscriptions = Subscriptions("G", self.clock)
        subscriptions.add("T", "*", lambda _message: self.outcome)
        subscriptions.remove("%RETRY%G")
        session: Any = self.session
        self.consumption = Consumption(
            session=session,
            group="G",
            config=ConsumerConfig(),
            subscriptions=subscriptions,
            queues_changed=self._changed,
        )
        self.successResultOf(self.consumption.start())

    def _changed(self) -> None:
        """Count a change."""
        self.changes += 1

    def give(self, offset: int) -> None:
        """Respond to the pull that waits."""
        waiting = [
            c for c in self.session.brokers.calls if isinstance(c[1], PullMessage)
        ]
        response = pulled(body=stored(offset), next_offset=offset + 1)
        waiting[-1][2].callback(response)

    def stop(self, grace: float = 0) -> StopReport:
        """Stop; no timer may be left."""
        report = self.successResultOf(self.consumption.stop(grace))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return report

    def test_from_a_pull_to_a_commit(self) -> None:
        """A message is pulled, handled and committed; the next pull follows at once."""
        self.outcome = Deferred()
        self.give(7)
        pulls = self.session.brokers.sent(PullMessage)
        self.assertEqual([pull.queue_offset for pull in pulls], [7, 8])
        self.outcome.callback(None)
        self.clock.advance(COMMIT_PERIOD)
        (sent,) = self.session.brokers.made.one_way
        self.assertEqual(sent.commit_offset, 8)
        self.assertEqual(self.stop(), StopReport())

    def test_commit_with_a_pull(self) -> None:
        """What is handled at once is committed by the next pull, and not once more."""
        self.give(7)
        self.assertEqual(self.session.brokers.sent(PullMessage)[-1].commit_offset, 8)
        self.clock.advance(COMMIT_PERIOD)
        self.assertEqual(self.session.brokers.made.one_way, [])
        self.stop()

    def test_queues_changed(self) -> None:
        """The taking of a queue is reported."""
        self.assertEqual(self.changes, 1)
        self.stop()

    def test_watchdog(self) -> None:
        """A pull without a response, not even a time-out, is made again."""
        before = len(self.session.brokers.sent(PullMessage))
        # The clock jumps, as that of a machine that was suspended.
        self.clock.rightNow += WATCHDOG + 1
        self.clock.advance(0)
        self.assertEqual(len(self.session.brokers.sent(PullMessage)), before + 1)
        self.stop()

    def test_failing_commit(self) -> None:
        """One failure does not end the periodic commit."""
        made = self.session.brokers.connection
        self.session.brokers.connection = lambda _: 1 / 0  # type: ignore
        self.outcome = Deferred()
        self.give(7)
        self.outcome.callback(None)
        self.clock.advance(COMMIT_PERIOD)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.session.brokers.connection = made  # type: ignore[method-assign]
        self.clock.advance(COMMIT_PERIOD)
        self.assertEqual(len(self.session.brokers.made.one_way), 1)
        self.stop()

    def test_stop_commits_last(self) -> None:
        """Handlers that finish in time count in the last commit."""
        self.outcome = Deferred()
        self.give(7)
        stopped = self.consumption.stop(10)
        self.assertNoResult(stopped)
        self.outcome.callback(None)
        self.assertEqual(self.successResultOf(stopped), StopReport())
        (commit,) = self.session.brokers.sent(UpdateConsumerOffset)
        self.assertEqual(commit.commit_offset, 8)
