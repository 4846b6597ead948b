"""
Assignments made by the broker, and how groups fetch a topic's messages.

Source: ``QueryAssignmentProcessor`` of RocketMQ 5; bodies in
:mod:`rocketmq_tw.wire.bodies.pop`.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class QueryAssignment(Request[Response]):
    """Ask which queues of a topic a member of a group has."""

    code: ClassVar[int] = RequestCode.QUERY_ASSIGNMENT


class SetMessageRequestMode(Request[Response]):
    """Set whether a group pulls the messages of a topic, or pops them."""

    code: ClassVar[int] = RequestCode.SET_MESSAGE_REQUEST_MODE
