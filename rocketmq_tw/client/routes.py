"""
The routes of topics, as this client knows them.

However many callers want a topic's route at once, the name servers are asked once. The
route is cached; those in use are refreshed every 30 s, and sooner when a broker's
response shows that one is out of date, though never twice within half a second.

Source: ``MQClientInstance.updateTopicRouteInfoFromNameServer`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred, DeferredList, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.client.name_servers import NameServers
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import MASTER_ID, BrokerData, TopicRoute
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.route import GetRoute

#: Seconds in which the route of one topic is requested once at most.
QUIET = 0.5
#: How many topics are cached; beyond, the one unused longest is forgotten.
MAX_TOPICS = 4096
#: How many routes :meth:`RouteCache.refresh_all` requests in parallel.
PARALLEL = 16


class _Known(msgspec.Struct):
    """
    What is known of one topic.

    :ivar updated_at: when a name server said so, in seconds.
    :ivar watched: whether the route is refreshed periodically.
    """

    route: TopicRoute | None = None
    updated_at: float = float("-inf")
    watched: bool = False
    writable: list[MessageQueue] = []
    readable: list[MessageQueue] = []


class RouteCache:
    """
    Topic to route.

    :param translate: repairs addresses that brokers advertise and we cannot reach.
    :ivar on_change: called with (topic, route) whenever a route has changed.
    """

    _log = Logger()

    def __init__(
        self,
        name_servers: NameServers,
        clock: IReactorTime,
        *,
        timeout: float = 3.0,
        translate: Callable[[str], str] | None = None,
    ) -> None:
        self._name_servers = name_servers
        self._clock = clock
        self._timeout = timeout
        self._translate = translate
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._waiting: dict[str, list[Deferred[TopicRoute]]] = {}
        self._brokers: dict[str, dict[int, str]] = {}
        self.on_change: list[Callable[[str, TopicRoute], None]] = []

    # -- from the cache

    def get(self, topic: str) -> TopicRoute | None:
        """Give the route if it is cached."""
        known = self._known.get(topic)
        return None if known is None else known.route

    def writable(self, topic: str) -> list[MessageQueue]:
        """List the queues to write to, by broker name and queue id; maybe none."""
        known = self._known.get(topic)
        return [] if known is None else known.writable

    def readable(self, topic: str) -> list[MessageQueue]:
        """List the queues to read, by broker name and queue id; maybe none."""
        known = self._known.get(topic)
        return [] if known is None else known.readable

    @property
    def brokers(self) -> dict[str, dict[int, str]]:
        """Broker name to broker id to address, of all known routes."""
        return self._brokers

    def watch(self, topic: str) -> None:
        """Keep the topic's route fresh from now on."""
        self._entry(topic).watched = True

    # -- from the name servers

    def find(self, topic: str, refresh: bool = False) -> Deferred[TopicRoute]:
        """
        Give the route; request it if it is not cached.

        :param refresh: request it, unless that was done within :data:`QUIET` seconds.
        :returns: a Deferred of the caller's own. Fails with :class:`NoRouteError` or
            :class:`NameServerUnavailable`.
        """
        known = self._known.get(topic)
        if known is not None:
            recent = self._clock.seconds() - known.updated_at < QUIET
            if known.route is not None and (recent or not refresh):
                return succeed(known.route)
            if recent:
                return fail(NoRouteError(topic))
        waiting: Deferred[TopicRoute] = Deferred(lambda d: self._give_up(topic, d))
        together = self._waiting.get(topic)
        if together is None:
            self._waiting[topic] = [waiting]
            self._request(topic)
        else:
            together.append(waiting)
        return waiting

    def refresh_all(self) -> Deferred[None]:
        """Refresh all watched topics; fires when all is done, never fails."""
        topics = [topic for topic, known in self._known.items() if known.watched]
        return Deferred.fromCoroutine(self._refresh(topics))

    def is_missing(self, topic: str) -> bool:
        """Whether a name server has said that the topic has no route."""
        known = self._known.get(topic)
        return known is not None and known.route is None and known.updated_at >= 0

    def _entry(self, topic: str) -> _Known:
        """Find or make what is known of a topic; used last, forgotten last."""
        known = self._known.get(topic)
        if known is None:
            known = self._known[topic] = _Known()
            if len(self._known) > MAX_TOPICS:
                self._known.popitem(last=False)
                self._list_brokers()
        self._known.move_to_end(topic)
        return known

    def _give_up(self, topic: str, waiting: Deferred[TopicRoute]) -> None:
        """Wait no more; the response is for the others, and for the cache."""
        together = self._waiting.get(topic, [])
        if waiting in together:
            together.remove(waiting)

    def _request(self, topic: str) -> None:
        """Send one request for all who wait."""
        request = GetRoute(topic=topic, accept_standard_json_only=True)
        call = self._name_servers.call(request, self._timeout)
        call.addCallback(lambda response: self._update(topic, response))
        call.addErrback(lambda failure: self._not_found(topic, failure))
        call.addErrback(lambda f: self._fire(topic, f))

    def _update(self, topic: str, response: Response) -> None:
        """Cache a route, and notify those who wait and those who watch."""
        route = decode_route(response.body).canonical()
        if self._translate is not None:
            route = _translated(route, self._translate)
        known = self._entry(topic)
        known.updated_at = self._clock.seconds()
        changed = route != known.route
        if changed:
            known.route = route
            known.writable = route.writable(topic)
            known.readable = route.readable(topic)
            self._list_brokers()
        self._fire(topic, route)
        if changed:
            self._notify(topic, route)

    def _notify(self, topic: str, route: TopicRoute) -> None:
        """Call the listeners, whatever one of them may raise."""
        for callback in list(self.on_change):
            try:
                callback(topic, route)
            except Exception:
                self._log.failure("{topic}: a listener of routes failed", topic=topic)

    def _not_found(self, topic: str, failure: Failure) -> None:
        """
        Note that no route was found, or fail.

        A route that was known stays: a name server that has just started knows none.
        """
        error = failure.value
        unknown = (
            isinstance(error, BrokerError)
            and error.code == ResponseCode.TOPIC_NOT_EXIST
        )
        if not unknown:
            self._fire(topic, failure)
            return
        known = self._entry(topic)
        known.updated_at = self._clock.seconds()
        self._fire(topic, known.route or Failure(NoRouteError(topic)))

    def _fire(self, topic: str, outcome: TopicRoute | Failure) -> None:
        """Give each who waits the outcome."""
        for waiting in self._waiting.pop(topic, []):
            if isinstance(outcome, Failure):
                waiting.errback(outcome)
            else:
                waiting.callback(outcome)

    async def _refresh(self, topics: list[str]) -> None:
        """Request many routes, some in parallel; log what fails."""
        for start in range(0, len(topics), PARALLEL):
            some = topics[start : start + PARALLEL]
            found = [
                self.find(topic, refresh=True).addErrback(self._not_refreshed, topic)
                for topic in some
            ]
            await DeferredList(found)

    def _not_refreshed(self, failure: Failure, topic: str) -> None:
        """Log what failed, unless the topic just does not exist."""
        if not failure.check(NoRouteError):
            why = failure.getErrorMessage()
            self._log.warn("no new route of {topic}: {why}", topic=topic, why=why)

    def _list_brokers(self) -> None:
        """Collect the brokers of all routes; those in none are forgotten."""
        brokers: dict[str, dict[int, str]] = {}
        for known in self._known.values():
            if known.route is not None:
                for data in known.route.broker_datas:
                    brokers[data.broker_name] = data.broker_addrs
        self._brokers = brokers

    # -- brokers

    def address(
        self, broker_name: str, broker_id: int = MASTER_ID, any_broker: bool = False
    ) -> str | None:
        """
        Look a broker's address up.

        :param any_broker: take another broker of that name if that one is not there.
        """
        addresses = self._brokers.get(broker_name)
        if not addresses:
            return None
        found = addresses.get(broker_id)
        if found is None and broker_id != MASTER_ID:
            found = addresses.get(broker_id + 1)
        if found is None and any_broker:
            found = addresses[min(addresses)]
        return found


def _translated(route: TopicRoute, translate: Callable[[str], str]) -> TopicRoute:
    """Put other addresses into a route."""

    def reachable(data: BrokerData) -> BrokerData:
        addresses = {i: translate(a) for i, a in data.broker_addrs.items()}
        return msgspec.structs.replace(data, broker_addrs=addresses)

    datas = tuple(map(reachable, route.broker_datas))
    return msgspec.structs.replace(route, broker_datas=datas)
