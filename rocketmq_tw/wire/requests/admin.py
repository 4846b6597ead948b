"""
Looking at a broker as a whole.

Source: ``AdminBrokerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Answer, Request


class GetRuntimeInfo(Request[Answer]):
    """Ask for figures; the body is a ``KVTable``."""

    code: ClassVar[int] = RequestCode.GET_BROKER_RUNTIME_INFO


class BrokerConfigAnswer(Answer):
    """The version of the settings, as JSON text."""

    version: str


class GetBrokerConfig(Request[BrokerConfigAnswer]):
    """Ask for the settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.GET_BROKER_CONFIG
