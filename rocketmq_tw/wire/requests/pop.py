"""
Pop: messages are handed out for a time, and acknowledged one by one.

Source: ``PopMessageRequestHeader``, ``PopMessageResponseHeader``,
``AckMessageRequestHeader``, ``ChangeInvisibleTimeRequestHeader``,
``NotificationRequestHeader``, ``PollingInfoRequestHeader``,
``PeekMessageRequestHeader`` and their responses; the texts in them are in
:mod:`rocketmq_tw.wire.receipts`.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response

#: Values of ``init_mode``: where a group begins that has committed no offset.
FROM_MIN = 0
FROM_MAX = 1
#: As a queue id: all queues of the topic.
ALL_QUEUES = -1

#: Found, not found, too many wait, nothing came in time.
POPPED = frozenset({0, 19, 209, 210})


class PopResponse(Response):
    """
    The result of a pop; the body is a sequence of records.

    :ivar pop_time: when the messages were handed out, in ms since the epoch.
    :ivar invisible_time: for how long nobody else gets them, in ms.
    :ivar revive_qid: the queue of the revive log that has the check points.
    :ivar rest_num: how many more messages there are.
    """

    pop_time: Int64 = 0
    invisible_time: Int64 = 0
    revive_qid: Int32 = 0
    rest_num: Int64 = 0
    start_offset_info: str | None = None
    msg_offset_info: str | None = None
    order_count_info: str | None = None


class PopMessage(Request[PopResponse]):
    """
    Ask for messages that nobody else gets for a time.

    :ivar poll_time: how long the broker may hold the request, in ms.
    :ivar born_time: when the client sent it, in ms since the epoch; 0 is not said.
    :ivar exp_type: ``TAG`` or ``SQL92``, of the expression ``exp``.
    :ivar attempt_id: the same when an orderly pop is sent again.
    """

    code: ClassVar[int] = RequestCode.POP_MESSAGE
    accepted: ClassVar[frozenset[int]] = POPPED
    consumer_group: str
    topic: str
    queue_id: Int32
    max_msg_nums: Int32
    invisible_time: Int64
    poll_time: Int64
    born_time: Int64 = 0
    init_mode: Int32 = FROM_MIN
    exp_type: str | None = None
    exp: str | None = None
    order: bool = False
    attempt_id: str | None = None


class AckMessage(Request[Response]):
    """
    Acknowledge one message.

    :ivar topic: where the broker read it: maybe a retry topic.
    :ivar extra_info: the receipt.
    """

    code: ClassVar[int] = RequestCode.ACK_MESSAGE
    consumer_group: str
    topic: str
    queue_id: Int32
    extra_info: str
    offset: Int64
    lite_topic: str | None = None


class BatchAckMessage(Request[Response]):
    """Acknowledge many messages; which, is in the body."""

    code: ClassVar[int] = RequestCode.BATCH_ACK_MESSAGE


class PeekMessage(Request[PopResponse]):
    """
    Ask which messages a pop would find; nothing is handed out.

    The response has no receipts, only ``rest_num`` besides the records.
    """

    code: ClassVar[int] = RequestCode.PEEK_MESSAGE
    accepted: ClassVar[frozenset[int]] = frozenset({0, 19})
    topic: str
    queue_id: Int32
    max_msg_nums: Int32
    consumer_group: str


class PopRollback(Request[Response]):
    """
    Ask a broker to write what is in flight into the revive log, where others read it.

    In this package it is nowhere else, so there is nothing to do.
    """

    code: ClassVar[int] = RequestCode.POP_ROLLBACK


class ChangeInvisibleTimeResponse(Response):
    """What the next receipt of the message has; zeros if nothing was changed."""

    pop_time: Int64 = 0
    invisible_time: Int64 = 0
    revive_qid: Int32 = 0


class ChangeInvisibleTime(Request[ChangeInvisibleTimeResponse]):
    """
    Let a message stay invisible for a time from now on; its old receipt ends.

    :ivar suspend: the redelivery does not count as one.
    """

    code: ClassVar[int] = RequestCode.CHANGE_MESSAGE_INVISIBLETIME
    consumer_group: str
    topic: str
    queue_id: Int32
    extra_info: str
    offset: Int64
    invisible_time: Int64
    lite_topic: str | None = None
    suspend: bool = False


class NotificationResponse(Response):
    """Whether there are messages, and whether too many requests wait for some."""

    has_msg: bool = False
    polling_full: bool = False


class Notification(Request[NotificationResponse]):
    """Ask whether a pop would find messages; wait for some."""

    code: ClassVar[int] = RequestCode.NOTIFICATION
    consumer_group: str
    topic: str
    queue_id: Int32
    poll_time: Int64
    born_time: Int64 = 0
    order: bool = False
    attempt_id: str | None = None
    exp_type: str | None = None
    exp: str | None = None


class PollingInfoResponse(Response):
    """How many requests wait."""

    polling_num: Int32 = 0


class PollingInfo(Request[PollingInfoResponse]):
    """Ask how many pops of a group wait at a queue."""

    code: ClassVar[int] = RequestCode.POLLING_INFO
    consumer_group: str
    topic: str
    queue_id: Int32
