"""
Refuses requests, and writes down whom: at most a line a minute for each host.

A refusal has the code ``NO_PERMISSION`` and a remark without secrets.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger, LogLevel

from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request


class Denials:
    """
    The refusals of a server.

    :param peers: limits what is logged.
    :ivar count: how many requests were refused.
    """

    _log = Logger()

    def __init__(self, peers: PeerLog) -> None:
        self._peers = peers
        self.count = 0

    def refuse(self, request: Request[Any], peer: str, error: AccessDenied) -> Refused:
        """Return what refuses a request; the text of the error is its remark."""
        self.count += 1
        why = str(error)
        self._peers.emit(
            self._log,
            LogLevel.warn,
            peer,
            "refused {request} from {peer}: {why}",
            request=type(request).__name__,
            peer=peer,
            why=log_safe(why, 300),
        )
        return Refused(ResponseCode.NO_PERMISSION, why)
