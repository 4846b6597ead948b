"""
From a request to the function that handles it, from an exception to a response code.

A handler is called as ``handler(request, call)``. ``request`` is the declared struct
with its body; ``call`` is a :class:`~rocketmq_tw.remoting.call.Call`: the header, the
peer, the time. It returns a :class:`~rocketmq_tw.wire.fields.Response`, a Deferred of
one where something must be waited for, or None where no response is due. What it raises
becomes a response too.

A guard is called as ``guard(request, call)`` before the handler of any request, in the
order of registration. It raises to refuse the request, notes in ``call.principal`` who
asks, or returns a Deferred if it has to wait; the handler runs once that has fired::

    def guard(request: Request[Any], call: Call) -> Deferred[None] | None:
        ext = call.ext()  # with what the request does not declare: keys, signatures
        ...

Guards are bound to the handlers when either is registered: without a guard, handlers
are called as they are, and a message pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Ext, Request, Response

R = TypeVar("R", bound=Request[Any])
Outcome = Response | Deferred[Any] | None
Handler = Callable[[Any, Call], Outcome]
Guard = Callable[[Request[Any], Call], Deferred[None] | None]
#: A declared request and what handles it.
Handled = tuple[type[Request[Any]], Handler]


class ErrorResponse(Response):
    """A response that carries a code and a remark, and perhaps a field."""

    forbidden_type: str | None = None


class Router:
    """
    Who handles which request.

    :param codes: exceptions and the response codes that stand for them; a subclass of
        a listed class has its code.
    :ivar find: gives the declared request of a code and its handler; None if nobody
        handles it.
    """

    _log = Logger()

    def __init__(
        self, codes: dict[type[Exception], ResponseCode] | None = None
    ) -> None:
        #: As called, and as registered; the same unless there are guards.
        self._handlers: dict[int, Handled] = {}
        self._unguarded: dict[int, Handled] = {}
        self._guards: tuple[Guard, ...] = ()
        # The dictionary's own method: a call less for every request.
        self.find: Callable[[int], Handled | None] = self._handlers.get
        self._codes: dict[type[Exception], ResponseCode] = {
            BadField: ResponseCode.SYSTEM_ERROR,
            **(codes or {}),
        }

    def on(self, declared: type[R], handler: Callable[[R, Call], Outcome]) -> None:
        """Let ``handler`` handle every request of this kind, behind the guards."""
        code = int(declared.code)
        self._unguarded[code] = (declared, handler)
        self._handlers[code] = (declared, self._guarded(handler))

    def guard(self, guard: Guard) -> None:
        """Call ``guard`` before every handler, also those registered already."""
        self._guards += (guard,)
        for code, (declared, handler) in self._unguarded.items():
            self._handlers[code] = (declared, self._guarded(handler))

    def _guarded(self, handler: Handler) -> Handler:
        """Put the guards before a handler; the first one registered comes first."""
        for guard in reversed(self._guards):
            handler = _behind(guard, handler)
        return handler

    def without(self, *codes: int) -> Router:
        """
        Copy this router as it is now, leaving some requests out (the fast port does).

        The copy has the guards that are registered by now.
        """
        other = Router(self._codes)
        for guard in self._guards:
            other.guard(guard)
        for code, (declared, handler) in self._unguarded.items():
            if code not in codes:
                other.on(declared, handler)
        return other

    def refusal(self, failure: Failure) -> Response:
        """Turn what a handler raised into a response; log what nobody foresaw."""
        error = failure.value
        if isinstance(error, Refused):
            return ErrorResponse(
                status=error.code,
                remark=error.remark,
                forbidden_type=error.ext.get("forbiddenType"),
            )
        for kind in type(error).__mro__:
            code = self._codes.get(kind)
            if code is not None:
                return ErrorResponse(status=code, remark=str(error))
        if not isinstance(error, RocketMQError):
            self._log.failure("a handler failed", failure)
        text = f"{type(error).__name__}: {error}"
        return ErrorResponse(status=ResponseCode.SYSTEM_ERROR, remark=text)


def _behind(guard: Guard, handler: Handler) -> Handler:
    """Make a handler that calls the guard first."""

    def guarded(request: Any, call: Call) -> Outcome:
        waiting = guard(request, call)
        if waiting is None:
            return handler(request, call)
        return waiting.addCallback(lambda _: handler(request, call))

    return guarded


def unsupported(code: int) -> Response:
    """Refuse a request that nobody handles, in the words of Apache RocketMQ."""
    return ErrorResponse(
        status=ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
        remark=f" request type {code} not supported",
    )


__all__ = [
    "ErrorResponse",
    "Ext",
    "Guard",
    "Handler",
    "Outcome",
    "Router",
    "unsupported",
]
