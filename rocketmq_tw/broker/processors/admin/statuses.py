"""
Asks the members of a group for their offsets, which they have not committed yet.

All are asked at the same time, and who does not respond is left out: in Apache RocketMQ
they are asked one after the other, each for up to five seconds.

Source: ``Broker2Client.getConsumeStatus`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from rocketmq_tw.broker.tables.clients import Client, ClientTable
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.wire.bodies.entries import encode_entry, fill
from rocketmq_tw.wire.bodies.offsets import GetConsumerStatusBody
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.request_json import SMALL
from rocketmq_tw.wire.requests.consumer import (
    GetConsumerStatus,
    GetConsumerStatusFromClient,
)

#: Seconds within which a member must respond, as in Apache RocketMQ.
TIMEOUT = 5.0
#: How many members are asked at the same time.
AT_ONCE = 200
#: Bytes of the responses of all members.
LARGEST = 8 << 20
#: ``V3_0_7_SNAPSHOT``: older clients do not know the request.
FIRST_VERSION = 28
_NOBODY = b'"consumerTable":{}'


class StatusProcessor:
    """
    Handles requests for the offsets that clients have.

    :param largest: bytes of what all members respond.
    """

    _log = Logger()

    def __init__(
        self, *, clients: ClientTable, pacer: Pacer, largest: int = LARGEST
    ) -> None:
        self._largest = largest
        self._clients = clients
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(GetConsumerStatus, self.status)

    def status(self, request: GetConsumerStatus, call: Call) -> Outcome:
        """
        Return the offsets of a topic, by the client ids of a group's members.

        :raises Refused: none is connected, or one is too old.
        """
        members = members_of(self._clients, request.group)
        if not members:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"No Any Consumer online in the consumer group: [{request.group}]",
            )
        wanted = request.client_addr
        if wanted:
            members = [each for each in members if each.client_id == wanted]
        return self._pacer.run(self._collect(request, members), call.peer)

    def _collect(
        self, request: GetConsumerStatus, members: list[Client]
    ) -> Steps[Response]:
        """Ask some members after others, and encode what they respond."""
        asked = GetConsumerStatusFromClient(request.topic, request.group)
        entries: list[bytes] = []
        size = 0
        for part in parts_of(members, AT_ONCE):
            some = [each for each in part if self._reads(each)]
            responses = yield self._ask_all(some, asked)
            for member, (succeeded, response) in zip(some, responses, strict=True):
                if not succeeded:
                    continue
                entry = self._entry(member, response)
                size += len(entry)
                if size > self._largest:
                    raise _too_large(request.group, self._largest)
                if entry:
                    entries.append(entry)
                yield None
        return Response(body=fill(GetConsumerStatusBody().encode(), _NOBODY, entries))

    def _reads(self, member: Client) -> bool:
        """Whether a member reads what is sent to it; else that would pile up."""
        if member.peer.is_write_blocked:
            self._left_out(member, "it does not read what is sent to it")
            return False
        return True

    def _ask_all(
        self, members: list[Client], asked: GetConsumerStatusFromClient
    ) -> Any:
        """Ask members; the result has a pair for each: if it responded, and what."""
        responses: list[Deferred[Response]] = []
        for member in members:
            response: Deferred[Response] = member.peer.call(asked, TIMEOUT)
            responses.append(response.addCallback(self._bounded, member))
        return DeferredList(responses, consumeErrors=True)

    def _bounded(self, response: Response, member: Client) -> Response:
        """Drop a body that is too large, as it would be kept until all respond."""
        if len(response.body) > SMALL:
            self._left_out(member, f"{len(response.body)} bytes")
            response.body = b""
        return response

    def _entry(self, member: Client, response: Response) -> bytes:
        """Encode the offsets of a member; nothing if they cannot be read."""
        if not response.body:
            return b""
        try:
            status = GetConsumerStatusBody.decode(response.body)
        except RocketMQError as error:
            return self._left_out(member, str(error))
        return encode_entry(member.client_id, status.message_queue_table)

    def _left_out(self, member: Client, why: str) -> bytes:
        """Log why the offsets of a member are left out."""
        self._log.warn(
            "the offsets of {client} at {address} are left out: {why}",
            client=log_safe(member.client_id),
            address=member.peer.address,
            why=log_safe(why),
        )
        return b""


def members_of(clients: ClientTable, group: str) -> list[Client]:
    """
    Return the connected members of a group.

    :raises Refused: one of them is too old for requests of brokers.
    """
    members = clients.consumers(group)
    old = next((each for each in members if each.version < FIRST_VERSION), None)
    if old is not None:
        raise Refused(
            ResponseCode.SYSTEM_ERROR,
            f"the client does not support this feature. version={old.version}, client"
            f" id {old.client_id}",
        )
    return members


def _too_large(group: str, largest: int) -> Refused:
    """Return the refusal of more than a response may have."""
    return Refused(
        ResponseCode.SYSTEM_ERROR,
        f"the members of {group} respond with more than {largest} bytes: name one of"
        " them in clientAddr",
    )
