"""
The cached routes of topics.

If many callers want the route of a topic at once, the name servers are asked once.
Routes in use are refreshed every 30 s, and earlier when a broker's response shows that
one is outdated, but at most twice a second. A topic that is created by its first
message has no route before: it is requested once a broker has stored that message.

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

#: Seconds within which the route of one topic is requested at most once.
QUIET = 0.5
#: Seconds between requests for the route of a topic that a broker has just created.
CREATION_QUIET = 0.02
#: How many topics are cached; beyond that the least recently used is removed.
MAX_TOPICS = 4096
#: How many routes :meth:`RouteCache.refresh_all` requests in parallel.
PARALLEL = 16


class _Known(msgspec.Struct):
    """
    The cache entry of one topic.

    :ivar updated_at: when a name server last responded, in seconds.
    :ivar watched: whether the route is refreshed periodically.
    :ivar exists: whether a broker has stored a message of the topic.
    """

    route: TopicRoute | None = None
    updated_at: float = float("-inf")
    watched: bool = False
    exists: bool = False
    writable: list[MessageQueue] = []
    readable: list[MessageQueue] = []


class RouteCache:
    """
    Maps topics to routes.

    :param translate: replaces advertised addresses that this client cannot reach.
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
        """Return the cached route; None if there is none."""
        known = self._known.get(topic)
        return None if known is None else known.route

    def writable(self, topic: str) -> list[MessageQueue]:
        """
        Return the writeable queues, sorted by broker name and queue id; may be empty.
        """
        known = self._known.get(topic)
        return [] if known is None else known.writable

    def to_publish(self, topic: str) -> list[MessageQueue]:
        """Do as :meth:`writable`, and refresh the route periodically from now on."""
        known = self._known.get(topic)
        if known is None:
            return []
        known.watched = True
        return known.writable

    def readable(self, topic: str) -> list[MessageQueue]:
        """
        Return the readable queues, sorted by broker name and queue id; may be empty.
        """
        known = self._known.get(topic)
        return [] if known is None else known.readable

    @property
    def brokers(self) -> dict[str, dict[int, str]]:
        """Maps broker name to broker id to address, for all known routes."""
        return self._brokers

    def name_of_master(self, address: str) -> str | None:
        """Return the name of the broker whose master is there; None if none is."""
        for name, addresses in self._brokers.items():
            if addresses.get(MASTER_ID) == address:
                return name
        return None

    def awaits_master(self, topic: str) -> bool:
        """Whether the cached route has queues that only lack the master of a broker."""
        known = self._known.get(topic)
        return bool(known and known.route and known.route.awaits_master)

    def watch(self, topic: str) -> None:
        """Refresh the topic's route periodically from now on."""
        self._entry(topic).watched = True

    # -- from the name servers

    def find(self, topic: str, refresh: bool = False) -> Deferred[TopicRoute]:
        """
        Return the route; request it if it is not cached.

        :param refresh: request it, unless that was done within :data:`QUIET` seconds.
        :returns: a new Deferred for each caller. Fails with :class:`NoRouteError` or
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

    def created(self, topic: str) -> None:
        """
        Request the route of a topic of which a broker has stored a message, if it is
        not known: that message may have created the topic.
        """
        known = self._entry(topic)
        if known.route is not None or topic in self._waiting:
            return
        if known.exists and self._clock.seconds() - known.updated_at < CREATION_QUIET:
            return
        known.exists = True
        self._waiting[topic] = []
        self._request(topic)

    def refresh_all(self) -> Deferred[None]:
        """Refresh all watched topics; fires when that is done, never fails."""
        topics = [topic for topic, known in self._known.items() if known.watched]
        return Deferred.fromCoroutine(self._refresh(topics))

    def is_missing(self, topic: str) -> bool:
        """Whether a name server has said that the topic has no route."""
        known = self._known.get(topic)
        return known is not None and known.route is None and known.updated_at >= 0

    def _entry(self, topic: str) -> _Known:
        """Return the entry of a topic, creating it if needed, and mark it as used."""
        known = self._known.get(topic)
        if known is None:
            known = self._known[topic] = _Known()
            if len(self._known) > MAX_TOPICS:
                self._known.popitem(last=False)
                self._list_brokers()
        self._known.move_to_end(topic)
        return known

    def _give_up(self, topic: str, waiting: Deferred[TopicRoute]) -> None:
        """Stop waiting; the response is still for the others, and for the cache."""
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
        """Cache a route, and notify waiting callers and listeners."""
        route = decode_route(response.body).canonical()
        if self._translate is not None:
            route = _translated(route, self._translate)
        known = self._entry(topic)
        changed = route != known.route
        if changed:
            # Both may raise; the cached route is kept then.
            writable, readable = route.writable(topic), route.readable(topic)
            known.route, known.writable, known.readable = route, writable, readable
            self._list_brokers()
        known.updated_at = self._clock.seconds()
        self._fire(topic, route)
        if changed:
            self._notify(topic, route)

    def _notify(self, topic: str, route: TopicRoute) -> None:
        """Call the listeners; log their exceptions."""
        for callback in list(self.on_change):
            try:
                callback(topic, route)
            except Exception:
                self._log.failure("{topic}: a listener of routes failed", topic=topic)

    def _not_found(self, topic: str, failure: Failure) -> None:
        """
        Record that no route was found, or fail.

        A cached route is kept: a name server that has just started knows no routes.
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
        """Pass the outcome to all who wait."""
        for waiting in self._waiting.pop(topic, []):
            if waiting.called:
                continue  # a callback of one before it has cancelled it
            if isinstance(outcome, Failure):
                waiting.errback(outcome)
            else:
                waiting.callback(outcome)

    async def _refresh(self, topics: list[str]) -> None:
        """Request many routes, some in parallel; log failures."""
        for start in range(0, len(topics), PARALLEL):
            some = topics[start : start + PARALLEL]
            found = [
                self.find(topic, refresh=True).addErrback(self._not_refreshed, topic)
                for topic in some
            ]
            await DeferredList(found)

    def _not_refreshed(self, failure: Failure, topic: str) -> None:
        """Log the failure, unless the topic does not exist."""
        if not failure.check(NoRouteError):
            why = failure.getErrorMessage()
            self._log.warn(
                "the route of {topic} was not refreshed: {why}", topic=topic, why=why
            )

    def _list_brokers(self) -> None:
        """Collect the brokers of all routes; others are removed."""
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
        Return a broker's address; None if it is unknown.

        :param any_broker: accept another broker of that name if that one is unknown.
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
    """Return the route with translated addresses."""

    def reachable(data: BrokerData) -> BrokerData:
        addresses = {i: translate(a) for i, a in data.broker_addrs.items()}
        return msgspec.structs.replace(data, broker_addrs=addresses)

    datas = tuple(map(reachable, route.broker_datas))
    return msgspec.structs.replace(route, broker_datas=datas)
