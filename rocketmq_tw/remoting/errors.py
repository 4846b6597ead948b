"""What can go wrong with a call, and what a handler may refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.codes import ResponseCode, code_name


class TransportError(RocketMQError):
    """A request did not get through, or its response did not come back."""

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
    """The connection was lost before the response came."""


class RequestTimeout(TransportError):
    """The response did not come in time."""


def timed_out(
    address: str, request: object, timeout: float
) -> Callable[[Any, float], Failure]:
    """Make the function that turns our own cancellation into a time-out."""
    why = f"{type(request).__name__} was not answered in {timeout:g} s"
    return lambda _result, _seconds: Failure(RequestTimeout(address, why))


class TooManyRequests(TransportError):
    """So many requests wait for responses that no more is sent."""


class BrokerError(RocketMQError):
    """
    The peer responded with an error.

    :ivar code: the response code, see :class:`rocketmq_tw.wire.codes.ResponseCode`.
    :ivar remark: the peer's words, perhaps empty.
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
        """Whether a client tries the same again on another broker, as Apache's does."""
        return self.code in self._RETRYABLE

    def __str__(self) -> str:
        said = f": {self.remark}" if self.remark else ""
        return (
            f"{self.address} answered {self.request} with {code_name(self.code)}{said}"
        )


class Refused(RocketMQError):
    """
    A handler raises this to respond with an error.

    :param ext: header fields that go with it.
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
