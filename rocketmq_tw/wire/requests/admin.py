"""
Requests about a broker as a whole.

Source: ``AdminBrokerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class GetRuntimeInfo(Request[Response]):
    """Ask for the broker's statistics; the body is a ``KVTable``."""

    code: ClassVar[int] = RequestCode.GET_BROKER_RUNTIME_INFO


class BrokerConfigResponse(Response):
    """The version of the settings, as JSON text."""

    version: str


class UpdateBrokerConfig(Request[Response]):
    """Ask to change settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.UPDATE_BROKER_CONFIG


class GetBrokerConfig(Request[BrokerConfigResponse]):
    """Ask for the settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.GET_BROKER_CONFIG
