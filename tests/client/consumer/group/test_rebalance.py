"""When queues are assigned, and which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.allocation import Strategy, average
from rocketmq_tw.client.consumer.group.rebalance import Rebalance
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList
from tests.client.fakes import FakeSession


def members(*client_ids: str) -> Response:
    """Make the broker's list."""
    return Response(body=ConsumerIdList(client_ids).encode())


class RebalanceTests(SynchronousTestCase):
    """Passes over the topics."""

    def _rebalance(self, strategy: Strategy | None = average) -> Rebalance:
        """Make one."""
        return Rebalance(
            client_id=self.session.client_id,
            group="G",
            strategy=strategy,
            topics=lambda: ["T"],
            assignment=self,
            brokers=self.session.brokers,  # type: ignore[arg-type]
            routes=self.session.routes,  # type: ignore[arg-type]
            clock=self.session.clock,
            heartbeat=self.session.heartbeats.send_all,
        )

    def setUp(self) -> None:
        """A topic of four queues, of which we are the only member."""
        self.session = FakeSession({"T": 4})
        self.session.brokers.responses[GetConsumerList] = members(
            self.session.client_id
        )
        self.applied: list[tuple[str, list[int]]] = []
        self.kept: list[list[str]] = []
        self.complete = True
        self.rebalance = self._rebalance()

    async def apply(self, topic: str, ours: frozenset[MessageQueue]) -> bool:
        """Note our share."""
        self.applied.append((topic, sorted(queue.queue_id for queue in ours)))
        return self.complete

    async def keep_only(self, topics: Iterable[str]) -> None:
        """Note the topics."""
        self.kept.append(list(topics))

    def _waits(self) -> float:
        """Give the seconds until the next pass."""
        (call,) = self.session.clock.getDelayedCalls()
        return call.getTime() - self.session.clock.seconds()

    def test_first_pass(self) -> None:
        """A start assigns queues at once; the next pass is 20 s away, more or less."""
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [0, 1, 2, 3])])
        self.assertEqual(self.kept, [["T"]])
        self.assertIn("T", self.session.routes.watched)
        self.assertTrue(18 <= self._waits() <= 22)
        self.session.clock.advance(22)
        self.assertEqual(len(self.applied), 2)

    def test_another_member(self) -> None:
        """With another member we get our half."""
        self.session.brokers.responses[GetConsumerList] = members(
            "z", self.session.client_id
        )
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [0, 1])])

    def test_broadcasting(self) -> None:
        """Without a strategy all queues are ours, whoever the members are."""
        self.rebalance = self._rebalance(None)
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [0, 1, 2, 3])])
        self.assertEqual(self.session.brokers.sent(GetConsumerList), [])

    def test_notified(self) -> None:
        """Notifications start a pass at once, but only one a second."""
        self.successResultOf(self.rebalance.start())
        self.session.clock.advance(5)
        self.rebalance.notified()
        self.assertEqual(len(self.applied), 2)
        for _ in range(100):
            self.rebalance.notified()
        self.assertEqual((len(self.applied), self._waits()), (2, 1.0))
        self.session.clock.advance(1)
        self.assertEqual(len(self.applied), 3)
        self.assertTrue(18 <= self._waits() <= 22)

    def test_notified_during_a_pass(self) -> None:
        """A notification during a pass starts another one, a second after it began."""
        del self.session.brokers.responses[GetConsumerList]
        self.rebalance.start()
        self.rebalance.notified()
        [(_, _, response)] = self.session.brokers.calls
        response.callback(members(self.session.client_id))
        self.assertEqual((len(self.applied), self._waits()), (1, 1.0))

    def test_no_route(self) -> None:
        """Without a route queues are kept, and the pass is repeated."""
        self.session.routes.counts.clear()
        self.successResultOf(self.rebalance.start())
        waits = []
        for _ in range(6):
            waits.append(round(self._waits()))
            self.session.clock.advance(self._waits())
        self.assertEqual(self.applied, [])
        self.assertEqual(waits, [1, 2, 4, 5, 5, 5])

    def test_no_members(self) -> None:
        """An error or an empty list keeps the queues too."""
        for response in (BrokerError(1, "none", "a", "r"), members()):
            self.session.brokers.responses[GetConsumerList] = response
            self.rebalance.now()
        self.successResultOf(self.rebalance.start())
        self.assertEqual((self.applied, round(self._waits())), ([], 1))
        self.assertEqual(self.session.heartbeats.count, 1)

    def test_not_listed(self) -> None:
        """Unknown to the broker we have no queues, register, and ask again."""
        self.session.brokers.responses[GetConsumerList] = members("other")
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [])])
        self.assertEqual((self.session.heartbeats.count, round(self._waits())), (1, 1))

    def test_incomplete(self) -> None:
        """A queue that could not be taken brings the pass again."""
        self.complete = False
        self.successResultOf(self.rebalance.start())
        self.assertEqual(round(self._waits()), 1)

    def test_one_pass_at_a_time(self) -> None:
        """Calls during a pass make one more pass, after it."""
        del self.session.brokers.responses[GetConsumerList]
        first = self.rebalance.start()
        self.rebalance.now()
        self.rebalance.now()
        self.assertEqual(len(self.session.brokers.calls), 1)
        self.session.brokers.calls[0][2].callback(members(self.session.client_id))
        self.successResultOf(first)
        self.session.clock.advance(0)
        self.assertEqual(len(self.session.brokers.calls), 2)

    def test_stop(self) -> None:
        """After a stop nothing is left, and nothing happens."""
        self.successResultOf(self.rebalance.start())
        self.rebalance.stop()
        self.rebalance.now()
        self.assertEqual(self.session.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.applied), 1)

    def test_stop_during_a_pass(self) -> None:
        """A pass that runs is cancelled."""
        self.session.brokers.responses[GetConsumerList] = lambda _: None
        first: Deferred[Any] = self.rebalance.start()
        self.rebalance.stop()
        self.successResultOf(first)
        self.assertEqual(self.session.clock.getDelayedCalls(), [])
