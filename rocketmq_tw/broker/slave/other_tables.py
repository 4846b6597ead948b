"""
Handles what slaves of Apache RocketMQ ask about features that do not exist here.

There are no timed messages. A slave that got no response would log an error every few
seconds.

Source: ``SlaveSynchronize`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.other_tables import (
    TimerCheckPoint,
    TimerMetricsTable,
)
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.replication import (
    GetTimerCheckPoint,
    GetTimerMetrics,
)


class OtherTables:
    """
    Responds with empty tables.

    :param wall_time: the time of day, in seconds since the epoch.
    """

    def __init__(self, wall_time: Callable[[], float]) -> None:
        self._wall_time = wall_time

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetTimerCheckPoint, self.check_point)
        router.on(GetTimerMetrics, self.metrics)

    def check_point(self, request: GetTimerCheckPoint, call: Call) -> Response:
        """All that was due is delivered: a slave that acts has nothing to look for."""
        now = int(self._wall_time())
        return Response(body=TimerCheckPoint(last_read_ms=now * 1000).encode())

    def metrics(self, request: GetTimerMetrics, call: Call) -> Response:
        """No timed message waits."""
        return Response(body=TimerMetricsTable().encode())
