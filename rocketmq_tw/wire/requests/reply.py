"""
Requests that carry replies: from the responder to a broker, and on to the requester.

What asks is an ordinary message. Its properties name it (``CORRELATION_ID``) and the
client that waits (``REPLY_TO_CLIENT``); the reply has both, too.

Source: ``ReplyMessageRequestHeader`` and ``SendMessageRequestHeader`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Int32, Int64, Request, Response
from rocketmq_tw.wire.requests.send import SendMessage, SendMessageV2, SendResponse


class SendReplyMessage(SendMessage, Request[SendResponse]):
    """Pass a reply on to the client that waits for it; with full field names."""

    code: ClassVar[int] = RequestCode.SEND_REPLY_MESSAGE


class SendReplyMessageV2(SendMessageV2, Request[SendResponse]):
    """Pass a reply on to the client that waits for it; with one-letter names."""

    code: ClassVar[int] = RequestCode.SEND_REPLY_MESSAGE_V2


#: A reply, with either set of names.
ReplyFields = SendReplyMessage | SendReplyMessageV2


class PushReplyMessage(Request[Response], kw_only=True):
    """
    Hand a reply to the client that waits for it.

    :ivar producer_group: the responder's.
    :ivar born_host: the responder, as ``host:port``; ``store_host`` is the broker.
    :ivar store_timestamp: when the broker received the reply, in ms.
    """

    code: ClassVar[int] = RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT
    producer_group: str
    topic: str
    default_topic: str
    default_topic_queue_nums: Int32
    queue_id: Int32
    sys_flag: Int32
    born_timestamp: Int64
    flag: Int32
    properties: str | None = None
    reconsume_times: Int32 | None = None
    unit_mode: bool | None = None
    born_host: str
    store_host: str
    store_timestamp: Int64
