"""Tests of rocketmq_tw.broker.assignment.routes."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.assignment import routes
from rocketmq_tw.broker.assignment.routes import PERIOD, QueueRoutes
from rocketmq_tw.model.route import QueueData, TopicRoute
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.wire.bodies.route import encode_route
from rocketmq_tw.wire.fields import Response


class RouteTests(SynchronousTestCase):
    """Queues of all brokers, asked for at name servers."""

    def setUp(self) -> None:
        """Have a name server with two brokers."""
        self.clock = Clock()
        self.asked = 0
        self.is_there = True
        self.routes = QueueRoutes(
            broker_name="a",
            topics=None,
            ask=self.ask,
            clock=self.clock,  # type: ignore[arg-type]
        )

    def ask(self, request: Any) -> Deferred[Any]:
        """Respond as a name server."""
        self.asked += 1
        if not self.is_there:
            return fail(ConnectError("name servers", "there are none"))
        data = (QueueData("b", 1, 1, 6), QueueData("a", 2, 2, 6))
        return succeed(Response(body=encode_route(TopicRoute((), data))))

    def queues(self, topic: str = "T") -> Any:
        """Return broker and queue id of the queues."""
        found = self.successResultOf(Deferred.fromCoroutine(self.routes.queues(topic)))
        return None if found is None else [(q.broker_name, q.queue_id) for q in found]

    def test_asked_once(self) -> None:
        """The queues are sorted, and kept for a time; also if nobody responds then."""
        expected = [("a", 0), ("a", 1), ("b", 0)]
        for _ in range(3):
            self.assertEqual(self.queues(), expected)
        self.assertEqual(self.asked, 1)
        self.is_there = False
        self.clock.advance(PERIOD)
        self.assertEqual(self.queues(), expected)
        self.assertEqual(self.asked, 2)
        self.assertIsNone(self.queues("Other"))

    def test_forgotten(self) -> None:
        """Not more queues are kept than may be."""
        self.patch(routes, "MAX_QUEUES", 10)
        for number in range(100):
            self.queues(f"T{number}")
            self.assertLessEqual(len(self.routes._known), 2)
