"""
From a request to the function that handles it, from an exception to a response code.

A handler is called as ``handler(request, call)``. ``request`` is the declared struct
with its body; ``call`` is a :class:`~rocketmq_tw.remoting.call.Call`: the header, the
peer, the time. It returns a :class:`~rocketmq_tw.wire.fields.Response`, a Deferred of
one where something must be waited for, or None where no response is due. What it raises
becomes a response too.
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
#: A declared request and what handles it.
Handled = tuple[type[Request[Any]], Handler]


class ErrorResponse(Response):
    """An answer that carries a code and a remark, and perhaps a field."""

    forbidden_type: str | None = None


class Router:
    """
    Who handles which request.

    :param codes: exceptions and the response codes that they are answered with; a
        subclass of a listed class is answered like it.
    :ivar find: gives the declared request of a code and its handler; None if nobody
        handles it.
    """

    _log = Logger()

    def __init__(
        self, codes: dict[type[Exception], ResponseCode] | None = None
    ) -> None:
        self._handlers: dict[int, Handled] = {}
        # The dictionary's own method: a call less for every request.
        self.find: Callable[[int], Handled | None] = self._handlers.get
        self._codes: dict[type[Exception], ResponseCode] = {
            BadField: ResponseCode.SYSTEM_ERROR,
            **(codes or {}),
        }

    def on(self, declared: type[R], handler: Callable[[R, Call], Outcome]) -> None:
        """Hand every request of this kind to ``handler``."""
        self._handlers[int(declared.code)] = (declared, handler)

    def without(self, *codes: int) -> Router:
        """Copy this router, leaving some requests out (the fast port does)."""
        other = Router(self._codes)
        other._handlers.update(
            {k: v for k, v in self._handlers.items() if k not in codes}
        )
        return other

    def refusal(self, failure: Failure) -> Response:
        """Turn what a handler raised into an answer; log what nobody foresaw."""
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


def unsupported(code: int) -> Response:
    """Response a request that nobody handles, in the original's words."""
    return ErrorResponse(
        status=ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
        remark=f" request type {code} not supported",
    )


__all__ = ["ErrorResponse", "Ext", "Handler", "Outcome", "Router", "unsupported"]
