"""Why the console refuses a request, or cannot start."""

from __future__ import annotations

from rocketmq_tw.model.errors import RocketMQError


class HttpError(RocketMQError):
    """
    A request gets this status, and a sentence that says why.

    :ivar status: the status of HTTP.
    :ivar headers: further headers of the response.
    """

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why
        self.headers = headers

    def __str__(self) -> str:
        return self.why


class WrongToken(HttpError):
    """The token of a request is not the one of the console."""

    def __init__(self) -> None:
        super().__init__(401, "the token is wrong")


class BadConsoleSetting(RocketMQError):
    """A setting of the console cannot be used."""
