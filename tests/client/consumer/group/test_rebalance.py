"""When queues are shared out, and to whom."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.allocation import average
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

    def setUp(self) -> None:
        """A topic of four queues, of which we are the only member."""
        self.session = FakeSession({"T": 4})
        self.session.answers[GetConsumerList] = members(self.session.client_id)
        self.applied: list[tuple[str, list[int]]] = []
        self.kept: list[list[str]] = []
        self.settled = True
        self.rebalance = Rebalance(
            self.session,  # type: ignore[arg-type]
            "G",
            average,
            lambda: ["T"],
            self._apply,
            self._keep_only,
        )

    async def _apply(self, topic: str, mine: frozenset[MessageQueue]) -> bool:
        """Note our share."""
        self.applied.append((topic, sorted(queue.queue_id for queue in mine)))
        return self.settled

    async def _keep_only(self, topics: list[str]) -> None:
        """Note the topics."""
        self.kept.append(topics)

    def _waits(self) -> float:
        """Give the seconds until the next pass."""
        (call,) = self.session.reactor.getDelayedCalls()
        return call.getTime() - self.session.reactor.seconds()

    def test_first_pass(self) -> None:
        """A start shares out at once; the next pass is 20 s away, more or less."""
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [0, 1, 2, 3])])
        self.assertEqual(self.kept, [["T"]])
        self.assertIn("T", self.session.routes.watched)
        self.assertTrue(18 <= self._waits() <= 22)
        self.session.reactor.advance(22)
        self.assertEqual(len(self.applied), 2)

    def test_share(self) -> None:
        """With another member we get our half."""
        self.session.answers[GetConsumerList] = members("z", self.session.client_id)
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [0, 1])])

    def test_no_route(self) -> None:
        """Without a route queues are kept, and the pass is repeated."""
        self.session.routes.counts.clear()
        self.successResultOf(self.rebalance.start())
        waits = []
        for _ in range(6):
            waits.append(round(self._waits()))
            self.session.reactor.advance(self._waits())
        self.assertEqual(self.applied, [])
        self.assertEqual(waits, [1, 2, 4, 5, 5, 5])

    def test_no_members(self) -> None:
        """An error or an empty list keeps the queues too."""
        for answer in (BrokerError(1, "none", "a", "r"), members()):
            self.session.answers[GetConsumerList] = answer
            self.rebalance.now()
        self.successResultOf(self.rebalance.start())
        self.assertEqual((self.applied, round(self._waits())), ([], 1))
        self.assertEqual(self.session.heartbeats, 1)

    def test_not_listed(self) -> None:
        """Unknown to the broker we have no queues, say who we are, and ask again."""
        self.session.answers[GetConsumerList] = members("other")
        self.successResultOf(self.rebalance.start())
        self.assertEqual(self.applied, [("T", [])])
        self.assertEqual((self.session.heartbeats, round(self._waits())), (1, 1))

    def test_not_settled(self) -> None:
        """A queue that could not be taken brings the pass again."""
        self.settled = False
        self.successResultOf(self.rebalance.start())
        self.assertEqual(round(self._waits()), 1)

    def test_one_pass_at_a_time(self) -> None:
        """Calls during a pass make one more pass, after it."""
        del self.session.answers[GetConsumerList]
        first = self.rebalance.start()
        self.rebalance.now()
        self.rebalance.now()
        self.assertEqual(len(self.session.calls), 1)
        self.session.calls[0][2].callback(members(self.session.client_id))
        self.successResultOf(first)
        self.session.reactor.advance(0)
        self.assertEqual(len(self.session.calls), 2)

    def test_stop(self) -> None:
        """After a stop nothing is left, and nothing happens."""
        self.successResultOf(self.rebalance.start())
        self.rebalance.stop()
        self.rebalance.now()
        self.assertEqual(self.session.reactor.getDelayedCalls(), [])
        self.assertEqual(len(self.applied), 1)

    def test_stop_during_a_pass(self) -> None:
        """A pass under way is given up."""
        self.session.answers[GetConsumerList] = lambda _: None
        first: Deferred[Any] = self.rebalance.start()
        self.rebalance.stop()
        self.successResultOf(first)
        self.assertEqual(self.session.reactor.getDelayedCalls(), [])
