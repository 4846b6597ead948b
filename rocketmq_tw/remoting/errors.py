"""Errors of calls, and the error by which a handler refuses a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.codes import ResponseCode, code_name


class TransportError(RocketMQError):
    """A request was not sent, or its response was not received."""

    retryable = True

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address = address
        self.why = why

    def __str__(self) -> str:
        return f"{self.address}: {self.why}"


class ConnectError(TransportError):
    """No connection could be made."""


class ConnectionLost(TransportError):
    """The connection was lost before the response was received."""


class RequestTimeout(TransportError):
    """The response was not received in time."""


def timed_out(
    address: str, request: object, timeout: float
) -> Callable[[Any, float], Failure]:
    """
    Return the function that turns a cancellation by ``addTimeout`` into RequestTimeout.
    """
    kind = type(request)
    return lambda _result, _seconds: Failure(no_response(address, kind, timeout))


def no_response(
    address: str, request_type: type[object], timeout: float
) -> RequestTimeout:
    """Return the error of a request that had no response in time."""
    why = f"{request_type.__name__} had no response within {round(timeout, 3):g} s"
    return RequestTimeout(address, why)


class TooManyRequests(TransportError):
    """Too many requests wait for responses; this one was not sent."""


class BrokerError(RocketMQError):
    """
    The peer responded with an error.

    :ivar code: the response code, see :class:`rocketmq_tw.wire.codes.ResponseCode`.
    :ivar remark: the peer's message, possibly empty.
    """

    _RETRYABLE = frozenset({1, 2, 14, 16, 17, 204, 205, 1500})

    def __init__(
        self, code: int, remark: str | None, address: str, request: str
    ) -> None:
        super().__init__(code, remark, address, request)
        self.code = code
        self.remark = remark or ""
        self.address = address
        self.request = request

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """
        Whether a client retries on another broker; the codes are those of Apache's
        clients.
        """
        return self.code in self._RETRYABLE

    def __str__(self) -> str:
        said = f": {self.remark}" if self.remark else ""
        return (
            f"{self.address} responded to {self.request} with"
            f" {code_name(self.code)}{said}"
        )


class Refused(RocketMQError):
    """
    A handler raises this to send an error response.

    :param ext: additional header fields of the response.
    """

    def __init__(
        self, code: ResponseCode, remark: str, ext: dict[str, str] | None = None
    ) -> None:
        super().__init__(code, remark)
        self.code = code
        self.remark = remark
        self.ext = ext or {}

    def __str__(self) -> str:
        return f"{code_name(self.code)}: {self.remark}"


class TooManyWaiting(RocketMQError):
    """As many bytes of requests wait to be handled as are allowed."""

    def __init__(self, setting: str, limit: int) -> None:
        super().__init__(setting, limit)
        self.setting = setting
        self.limit = limit

    def __str__(self) -> str:
        which = self.setting or "the limit"
        return f"other requests wait already; {which} ({self.limit}) is reached"
