"""What all messages of one producer share, whichever way they go."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.client.brokers import Brokers
from rocketmq_tw.client.producer.faults import Faults
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.publish import PublishRoutes
from rocketmq_tw.client.producer.selectors import RoundRobin
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.client.time_limits import TimeLimits
from rocketmq_tw.clock import wall_time


class Unfinished(Protocol):
    """
    A message without a result yet.

    :ivar result: ends it when it is cancelled.
    """

    result: Deferred[Any]


class SendContext:
    """
    The objects that all messages of one producer share.

    :ivar pending: the messages without a result yet.
    """

    def __init__(
        self,
        *,
        group: str,
        brokers: Brokers,
        routes: RouteCache,
        clock: IReactorTime,
        in_flight: InFlight,
        require_ok: bool,
    ) -> None:
        self.group = group
        self.brokers = brokers
        self.routes = routes
        self.clock = clock
        self.wall_time = wall_time(clock)
        self.in_flight = in_flight
        self.require_ok = require_ok
        self.publish_routes = PublishRoutes(routes)
        self.faults = Faults(clock)
        self.round_robin = RoundRobin(self.faults)
        self.time_limits = TimeLimits(clock)
        self.pending: set[Unfinished] = set()
