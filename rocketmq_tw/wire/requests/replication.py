"""
Requests among the brokers of one name, and about their replication.

Source: ``NotifyMinBrokerIdChangeRequestHeader``, ``ExchangeHAInfoRequestHeader`` and
``AdminBrokerProcessor.getBrokerHaStatus`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class GetHaStatus(Request[Response]):
    """Ask for the state of replication; the body is an ``HARuntimeInfo``."""

    code: ClassVar[int] = RequestCode.GET_BROKER_HA_STATUS


class HaInfoResponse(Response):
    """The addresses of a master, and how far its log was on disk at its start."""

    master_ha_address: str | None = None
    master_flush_offset: int | None = None
    master_address: str | None = None


class ExchangeHaInfo(Request[HaInfoResponse]):
    """
    Tell a slave where its master is; without fields, ask a master for that.

    Both are part of the start of a broker with ``enableSlaveActingMaster``.
    """

    code: ClassVar[int] = RequestCode.EXCHANGE_BROKER_HA_INFO
    master_ha_address: str | None = None
    master_flush_offset: int | None = None
    master_address: str | None = None


class NotifyMinBrokerIdChange(Request[Response]):
    """
    Tell a broker that another one has the lowest id of its name now; one-way.

    :ivar offline_broker_addr: the broker that had it and is gone.
    :ivar ha_broker_addr: where slaves copy from, if the broker has just registered.
    """

    code: ClassVar[int] = RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE
    min_broker_id: int | None = None
    broker_name: str | None = None
    min_broker_addr: str | None = None
    offline_broker_addr: str | None = None
    ha_broker_addr: str | None = None


class GetTimerCheckPoint(Request[Response]):
    """Ask how far timed messages are delivered; the body is a ``TimerCheckPoint``."""

    code: ClassVar[int] = RequestCode.GET_TIMER_CHECK_POINT


class GetTimerMetrics(Request[Response]):
    """Ask how many timed messages wait; the body is a ``TimerMetricsTable``."""

    code: ClassVar[int] = RequestCode.GET_TIMER_METRICS


class GetAllRequestModes(Request[Response]):
    """Ask how groups consume; the body is a ``MessageRequestModeTable``."""

    code: ClassVar[int] = RequestCode.GET_ALL_MESSAGE_REQUEST_MODE
