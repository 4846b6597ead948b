"""
What a slave refuses: messages, and changes of topics and groups, which its master makes
and which it copies from there.

Source: ``DefaultMessageStore``, ``SendMessageProcessor`` and ``AdminBrokerProcessor``
of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.admin import CleanUnusedTopics
from rocketmq_tw.wire.requests.group import (
    DeleteGroup,
    DeleteGroups,
    UpdateForbidden,
    UpdateGroup,
    UpdateGroups,
)
from rocketmq_tw.wire.requests.pull import LitePullMessage, PullMessage
from rocketmq_tw.wire.requests.recall import RecallMessage
from rocketmq_tw.wire.requests.reply import SendReplyMessage, SendReplyMessageV2
from rocketmq_tw.wire.requests.send import (
    SendBack,
    SendBatchMessage,
    SendMessage,
    SendMessageV2,
)
from rocketmq_tw.wire.requests.topic import (
    CreateTopic,
    CreateTopics,
    DeleteTopic,
    DeleteTopics,
)
from rocketmq_tw.wire.requests.transaction import (
    EndTransaction,
    ResumeCheckHalfMessage,
)

_SENDS = (
    SendMessage,
    SendMessageV2,
    SendBatchMessage,
    SendReplyMessage,
    SendReplyMessageV2,
)

_CHANGES: tuple[type[Request[Any]], ...] = (
    CreateTopic,
    CreateTopics,
    DeleteTopic,
    DeleteTopics,
    UpdateGroup,
    UpdateGroups,
    UpdateForbidden,
    DeleteGroup,
    DeleteGroups,
)


def refuse_writes(router: Router, host: str) -> None:
    """
    Replace the handlers of requests that only a master accepts.

    :param host: this slave's, for the remark.
    """
    no_sends = _refusing(
        ResponseCode.SERVICE_NOT_AVAILABLE,
        "service not available now: this broker is a slave, messages are sent to its"
        " master",
    )
    for send in _SENDS:
        router.on(send, no_sends)
    router.on(
        SendBack,
        _refusing(ResponseCode.SYSTEM_ERROR, f"no master available along with {host}"),
    )
    no_ends = _refusing(
        ResponseCode.SLAVE_NOT_AVAILABLE,
        "this broker is a slave: transactions are ended at its master",
    )
    for end in (EndTransaction, ResumeCheckHalfMessage):
        router.on(end, no_ends)
    router.on(
        RecallMessage,
        _refusing(
            ResponseCode.SLAVE_NOT_AVAILABLE,
            "recall failed, this broker is a slave: messages are recalled at its"
            " master",
        ),
    )
    no_changes = _refusing(
        ResponseCode.SYSTEM_ERROR,
        "Can't modify topic or subscription group from slave broker, please execute it"
        " from master broker.",
    )
    for change in _CHANGES:
        router.on(change, no_changes)
    # Messages of a new topic are here before the topic is, so no queue is unused.
    router.on(CleanUnusedTopics, lambda request, call: Response())


def refuse_pulls(router: Router) -> None:
    """Replace the handlers of pulls: without ``slaveReadEnable`` the master serves."""
    no_pulls = _refusing(
        ResponseCode.SYSTEM_BUSY,
        "system busy: this broker is a slave, and its slaveReadEnable is false",
    )
    for pull in (PullMessage, LitePullMessage):
        router.on(pull, no_pulls)


def _refusing(code: ResponseCode, why: str) -> Callable[[Any, Call], Response]:
    """Return a handler that refuses every request."""

    def refuse(_request: Any, _call: Call) -> Response:
        raise Refused(code, why)

    return refuse
