"""
The request for how many messages came and went.

Source: ``ViewBrokerStatsDataRequestHeader`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class ViewStatistics(Request[Response]):
    """
    Ask for a counter; the body of the response is a ``BrokerStatsData``.

    :ivar stats_name: as ``TOPIC_PUT_NUMS``.
    :ivar stats_key: as a topic, or a topic and a group with ``@`` between them.
    """

    code: ClassVar[int] = RequestCode.VIEW_BROKER_STATS_DATA
    stats_name: str
    stats_key: str
