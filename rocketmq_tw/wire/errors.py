"""Errors of the protocol: the peer's, and our own."""

from __future__ import annotations

from rocketmq_tw.model.errors import RocketMQError


class ProtocolError(RocketMQError):
    """A rule of the protocol was violated."""


class LocalProtocolError(ProtocolError):
    """We tried to send something that the protocol cannot represent."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something the protocol does not allow; its connection is closed."""


class FrameTooLong(RemoteProtocolError):
    """The announced length of a frame is above the limit, or too small."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(length, limit)
        self.length = length
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"a frame of {self.length} bytes was announced;"
            f" expected 4 to {self.limit - 4}"
        )


class BodyTooLong(RemoteProtocolError):
    """A request announces a body that its kind never has."""

    def __init__(self, code: int, size: int, limit: int) -> None:
        super().__init__(code, size, limit)
        self.code = code
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"a body of {self.size} bytes was announced with request code {self.code};"
            f" expected at most {self.limit}"
        )


class HeaderTooLong(RemoteProtocolError):
    """A request announces a header that none has."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"a header of {self.size} bytes was announced;"
            f" expected at most {self.limit}"
        )


class MalformedFrame(RemoteProtocolError):
    """The lengths of a frame's parts do not add up."""


class MalformedHeader(RemoteProtocolError):
    """A frame's header cannot be decoded."""


class OtherProtocol(RemoteProtocolError):
    """The peer uses another protocol than remoting."""

    def __init__(self, protocol: str, advice: str) -> None:
        super().__init__(protocol, advice)
        self.protocol = protocol
        self.advice = advice

    def __str__(self) -> str:
        return f"the peer speaks {self.protocol}: {self.advice}"


class BadField(ProtocolError):
    """A field is missing or malformed; the response says which."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        super().__init__(field, found, expected)
        self.field = field
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"the field {self.field} is {self.found}; expected {self.expected}"


class MalformedJson(ProtocolError):
    """A text is not JSON, not even in Java's lenient form."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(at, why)
        self.at = at
        self.why = why

    def __str__(self) -> str:
        return f"malformed JSON at character {self.at}: {self.why}"
