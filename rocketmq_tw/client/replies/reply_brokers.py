"""
Registers a client with all brokers that may take replies to its requests.

A responder sends the reply to any broker of the cluster that stored the request, and
that broker pushes it to a client which sends it heartbeats. Java's client sends them
only to the brokers of the topics it uses, so that some replies do not reach it.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.client.heartbeats import Heartbeats
from rocketmq_tw.client.routes import RouteCache
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC, reply_topic
from rocketmq_tw.remoting.waiters import Waiters

#: How many topics are remembered; past it all are looked up again.
MAX_TOPICS = 4096


class ReplyBrokers:
    """Knows for which topics the client is registered."""

    _log = Logger()

    def __init__(self, routes: RouteCache, heartbeats: Heartbeats) -> None:
        self._routes = routes
        self._heartbeats = heartbeats
        self._ready: set[str] = set()
        #: Those who wait, by the topic that is being looked up.
        self._waiting: dict[str, Waiters] = {}

    def is_ready(self, topic: str) -> bool:
        """Whether replies to requests of a topic reach this client."""
        return topic in self._ready

    def prepare(self, topic: str) -> Deferred[None]:
        """
        Register with the brokers of the clusters that hold a topic.

        :returns: fires when each has had a heartbeat or could not be reached; never
            fails. Cancelling it stops waiting.
        """
        if topic in self._ready:
            return succeed(None)
        waiting = self._waiting.get(topic)
        if waiting is not None:
            return waiting.add()
        waiting = self._waiting[topic] = Waiters()
        ready = waiting.add()
        done = Deferred.fromCoroutine(self._prepare(topic))
        done.addErrback(self._not_prepared, topic)
        done.addCallback(lambda _: self._waiting.pop(topic).fire())
        return ready

    async def _prepare(self, topic: str) -> None:
        """Find the brokers, and send a heartbeat to all."""
        try:
            route = await self._routes.find(topic)
        except NoRouteError:
            # The request creates the topic, at brokers that have the default topic.
            await self._register(await self._routes.find(AUTO_CREATE_TOPIC))
            return
        await self._register(route)
        if len(self._ready) >= MAX_TOPICS:
            self._ready.clear()
        self._ready.add(topic)

    async def _register(self, route: TopicRoute) -> None:
        """Let all brokers of the clusters of a route know this client."""
        clusters = {data.cluster for data in route.broker_datas if data.cluster}
        for topic in sorted(map(reply_topic, clusters)):
            await self._routes.find(topic)
            self._routes.watch(topic)
        await self._heartbeats.send_all()

    def _not_prepared(self, failure: Failure, topic: str) -> None:
        """Log why replies may not come; the next request tries it again."""
        if not failure.check(RocketMQError):
            self._log.failure("registering for replies failed", failure)
            return
        self._log.warn(
            "replies to requests of {topic} may not come: {why}",
            topic=topic,
            why=failure.getErrorMessage(),
        )
