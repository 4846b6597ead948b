"""
The request that cancels a timed message before it is delivered.

Source: ``RecallMessageRequestHeader`` and ``RecallMessageResponseHeader`` of RocketMQ
5.3.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class RecallResponse(Response):
    """
    The message is cancelled, if it waits.

    :ivar msg_id: its unique key.
    """

    msg_id: str
    region: str | None = msgspec.field(name="MSG_REGION", default=None)


class RecallMessage(Request[RecallResponse]):
    """
    Cancel a timed message.

    :ivar recall_handle: from the response to its send: see
        :mod:`rocketmq_tw.wire.recall`.
    """

    code: ClassVar[int] = RequestCode.RECALL_MESSAGE
    topic: str
    recall_handle: str
    producer_group: str | None = None
    broker_name: str | None = msgspec.field(name="bname", default=None)
