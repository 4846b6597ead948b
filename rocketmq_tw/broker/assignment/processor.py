"""
Handles questions for assignments, and sets how groups fetch messages.

Source: ``QueryAssignmentProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.assignment.allocation import (
    AVERAGE,
    STRATEGIES,
    popped_queues,
    pulled_queues,
)
from rocketmq_tw.broker.assignment.modes import Mode, RequestModes
from rocketmq_tw.broker.assignment.routes import QueueRoutes
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.pop import (
    MessageQueueAssignment,
    MessageRequestMode,
    QueryAssignmentRequestBody,
    QueryAssignmentResponseBody,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.assignment import (
    QueryAssignment,
    SetMessageRequestMode,
)
from rocketmq_tw.wire.requests.replication import GetAllRequestModes

#: Without a list a client keeps the queues that it has.
_KEEP = b"{}"


class AssignmentProcessor:
    """
    Handles requests about assignments.

    :param default: the mode where none was set.
    """

    def __init__(
        self,
        *,
        modes: RequestModes,
        routes: QueueRoutes,
        topics: TopicTable,
        groups: GroupTable,
        clients: ClientTable,
        default: Mode,
    ) -> None:
        self._modes = modes
        self._routes = routes
        self._topics = topics
        self._groups = groups
        self._clients = clients
        self._default = default

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(QueryAssignment, self.assignment)
        router.on(SetMessageRequestMode, self.set_mode)
        router.on(GetAllRequestModes, self.all_modes)

    def assignment(self, request: QueryAssignment, call: Call) -> Deferred[Any]:
        """
        Return the queues that a member of a group has.

        :raises BadField: the body does not say how the group consumes.
        """
        body = QueryAssignmentRequestBody.decode_request(request.body)
        if body.message_model is None:
            raise BadField("messageModel", "missing", "CLUSTERING or BROADCASTING")
        return Deferred.fromCoroutine(self._assignment(body))

    async def _assignment(self, body: QueryAssignmentRequestBody) -> Response:
        """Return the queues, once they are known."""
        queues = await self._routes.queues(body.topic)
        if queues is None:
            return Response(body=_KEEP)
        if body.message_model is MessageModel.BROADCASTING:
            return _response(queues, MessageRequestMode.PULL)
        strategy = body.strategy_name or AVERAGE
        members = sorted(self._clients.client_ids(body.consumer_group))
        if not members or strategy not in STRATEGIES:
            return Response(body=_KEEP)
        mode = self._mode(body.topic, body.consumer_group)
        if body.client_id not in members:
            return _response((), mode.mode)
        index, count = members.index(body.client_id), len(members)
        if mode.mode is MessageRequestMode.POP:
            shared = mode.pop_share_queue_num
            own = popped_queues(queues, index, count, strategy, shared)
        else:
            own = pulled_queues(queues, index, count, strategy)
        return _response(own, mode.mode)

    def _mode(self, topic: str, group: str) -> Mode:
        """Return how a group fetches the messages of a topic."""
        if is_retry(topic):
            return msgspec.structs.replace(self._default, mode=MessageRequestMode.PULL)
        return self._modes.get(topic, group) or self._default

    def set_mode(self, request: SetMessageRequestMode, call: Call) -> Response:
        """
        Set how a group fetches the messages of a topic.

        :raises Refused: it is a retry topic.
        :raises TopicNotExist: there is no such topic.
        :raises GroupNotExist: there is no such group.
        :raises TooManyRequestModes: no more are kept.
        """
        mode = Mode.decode_request(request.body)
        if is_retry(mode.topic):
            raise Refused(
                ResponseCode.NO_PERMISSION, "retry topic is not allowed to set mode"
            )
        self._topics.require(mode.topic)
        self._groups.require(mode.consumer_group)
        self._modes.set(mode)
        return Response()

    def all_modes(self, request: GetAllRequestModes, call: Call) -> Response:
        """Return all modes that were set, for slaves."""
        return Response(body=self._modes.encode())


def _response(queues: Sequence[MessageQueue], mode: MessageRequestMode) -> Response:
    """Return the response that lists some queues."""
    assigned = tuple([MessageQueueAssignment(each, mode) for each in queues])
    return Response(body=QueryAssignmentResponseBody(assigned).encode())
