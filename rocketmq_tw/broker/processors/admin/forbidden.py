"""
Forbids groups to read topics, and allows it again.

Source: ``AdminBrokerProcessor.updateAndGetGroupForbidden`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.groups import GroupForbidden
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.group import UpdateForbidden


def install(broker: Broker, router: Router) -> None:
    """Register the handler."""
    groups, gauges = broker.tables.groups, broker.stats.gauges
    gauges["forbiddenTopics"] = lambda: groups.forbidden
    gauges["forbiddenTopicsRefused"] = lambda: groups.forbidden_refused
    ForbiddenProcessor(broker.tables.groups, broker.tables.topics).routes(router)


class ForbiddenProcessor:
    """Handles requests about what groups may not read."""

    def __init__(self, groups: GroupTable, topics: TopicTable) -> None:
        self._groups = groups
        self._topics = topics

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(UpdateForbidden, self.update)

    def update(self, request: UpdateForbidden, call: Call) -> Response:
        """
        Allow or forbid that a group reads a topic, and return which it is.

        Both have to be there, so that nothing is kept of others.

        :raises GroupNotExist: there is no such group.
        :raises TopicNotExist: there is no such topic.
        :raises TooManyForbidden: nothing is changed.
        """
        group, topic = request.group, request.topic
        self._topics.require(topic)
        self._groups.require(group)
        if request.readable is not None:
            self._groups.forbid(group, topic, not request.readable)
        state = GroupForbidden(group, self._groups.may_read(group, topic), topic)
        return Response(body=state.encode())
