"""
Calls that wait for a response, which has the same ``opaque``.

For each connection the caller numbers its requests from 1 to 2^31 - 1, then from 1
again.

Source: ``NettyRemotingAbstract.responseTable`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.remoting.errors import BrokerError, ConnectionLost, TooManyRequests
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import Request, from_ext

_OPAQUE_END = (1 << 31) - 1


class PendingCalls:
    """
    The calls of one connection.

    :param limit: how many may wait for responses.
    :param last_opaque: the number before the first one used.
    """

    __slots__ = ("_limit", "_opaque", "_waiting")

    def __init__(self, limit: int = 65535, last_opaque: int = 0) -> None:
        self._limit = limit
        self._waiting: dict[int, tuple[Deferred[Any], Request[Any]]] = {}
        self._opaque = last_opaque

    def next_opaque(self) -> int:
        """
        Return the next number; never 0, which some peers treat as a missing number.
        """
        while True:
            self._opaque = self._opaque % _OPAQUE_END + 1
            if self._opaque not in self._waiting:
                return self._opaque

    def add(self, opaque: int, request: Request[Any], address: str) -> Deferred[Any]:
        """
        Register a request that is about to be sent.

        :returns: fires with the response. When cancelled, a late response is dropped.
        :raises TooManyRequests: the limit is reached.
        """
        if len(self._waiting) >= self._limit:
            why = f"{len(self._waiting)} requests wait for responses"
            raise TooManyRequests(address, why)
        response: Deferred[Any] = Deferred(lambda _: self._forget(opaque))
        self._waiting[opaque] = (response, request)
        return response

    def awaits(self, command: Command) -> bool:
        """Whether this is the response to a call that waits."""
        return command.is_response and command.opaque in self._waiting

    def resolve(self, command: Command, address: str) -> None:
        """Fire the call that this responds to; ignore a response without one."""
        found = self._waiting.pop(command.opaque, None)  # type: ignore[arg-type]
        if found is None:
            return
        waiting, request = found
        if command.code not in request.accepted:
            name = type(request).__name__
            error = BrokerError(command.code, command.remark, address, name)
            waiting.errback(error)
            return
        try:
            response = from_ext(request.response_type, command.fields)
        except Exception:
            waiting.errback(Failure())
            return
        response.body = command.body
        response.status = command.code
        response.remark = command.remark
        waiting.callback(response)

    def fail_all(self, address: str, reason: str) -> None:
        """Fail all waiting calls: the connection was lost."""
        pending, self._waiting = self._waiting, {}
        for waiting, request in pending.values():
            if waiting.called:
                continue  # it was cancelled because another call failed
            name = type(request).__name__
            lost = f"the connection was lost before {name} had a response"
            waiting.errback(ConnectionLost(address, f"{lost} ({reason})"))

    def _forget(self, opaque: int) -> None:
        """Remove a call that was cancelled."""
        self._waiting.pop(opaque, None)
