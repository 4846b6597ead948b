"""
Passes requests of administrators on to the members of consumer groups.

Source: ``AdminBrokerProcessor.callConsumer`` and ``consumeMessageDirectly``, and
``Broker2Client.getConsumeStatus`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.named_record import record_of
from rocketmq_tw.broker.processors.admin.statuses import StatusProcessor
from rocketmq_tw.broker.tables.clients import Client, ClientTable
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.msgid import parse_offset_message_id
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import BrokerError, Refused, TransportError
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerRunningInfo,
)

#: Seconds within which a client must respond, as in Apache RocketMQ.
TIMEOUT = 10.0
#: ``V3_1_8``: older clients know neither request.
FIRST_VERSION_THAT_REPORTS = 62

Relayed = GetConsumerRunningInfo | ConsumeMessageDirectly


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    tables = broker.tables
    RelayProcessor(
        clients=tables.clients,
        topics=tables.topics,
        groups=tables.groups,
        store=broker.store,
        broker_name=broker.config.broker_name,
    ).routes(router)
    StatusProcessor(clients=tables.clients, pacer=broker.pacer).routes(router)


class RelayProcessor:
    """
    Passes requests on to one member of a group, and its response back.

    :param broker_name: a client that consumes a message is given it.
    """

    def __init__(
        self,
        *,
        clients: ClientTable,
        topics: TopicTable,
        groups: GroupTable,
        store: IMessageStore,
        broker_name: str,
    ) -> None:
        self._clients = clients
        self._topics = topics
        self._groups = groups
        self._store = store
        self._broker_name = broker_name

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetConsumerRunningInfo, self.running_info)
        router.on(ConsumeMessageDirectly, self.consume_directly)

    def running_info(
        self, request: GetConsumerRunningInfo, call: Call
    ) -> Deferred[Response]:
        """
        Request the report of a group member and return its response.

        :raises Refused: it is not connected, or too old to report.
        """
        return _relay(self._member(request), request)

    def consume_directly(
        self, request: ConsumeMessageDirectly, call: Call
    ) -> Deferred[Response]:
        """
        Let a group member consume a message and return the result.

        :raises Refused: it is not connected or too old, or there is no such message.
        """
        member = self._member(request)
        offset = _offset_of(request.msg_id)
        record = record_of(self._store, offset, request.topic or "", call)
        relayed = then(record, lambda data: self._with_message(request, data))
        if isinstance(relayed, Deferred):
            return relayed.addCallback(lambda asked: _relay(member, asked))
        return _relay(member, relayed)

    def _with_message(
        self, request: ConsumeMessageDirectly, record: bytes
    ) -> ConsumeMessageDirectly:
        """Return what the client is asked, with the message and what it needs."""
        topic = self._topics.get(request.topic or "")
        group = self._groups.get(request.consumer_group)
        return ConsumeMessageDirectly(
            consumer_group=request.consumer_group,
            client_id=request.client_id,
            msg_id=request.msg_id,
            broker_name=self._broker_name,
            topic=request.topic,
            topic_sys_flag=None if topic is None else topic.topic_sys_flag,
            group_sys_flag=None if group is None else group.group_sys_flag,
            body=record,
        )

    def _member(self, request: Relayed) -> Client:
        """
        Return the member of a group that a request names by its client id.

        :raises Refused: it cannot be asked.
        """
        group, client_id = request.consumer_group, request.client_id
        members = self._clients.consumers(group)
        member = next((each for each in members if each.client_id == client_id), None)
        if member is None:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{group}> <{client_id}> not online",
            )
        if member.version < FIRST_VERSION_THAT_REPORTS:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{client_id}> is too old to report what it does",
            )
        if member.peer.is_write_blocked:
            # Its response would be late, and what is sent to it would pile up.
            raise Refused(
                ResponseCode.CONSUME_MSG_TIMEOUT,
                f"consumer <{group}> <{client_id}> does not read what is sent to it",
            )
        return member


def _relay(member: Client, request: Relayed) -> Deferred[Response]:
    """Ask a member and return its response."""
    response: Deferred[Response] = member.peer.call(request, TIMEOUT)
    return response.addErrback(_passed_on, request)


def _passed_on(failure: Failure, request: Relayed) -> Any:
    """Return a client's error response, or refuse because it did not respond."""
    error = failure.value
    if isinstance(error, BrokerError):
        return Response(status=error.code, remark=error.remark)
    failure.trap(TransportError)
    raise Refused(
        ResponseCode.CONSUME_MSG_TIMEOUT,
        f"consumer <{request.consumer_group}> <{request.client_id}> did not respond: "
        f"{error}",
    )


def _offset_of(message_id: str | None) -> int:
    """Return the commit log offset in an offset id. :raises Refused: it is not one."""
    try:
        _, _, offset = parse_offset_message_id(message_id or "")
    except ValueError as error:
        raise Refused(ResponseCode.SYSTEM_ERROR, f"msgId: {error}") from None
    return offset
