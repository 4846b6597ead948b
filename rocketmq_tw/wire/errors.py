"""What can be wrong with bytes: the peer's mistakes, and ours."""

from __future__ import annotations

from rocketmq_tw.model.errors import RocketMQError


class ProtocolError(RocketMQError):
    """The rules of the protocol were broken."""


class LocalProtocolError(ProtocolError):
    """We were asked to send what the protocol cannot carry."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol does not allow; its connection is closed."""


class FrameTooLong(RemoteProtocolError):
    """A frame announces more bytes than the limit, or fewer than none."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(length, limit)
        self.length = length
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"a frame of {self.length} bytes was announced;"
            f" expected 4 to {self.limit - 4}"
        )


class MalformedFrame(RemoteProtocolError):
    """The lengths of a frame's parts do not add up."""


class MalformedHeader(RemoteProtocolError):
    """A frame's header is not a header."""


class OtherProtocol(RemoteProtocolError):
    """The peer speaks another protocol than remoting."""

    def __init__(self, protocol: str, advice: str) -> None:
        super().__init__(protocol, advice)
        self.protocol = protocol
        self.advice = advice

    def __str__(self) -> str:
        return f"the peer speaks {self.protocol}: {self.advice}"


class BadField(ProtocolError):
    """A request's field is missing or malformed; the response says so."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        super().__init__(field, found, expected)
        self.field = field
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"the field {self.field} is {self.found}; expected {self.expected}"


class MalformedJson(ProtocolError):
    """A text is not JSON, even as leniently as Java reads it."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(at, why)
        self.at = at
        self.why = why

    def __str__(self) -> str:
        return f"malformed JSON at character {self.at}: {self.why}"
