"""
Looking at single messages.

Source: ``ViewMessageRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Answer, Request


class ViewMessage(Request[Answer]):
    """Ask for the record at a commit log offset; the answer's body is that record."""

    code: ClassVar[int] = RequestCode.VIEW_MESSAGE_BY_ID
    offset: int
    topic: str | None = None
