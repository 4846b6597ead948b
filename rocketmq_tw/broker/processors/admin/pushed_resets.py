"""
Has the connected members of a group reset their offsets themselves.

So brokers did before release 5, and do with ``useServerSideResetOffset=false``. The
members are sent the offsets, and commit them. Clients of each language read another
form of the table.

======== ============================================================================
language form
======== ============================================================================
C++      a list of objects (``ResetOffsetBodyForC``)
others   a table with bare objects as keys, as Java and Go read it (``ResetOffsetBody``)
======== ============================================================================

In Apache RocketMQ all members get the form for C++ if the tool is written in it, and
none does otherwise.

Source: ``Broker2Client.resetOffset`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.broker.processors.admin.slices import QUEUES
from rocketmq_tw.broker.processors.admin.statuses import members_of
from rocketmq_tw.broker.tables.clients import Client, ClientTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.offsets import ResetOffsetBodyForC
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import (
    ResetConsumerClientOffset,
    ResetOffsets,
)

#: The language whose clients read a list.
_CPP = "CPP"
#: Bytes that are sent to members in one step.
AT_ONCE = 256 << 10
_EMPTY = b'"offsetTable":[]'


class PushedResets:
    """Sends offsets to the members of groups."""

    def __init__(self, clients: ClientTable) -> None:
        self._clients = clients

    def members(self, request: ResetOffsets) -> list[Client]:
        """
        Return who is to reset its offsets.

        :raises Refused: nobody is connected, or a member is too old.
        """
        members = members_of(self._clients, request.group)
        if not members:
            raise Refused(
                ResponseCode.CONSUMER_NOT_ONLINE,
                f"Consumer not online, so can not reset offset, Group: {request.group}"
                f" Topic: {request.topic} Timestamp: {request.timestamp}",
            )
        return members

    def push(
        self,
        request: ResetOffsets,
        members: list[Client],
        table: Mapping[MessageQueue, int],
        body: bytes,
    ) -> Steps[None]:
        """
        Send members the offsets from which to continue.

        Who does not read what is sent to it gets nothing more: it will not reset.

        :param body: the table, encoded for all languages but C++.
        """
        other = self._request(request, body)
        of_cpp = other
        if any(each.language == _CPP for each in members):
            of_cpp = self._request(request, (yield from _encode_for_cpp(table)))
        sent = 0
        for member in members:
            if member.peer.is_write_blocked:
                continue
            pushed = of_cpp if member.language == _CPP else other
            member.peer.call_one_way(pushed)
            sent += len(pushed.body) + 1024
            if sent > AT_ONCE:
                sent = 0
                yield None

    def _request(self, request: ResetOffsets, body: bytes) -> ResetConsumerClientOffset:
        """Return what a member is sent."""
        return ResetConsumerClientOffset(
            request.topic,
            request.group,
            request.timestamp,
            request.is_force,
            body=body,
        )


def _encode_for_cpp(table: Mapping[MessageQueue, int]) -> Steps[bytes]:
    """Encode a table for clients in C++, some queues in one step."""
    entries: list[bytes] = []
    for some in parts_of(table.items(), QUEUES):
        listed = ResetOffsetBodyForC.of(dict(some)).encode()
        begin = listed.index(b"[") + 1
        entries.append(listed[begin : listed.rindex(b"]")])
        yield None
    return fill(ResetOffsetBodyForC().encode(), _EMPTY, entries)
