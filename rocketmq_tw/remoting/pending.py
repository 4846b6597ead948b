"""
Calls that wait for a response, which has the same ``opaque``.

For each connection the caller numbers its requests from 1 to 2^31 - 1, then from 1
again.

Source: ``NettyRemotingAbstract.responseTable`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.remoting.errors import BrokerError, ConnectionLost, TooManyRequests
from rocketmq_tw.wire.command import NOT_USUAL, RESPONSE, Command
from rocketmq_tw.wire.fields import Request, from_ext

_OPAQUE_END = (1 << 31) - 1


class Caller(Protocol):
    """Waits for a response; either method is called, once."""

    @property
    def request_type(self) -> type[Request[Any]]:
        """The class of the request."""

    def responded(self, response: Any) -> None:
        """Called with a response whose code the request accepts."""

    def failed(self, failure: Failure) -> None:
        """Called with :class:`BrokerError` or :class:`ConnectionLost`, for example."""


class _DeferredCall:
    """
    A caller that has a Deferred.

    :ivar response: fires with the response.
    """

    __slots__ = ("request_type", "responded", "response")

    def __init__(self, request: Request[Any], response: Deferred[Any]) -> None:
        self.request_type = type(request)
        self.response = response
        self.responded = response.callback

    def failed(self, failure: Failure) -> None:
        """Fail, unless it was cancelled because another call failed."""
        if not self.response.called:
            self.response.errback(failure)


class PendingCalls:
    """
    The calls of one connection.

    :param limit: how many may wait for responses.
    :param last_opaque: the number before the first one used.
    :ivar decode: decodes the header of the response that is likely the next without a
        body in one pass, into ``code``, ``opaque``, ``flag``, ``remark`` and
        ``fields``, or raises :data:`NOT_USUAL`; None if there is no such decoder.
    :ivar decode_with_body: the same for the next response with a body: a client sends
        messages and pulls others on one connection.
    """

    __slots__ = ("_limit", "_opaque", "_waiting", "decode", "decode_with_body")

    def __init__(self, limit: int = 65535, last_opaque: int = 0) -> None:
        self._limit = limit
        self._waiting: dict[int, Caller] = {}
        self._opaque = last_opaque
        self.decode: Callable[[bytes], Any] | None = None
        self.decode_with_body: Callable[[bytes], Any] | None = None

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
        if self.is_full:
            why = f"{len(self._waiting)} requests wait for responses"
            raise TooManyRequests(address, why)
        decode = type(request).decode_response
        if decode is not None:
            self.decode = decode
        response: Deferred[Any] = Deferred(lambda _: self.forget(opaque))
        self._waiting[opaque] = _DeferredCall(request, response)
        return response

    @property
    def is_full(self) -> bool:
        """Whether as many calls wait as may."""
        return len(self._waiting) >= self._limit

    def expect(
        self,
        opaque: int,
        caller: Caller,
        decode: Callable[[bytes], Any],
        with_body: bool = False,
    ) -> None:
        """
        Register a request that is about to be sent; check :attr:`is_full` before.

        :param decode: see :attr:`decode`.
        :param with_body: whether the response has a body.
        """
        self._waiting[opaque] = caller
        if with_body:
            self.decode_with_body = decode
        else:
            self.decode = decode

    def awaits(self, command: Command) -> bool:
        """Whether this is the response to a call that waits."""
        return command.is_response and command.opaque in self._waiting

    def resolve_quickly(self, header: bytes, body: bytes) -> bool:
        """
        Resolve the call that this responds to, with :attr:`decode` or
        :attr:`decode_with_body`.

        :returns: False if the header has to be decoded and resolved in the general way:
            it is another one than expected, or reports an error.
        """
        decode = self.decode_with_body if body else self.decode
        if decode is None:
            return False
        try:
            found = decode(header)
        except NOT_USUAL:
            # Others are likely to follow, and each would be tried in vain.
            if body:
                self.decode_with_body = None
            else:
                self.decode = None
            return False
        if found.code or found.flag != RESPONSE:
            return False
        response = found.fields
        caller = self._waiting.get(found.opaque)
        if caller is None or caller.request_type.response_type is not type(response):
            return False
        del self._waiting[found.opaque]
        response.body = body
        if found.remark is not None:
            response.remark = found.remark
        caller.responded(response)
        return True

    def resolve(self, command: Command, address: str) -> None:
        """Resolve the call that this responds to; ignore a response without one."""
        caller = self._waiting.pop(command.opaque, None)  # type: ignore[arg-type]
        if caller is None:
            return
        request = caller.request_type
        if command.code not in request.accepted:
            name = request.__name__
            error = BrokerError(command.code, command.remark, address, name)
            caller.failed(Failure(error))
            return
        try:
            response = from_ext(request.response_type, command.fields)
        except Exception:
            caller.failed(Failure())
            return
        response.body = command.body
        response.status = command.code
        response.remark = command.remark
        caller.responded(response)

    def fail_all(self, address: str, reason: str) -> None:
        """Fail all waiting calls: the connection was lost."""
        pending, self._waiting = self._waiting, {}
        for caller in pending.values():
            name = caller.request_type.__name__
            lost = f"the connection was lost before {name} had a response"
            error = ConnectionLost(address, f"{lost} ({reason})")
            caller.failed(Failure(error))

    def forget(self, opaque: int) -> None:
        """Remove a call that was cancelled: a late response is dropped."""
        self._waiting.pop(opaque, None)
