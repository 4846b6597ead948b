"""
Requests of administrators about consumer groups; brokers pass some on to clients.

Source: ``GetConsumeStatsRequestHeader``, ``GetConsumerRunningInfoRequestHeader``,
``ResetOffsetRequestHeader``, ``GetConsumerStatusRequestHeader`` and
``ConsumeMessageDirectlyResultRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response


class GetConsumeStats(Request[Response]):
    """
    Ask how far a group has read; the body is a ``ConsumeStats``.

    :ivar topic_list: topics separated by ``;``, instead of ``topic``.
    """

    code: ClassVar[int] = RequestCode.GET_CONSUME_STATS
    consumer_group: str
    topic: str | None = None
    topic_list: str | None = None


class GetBrokerConsumeStats(Request[Response]):
    """
    Ask how far all groups have read; the body is a ``ConsumeStatsList``.

    :ivar is_order: only topics whose messages are in order.
    """

    code: ClassVar[int] = RequestCode.GET_BROKER_CONSUME_STATS
    is_order: bool


class QueryConsumeTimeSpan(Request[Response]):
    """
    Ask from when to when the messages of a topic's queues are, and up to when a group
    has read them; the body is a ``QueryConsumeTimeSpanBody``.
    """

    code: ClassVar[int] = RequestCode.QUERY_CONSUME_TIME_SPAN
    topic: str
    group: str


class QueryCorrectionOffset(Request[Response]):
    """
    Ask for the least offsets that groups have committed in a topic.

    The body is a ``QueryCorrectionOffsetBody``.

    :ivar filter_groups: groups that do not count, separated by commas.
    :ivar compare_group: where this one is behind, the offset is the largest number.
    """

    code: ClassVar[int] = RequestCode.QUERY_CORRECTION_OFFSET
    compare_group: str
    topic: str
    filter_groups: str | None = None


class GetConsumerRunningInfo(Request[Response]):
    """
    Ask a consumer for its state; the body is a ``ConsumerRunningInfo``.

    The broker passes the request on to the client.
    """

    code: ClassVar[int] = RequestCode.GET_CONSUMER_RUNNING_INFO
    consumer_group: str
    client_id: str
    jstack_enable: bool | None = None


class ResetConsumerClientOffset(Request[Response]):
    """
    Broker to client, one-way: continue at other offsets.

    The body is a ``ResetOffsetBody``.

    :ivar timestamp: the time for which the offsets were looked up, in ms.
    :ivar is_force: whether offsets may advance as well as go back.
    """

    code: ClassVar[int] = RequestCode.RESET_CONSUMER_CLIENT_OFFSET
    topic: str
    group: str
    timestamp: int
    is_force: bool = True


class ResetOffsets(Request[Response]):
    """
    Ask a broker to let a group continue at other offsets; the response's body is a
    ``ResetOffsetBody``.

    :ivar timestamp: the time from which to continue, in ms; below zero for the end.
    :ivar queue_id: -1 for all queues.
    :ivar offset: instead of a time, for one queue.
    """

    code: ClassVar[int] = RequestCode.INVOKE_BROKER_TO_RESET_OFFSET
    topic: str
    group: str
    timestamp: Int64
    is_force: bool = True
    queue_id: Int32 = -1
    offset: Int64 | None = None


class CloneGroupOffsets(Request[Response]):
    """
    Ask to copy the offsets of a group to another one.

    :ivar topic: absent or empty for all topics of the group.
    :ivar offline: copy also topics to which the group does not subscribe now.
    """

    code: ClassVar[int] = RequestCode.CLONE_GROUP_OFFSET
    src_group: str
    dest_group: str
    topic: str | None = None
    offline: bool = False


class GetConsumerStatusFromClient(Request[Response]):
    """
    Broker to client: ask for its offsets.

    The response has a ``GetConsumerStatusBody``.
    """

    code: ClassVar[int] = RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT
    topic: str
    group: str
    client_addr: str | None = None


class GetConsumerStatus(Request[Response]):
    """
    Ask a broker for the offsets of a group's members, as they are in the clients.

    The body of the response is a ``GetConsumerStatusBody``.

    :ivar client_addr: a client id, despite the name; absent or empty for all members.
    """

    code: ClassVar[int] = RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS
    topic: str
    group: str
    client_addr: str | None = None


class ConsumeMessageDirectly(Request[Response]):
    """
    Let a consumer's handler consume a message, and ask for the result.

    The broker passes the request on to the client, with the message's record as body.
    The response's body is a ``ConsumeMessageDirectlyResult``.

    :ivar msg_id: an offset id; the broker reads the message there.
    :ivar topic_sys_flag: with the next one, what the broker knows of both.
    """

    code: ClassVar[int] = RequestCode.CONSUME_MESSAGE_DIRECTLY
    consumer_group: str
    client_id: str | None = None
    msg_id: str | None = None
    broker_name: str | None = None
    topic: str | None = None
    topic_sys_flag: Int32 | None = None
    group_sys_flag: Int32 | None = None
