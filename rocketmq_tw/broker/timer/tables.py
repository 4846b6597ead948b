"""
Reports to slaves how far timed messages are delivered, and how many wait.

Source: ``AdminBrokerProcessor.getTimerCheckPoint`` and ``getTimerMetrics`` of RocketMQ
5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Pacer, Steps, responding
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.replication import GetTimerCheckPoint, GetTimerMetrics


class TimerTables:
    """Responds with the tables of the timer."""

    def __init__(
        self,
        *,
        check_point: Callable[[], TimerCheckPoint | Deferred[TimerCheckPoint]],
        metrics: Callable[[], Steps[bytes]],
        pacer: Pacer,
    ) -> None:
        self._check_point = check_point
        self._metrics = metrics
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetTimerCheckPoint, self.check_point)
        router.on(GetTimerMetrics, self.metrics)

    def check_point(
        self, request: GetTimerCheckPoint, call: Call
    ) -> Response | Deferred[Response]:
        """Return how far messages are delivered."""
        found = self._check_point()
        if isinstance(found, Deferred):
            return found.addCallback(lambda point: Response(body=point.encode()))
        return Response(body=found.encode())

    def metrics(
        self, request: GetTimerMetrics, call: Call
    ) -> Response | Deferred[Response | None]:
        """Return how many messages of each topic wait."""
        return self._pacer.run(responding(self._metrics()), call.peer)
