"""
Requests of administrators about consumer groups.

Source: ``GetConsumeStatsRequestHeader``, ``GetConsumerRunningInfoRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class GetConsumeStats(Request[Response]):
    """
    Ask how far a group has read; the body is a ``ConsumeStats``.

    :ivar topic_list: topics separated by ``;``, instead of ``topic``.
    """

    code: ClassVar[int] = RequestCode.GET_CONSUME_STATS
    consumer_group: str
    topic: str | None = None
    topic_list: str | None = None


class GetConsumerRunningInfo(Request[Response]):
    """
    Ask a consumer for its state; the body is a ``ConsumerRunningInfo``.

    The broker passes the request on to the client.
    """

    code: ClassVar[int] = RequestCode.GET_CONSUMER_RUNNING_INFO
    consumer_group: str
    client_id: str
    jstack_enable: bool | None = None
