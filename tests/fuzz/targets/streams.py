"""
Connections: bytes of a peer, at a server's end and at a client's end.

The first four bytes of an input say how the others are cut into pieces.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.frame import JSON, join
from tests.fuzz.target import Amplifier, Budget, Target
from tests.remoting.ends import Echo, asked, connected, echoing, response_frame


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut an input as its first four bytes say."""
    sizes, at, number = data[:4] or b"\0", 4, 0
    while at < len(data):
        size = sizes[number % len(sizes)] ** 2 // 16 + 1
        yield data[at : at + size]
        at += size
        number += 1


def _serve(data: bytes) -> None:
    """Receive requests, and check that each response can be read."""
    protocol, wire = connected(Clock(), echoing())
    for piece in pieces(data):
        protocol.dataReceived(piece)
    wire.commands()
    protocol.connectionLost()


def _call(data: bytes) -> None:
    """Receive responses to two calls; each is resolved by the end of the connection."""
    protocol, _ = connected(Clock(), echoing(), stops_reading=False)
    outcomes: list[object] = []
    calls: list[Deferred[object]] = [protocol.call(Echo(text="hi")) for _ in range(2)]  # type: ignore[misc]
    for call in calls:
        call.addBoth(outcomes.append)
    for piece in pieces(data):
        protocol.dataReceived(piece)
    protocol.connectionLost()
    assert len(outcomes) == 2, outcomes
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            outcome.trap(RocketMQError)


def _requests() -> Iterator[bytes]:
    """Give cuts and requests."""
    frames = (asked(1), asked(), asked(flag=2), asked(ext='"text":1'))
    for cut in (b"\xff\xff\xff\xff", b"\x04\x10\x20\x05"):
        for frame in frames:
            yield cut + frame
        yield cut + b"".join(frames)


def _responses() -> Iterator[bytes]:
    """Give cuts and responses to both calls."""
    for cut in (b"\xff\xff\xff\xff", b"\x04\x10\x20\x05"):
        yield cut + response_frame(1) + response_frame(2, code=1)
        yield cut + response_frame(2) + asked()


def _small_pieces(size: int) -> bytes:
    """Make one large frame that comes byte by byte."""
    return bytes(4) + join(JSON, b"{}", bytes(size))


_AMPLIFIERS: dict[str, Amplifier] = {
    "byte by byte": _small_pieces,
    "short frames": lambda size: b"\xff" * 4 + b"\0\0\0\4\0\0\0\0" * (size // 8),
    "requests": lambda size: b"\xff" * 4 + asked() * (size // len(asked())),
}

TARGETS = (
    Target(
        name="server",
        run=_serve,
        errors=(),
        seeds=_requests,
        amplifiers=_AMPLIFIERS,
        budget=Budget(work=8_000, work_each=60),
        examples=20,
    ),
    Target(
        name="client",
        run=_call,
        errors=(),
        seeds=_responses,
        amplifiers=_AMPLIFIERS,
        budget=Budget(work=8_000, work_each=60),
        examples=20,
    ),
)
