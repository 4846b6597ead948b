"""
Requests about a broker as a whole.

Source: ``AdminBrokerProcessor`` and ``ViewBrokerStatsDataRequestHeader`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class GetRuntimeInfo(Request[Response]):
    """Ask for the broker's statistics; the body is a ``KVTable``."""

    code: ClassVar[int] = RequestCode.GET_BROKER_RUNTIME_INFO


class SwitchTimerEngine(Request[Response]):
    """
    Ask for an engine of timed messages.

    :ivar engine: ``F`` for the wheel, ``R`` for RocksDB.
    """

    code: ClassVar[int] = RequestCode.SWITCH_TIMER_ENGINE
    engine: str = msgspec.field(name="E_T")


class BrokerConfigResponse(Response):
    """The version of the settings, as JSON text."""

    version: str


class UpdateBrokerConfig(Request[Response]):
    """Ask to change settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.UPDATE_BROKER_CONFIG


class GetBrokerConfig(Request[BrokerConfigResponse]):
    """Ask for the settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.GET_BROKER_CONFIG


class ViewStatistics(Request[Response]):
    """
    Ask for a counter; the body of the response is a ``BrokerStatsData``.

    :ivar stats_name: as ``TOPIC_PUT_NUMS``.
    :ivar stats_key: as a topic, or a topic and a group with ``@`` between them.
    """

    code: ClassVar[int] = RequestCode.VIEW_BROKER_STATS_DATA
    stats_name: str
    stats_key: str


class CleanQueues(Request[Response]):
    """Remove the files of queues whose messages have all been deleted."""

    code: ClassVar[int] = RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE


class CleanUnusedTopics(Request[Response]):
    """Remove the queues of topics that do not exist."""

    code: ClassVar[int] = RequestCode.CLEAN_UNUSED_TOPIC


class DeleteExpiredLog(Request[Response]):
    """Delete the files of the commit log that are old enough, at any hour."""

    code: ClassVar[int] = RequestCode.DELETE_EXPIRED_COMMITLOG
