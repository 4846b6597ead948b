"""
The guard of a broker with access control, before the handler of every request.

It asks who has sent the request (:class:`Checks`), and writes down whom it refused: at
most a line a minute for each host. A refusal has the code ``NO_PERMISSION`` and a
remark without secrets.

Source: ``AuthenticationPipeline``, ``AuthorizationPipeline`` and, of 4.9,
``PlainAccessValidator``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from twisted.logger import Logger, LogLevel

from rocketmq_tw.auth.addresses import Address, parse_address
from rocketmq_tw.auth.errors import AccessDenied
from rocketmq_tw.auth.policies import MAX_NAME
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog, host_of
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import NOT_USUAL, RemotingCommand
from rocketmq_tw.wire.fields import Ext, Request
from rocketmq_tw.wire.frame import JSON, Frame
from rocketmq_tw.wire.requests.send import SendMessageV2


class Checks(Protocol):
    """
    Knows users, and what they may do.

    :ivar version: another one after each change.
    """

    @property
    def version(self) -> int:
        """See above."""

    def authenticate(
        self, code: int, ext: Ext, body: bytes, address: Address | None
    ) -> str | None:
        """
        Return who has signed a request; None if it needs no signature.

        :raises AccessDenied: nobody has.
        """

    def authorize(
        self,
        user: str | None,
        request: Request[Any],
        host: str,
        address: Address | None,
    ) -> None:
        """:raises AccessDenied: the user may not send this request."""


#: Sends that are remembered as allowed, by user, topic and host; past that, none is.
MAX_ALLOWED = 8192

#: The user, the topic and the host.
_Allowed = tuple[str | None, str, str]

_SEND = int(SendMessageV2.code)
_decode = msgspec.json.Decoder(RemotingCommand[dict[str, str]], strict=False).decode


class AccessGuard:
    """
    Refuses requests that are not signed, or not permitted.

    :param peers: limits what is logged.
    :ivar refused: how many requests were refused.
    """

    _log = Logger()

    def __init__(self, checks: Checks, peers: PeerLog) -> None:
        self._checks = checks
        self._peers = peers
        self.refused = 0
        self._allowed: set[_Allowed] = set()
        self._version = checks.version

    def __call__(self, request: Request[Any], call: Call) -> None:
        """:raises Refused: the request is not permitted."""
        ext = call.ext()
        host = host_of(call.peer.address)
        address = parse_address(host)
        version = self._checks.version
        try:
            user = self._checks.authenticate(
                int(request.code), ext, request.body, address
            )
            call.principal = user
            self._checks.authorize(user, request, host, address)
        except AccessDenied as error:
            self.refused += 1
            self._write_down(request, call.peer.address, str(error))
            raise Refused(ResponseCode.NO_PERMISSION, str(error)) from None
        if isinstance(request, SendMessageV2) and int(request.code) == _SEND:
            self._remember(version, (user, request.topic, host))

    def judge(self, frames: Sequence[Frame], at: int, until: int, peer: Peer) -> int:
        """
        Return up to which frame plain sends are signed and allowed.

        Their signatures are checked; what their users may do is known from the first
        send to a topic, which comes the other way.
        """
        if self._version != self._checks.version:
            return at
        host = host_of(peer.address)
        address = parse_address(host)
        authenticate, allowed = self._checks.authenticate, self._allowed
        for index in range(at, until):
            kind, header, body = frames[index]
            try:
                command = _decode(header) if kind == JSON else None
                if command is None or command.code != _SEND:
                    return index
                ext = command.fields or {}
                user = authenticate(_SEND, ext, body, address)
            except (AccessDenied, *NOT_USUAL):
                return index
            if (user, ext.get("b", ""), host) not in allowed:
                return index
        return until

    def _remember(self, version: int, allowed: _Allowed) -> None:
        """
        Let further sends of a user to a topic take the lane.

        :param version: of the rules before they were asked; they may be replaced in a
            thread meanwhile.
        """
        if self._version != version or len(self._allowed) >= MAX_ALLOWED:
            self._allowed.clear()
            self._version = version
        if len(allowed[1]) <= MAX_NAME:
            self._allowed.add(allowed)

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows."""
        return {"accessRefused": lambda: self.refused}

    def _write_down(self, request: Request[Any], peer: str, why: str) -> None:
        """Log a refusal, at most one a minute for each host."""
        self._peers.emit(
            self._log,
            LogLevel.warn,
            peer,
            "refused {request} from {peer}: {why}",
            request=type(request).__name__,
            peer=peer,
            why=log_safe(why, 300),
        )
