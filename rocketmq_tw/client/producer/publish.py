"""
Finds the queues to which a topic's messages can be sent, even before the topic exists.

The first message of a topic without a route is sent to a broker that holds the default
topic. That broker creates the new topic, with as many queues as the message requests.

Source: ``TopicPublishInfo`` and ``MQClientInstance.updateTopicRouteInfoFromNameServer``
of RocketMQ 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import NameServerUnavailable, NoRouteError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC

if TYPE_CHECKING:
    from rocketmq_tw.client.routes import RouteCache

#: How many queues a topic gets that is created by its first message.
DEFAULT_QUEUES: Final = 4


class PublishRoutes:
    """The queues that can be written to."""

    def __init__(self, routes: RouteCache) -> None:
        self._routes = routes

    def find(self, topic: str) -> Deferred[list[MessageQueue]]:
        """
        Return the writeable queues of a topic whose cached route has none.

        :returns: fails with :class:`NoRouteError`, :class:`NameServerUnavailable`.
        """
        # The topic may exist by now.
        found = self._routes.find(topic, refresh=True)

        def usable(_route: TopicRoute) -> list[MessageQueue]:
            self._routes.watch(topic)
            queues = self._routes.writable(topic)
            if not queues:
                raise NoRouteError(topic, "none of its queues can be written to")
            return queues

        return found.addCallbacks(usable, lambda f: self._from_template(topic, f))

    def _from_template(
        self, topic: str, failure: Failure
    ) -> Deferred[list[MessageQueue]]:
        """
        Return the queues that brokers with the default topic would create.

        While no name server responds, this is done only for topics that are known to
        have no route: a broker must not create a topic that others hold.
        """
        failure.trap(NoRouteError, NameServerUnavailable)
        is_down = failure.check(NameServerUnavailable)
        if is_down and not self._routes.is_missing(topic):
            return fail(failure)
        # Refreshed too, because nothing else keeps this route up to date.
        found = self._routes.find(AUTO_CREATE_TOPIC, refresh=True)
        found.addErrback(self._cached_template)

        def queues(route: TopicRoute) -> list[MessageQueue]:
            # Once created, the topic has its own route, which a refresh finds.
            self._routes.watch(topic)
            created = [
                msgspec.structs.replace(queue, topic=topic)
                for queue in route.writable(topic)
                if queue.queue_id < DEFAULT_QUEUES
            ]
            if not created:
                raise NoRouteError(topic)
            return created

        def none(failure: Failure) -> Failure:
            failure.trap(NoRouteError)
            raise NoRouteError(topic, "no broker has it, and none would create it")

        return found.addErrback(none).addCallback(queues)

    def _cached_template(self, failure: Failure) -> TopicRoute:
        """Return the cached route if no name server responds."""
        route = self._routes.get(AUTO_CREATE_TOPIC)
        if route is None or not failure.check(NameServerUnavailable):
            failure.raiseException()
        return route
