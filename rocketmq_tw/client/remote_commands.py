"""
Commands of administrators, which brokers pass on to the consumers of a client.

An administrator's tool can ask what a consumer does, let it consume one message, and
let it continue at other offsets.

Source: ``ClientRemotingProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.offsets import GetConsumerStatusBody, ResetOffsetBody
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumerRunningInfo,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerRunningInfo,
    GetConsumerStatusFromClient,
    ResetConsumerClientOffset,
)


class RemoteControl(Protocol):
    """The methods of a consumer that administrators can call."""

    def reset_offsets(self, topic: str, offsets: Mapping[MessageQueue, int]) -> None:
        """Continue the assigned queues of a topic at these offsets."""

    def offsets_of(self, topic: str) -> dict[MessageQueue, int]:
        """Return the offsets of the assigned queues of a topic."""

    def running_info(self, stacks: bool) -> ConsumerRunningInfo:
        """
        Describe what the consumer does.

        :param stacks: include what the threads are doing.
        """

    def consume_directly(
        self, record: bytes, broker_name: str
    ) -> Deferred[ConsumeMessageDirectlyResult]:
        """Let the handler consume one message; nothing is committed."""


class RemoteCommands:
    """
    Handles the commands for the consumers of one client.

    :param router: handles the requests of brokers.
    """

    _log = Logger()

    def __init__(self, router: Router) -> None:
        self._controls: dict[str, RemoteControl] = {}
        router.on(ResetConsumerClientOffset, self._reset)
        router.on(GetConsumerStatusFromClient, self._status)
        router.on(GetConsumerRunningInfo, self._running_info)
        router.on(ConsumeMessageDirectly, self._consume)

    def add(self, group: str, control: RemoteControl) -> None:
        """Let administrators command the consumer of a group."""
        self._controls[group] = control

    def remove(self, group: str) -> None:
        """The group's consumer has stopped."""
        self._controls.pop(group, None)

    def _of(self, group: str) -> RemoteControl:
        """
        Return the consumer of a group.

        :raises Refused: this client has none.
        """
        try:
            return self._controls[group]
        except KeyError:
            why = f'this client has no consumer in the group "{group}"'
            raise Refused(ResponseCode.SYSTEM_ERROR, why) from None

    def _reset(self, request: ResetConsumerClientOffset, _call: Call) -> None:
        """Reset offsets; the request has no response."""
        control = self._controls.get(request.group)
        if control is None:
            self._log.debug("no consumer to reset in {group}", group=request.group)
            return
        offsets = ResetOffsetBody.decode(request.body).offset_table
        control.reset_offsets(request.topic, offsets)

    def _status(self, request: GetConsumerStatusFromClient, _call: Call) -> Response:
        """Return the offsets of a topic."""
        offsets = self._of(request.group).offsets_of(request.topic)
        return Response(
            body=GetConsumerStatusBody(message_queue_table=offsets).encode()
        )

    def _running_info(self, request: GetConsumerRunningInfo, _call: Call) -> Response:
        """Return what the consumer does."""
        control = self._of(request.consumer_group)
        info = control.running_info(bool(request.jstack_enable))
        return Response(body=info.encode())

    def _consume(
        self, request: ConsumeMessageDirectly, _call: Call
    ) -> Deferred[Response]:
        """Let the handler consume the message in the body."""
        control = self._of(request.consumer_group)
        consumed = control.consume_directly(request.body, request.broker_name or "")
        return consumed.addCallback(lambda result: Response(body=result.encode()))
