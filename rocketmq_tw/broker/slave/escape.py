"""
Sends messages that an acting slave must store to another master.

A slave that acts for its master (:mod:`rocketmq_tw.broker.slave.acting`) stores nothing
itself. With ``enableRemoteEscape`` it sends the delayed and timed messages that are
due, and the half messages that are pending, to a master of another name which has their
topic.

Source: ``EscapeBridge`` of RocketMQ 5.
"""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.name_servers import AskNameServers
from rocketmq_tw.broker.other_brokers import OtherBrokers, Outgoing, outgoing_of
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.message import DELAY, PGROUP
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.bodies.route import decode_route
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.route import GetRoute
from rocketmq_tw.wire.requests.send import SendMessageV2

#: The producer group of those of these messages that do not name theirs.
GROUP = "InnerProducerGroup"
#: Seconds for which a route is used.
ROUTE_AGE = 5.0
#: Topics whose routes are kept.
MAX_ROUTES = 256


class NoOtherMaster(RocketMQError):
    """No other master has the topic of a message."""

    def __str__(self) -> str:
        return f"no other master has the topic {self.args[0]}"


class Escape:
    """
    Sends messages to other masters.

    :param broker_name: the name whose queues are not used.
    """

    # The routes that were used, and until when they may be; and who waits for one.

    def __init__(
        self,
        *,
        reactor: Any,
        broker_name: str,
        ask_name_servers: AskNameServers,
        outgoing: Outgoing | None = None,
    ) -> None:
        self._reactor = reactor
        self._broker_name = broker_name
        self._ask_name_servers = ask_name_servers
        self._brokers = OtherBrokers(reactor, outgoing)
        self._routes: dict[str, tuple[TopicRoute, float]] = {}
        self._waiting: dict[str, list[Deferred[TopicRoute]]] = {}

    def put(self, draft: Draft, now: float) -> Deferred[None]:
        """
        Send a message.

        :returns: fires once it is stored; fails with :class:`NoOtherMaster`, or like
            a request.
        """
        return Deferred.fromCoroutine(self._put(draft))

    def stop(self) -> Deferred[None]:
        """Close all connections."""
        return self._brokers.close_all()

    async def _put(self, draft: Draft) -> None:
        """Choose a queue, and send the message there."""
        topic = draft.topic.decode()
        route = await self._find(topic)
        queues = [
            queue
            for queue in route.writable(topic)
            if queue.broker_name != self._broker_name
        ]
        if not queues:
            self._routes.pop(topic, None)
            raise NoOtherMaster(topic)
        queue = random.choice(queues)
        address = route.master_of(queue.broker_name)
        assert address is not None, "queues without a master are not writable"
        request = _request(draft, topic, queue.queue_id)
        await self._brokers.call(address, request)

    async def _find(self, topic: str) -> TopicRoute:
        """Return the route of a topic, which is asked for every few seconds."""
        route, until = self._routes.get(topic, (None, 0.0))
        if route is not None and self._reactor.seconds() <= until:
            return route
        waiting = self._waiting.get(topic)
        if waiting is not None:
            shared: Deferred[TopicRoute] = Deferred()
            waiting.append(shared)
            return await shared
        self._waiting[topic] = []
        try:
            route = await self._ask(topic)
        except Exception:
            failure = Failure()
            for each in self._waiting.pop(topic):
                each.errback(failure)
            raise
        for each in self._waiting.pop(topic):
            each.callback(route)
        return route

    async def _ask(self, topic: str) -> TopicRoute:
        """Ask for a route, and keep it."""
        request = GetRoute(topic=topic, accept_standard_json_only=True)
        response = await self._ask_name_servers(request)
        route = decode_route(response.body)
        if len(self._routes) >= MAX_ROUTES:
            del self._routes[next(iter(self._routes))]
        self._routes[topic] = route, self._reactor.seconds() + ROUTE_AGE
        return route


def make_escape(broker: Broker) -> Escape:
    """Return what sends messages of a slave to other masters."""
    escape = Escape(
        reactor=broker.clock,
        broker_name=broker.config.broker_name,
        ask_name_servers=broker.ask_name_servers,
        outgoing=outgoing_of(broker.config),
    )
    broker.lifecycle.on_stop.append(escape.stop)
    return escape


def _request(draft: Draft, topic: str, queue_id: int) -> SendMessageV2:
    """Return the send of a draft, which is not to be delayed once more."""
    kept = properties.decode(draft.properties.decode("utf-8", "replace"))
    kept.pop(DELAY, None)
    return SendMessageV2(
        producer_group=kept.get(PGROUP) or GROUP,
        topic=topic,
        default_topic=AUTO_CREATE_TOPIC,
        default_topic_queue_nums=4,
        queue_id=queue_id,
        sys_flag=draft.sys_flag & ~(sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6),
        born_timestamp=draft.born_time_ms,
        flag=draft.flag,
        properties=properties.encode(kept),
        reconsume_times=draft.reconsume_times,
        body=draft.body,
    )
