"""What the tests of connections share: a request, one end, both ends."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.command import Command, decode
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.frame import JSON, FrameDecoder, join

#: A request nobody handles: it is not even declared.
UNKNOWN = 31996


class EchoResponse(Response):
    """The text that was sent."""

    text: str


class Echo(Request[EchoResponse]):
    """Ask for a text back; its code means nothing in the protocol."""

    code: ClassVar[int] = 31995
    text: str


def echo(request: Echo, _call: Call) -> EchoResponse:
    """Response with the text and body that came."""
    return EchoResponse(text=request.text, body=request.body)


def echoing() -> Router:
    """Make a router that handles :class:`Echo`."""
    router = Router()
    router.on(Echo, echo)
    return router


class Wire(StringTransport):
    """A transport that remembers what was done to it, as seen from the peer."""

    def __init__(self, host: str = "10.0.0.9", port: int = 4711) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", host, port))

    def commands(self) -> list[Command]:
        """Decode and take away all that was written."""
        decoder = FrameDecoder()
        found = [decode(*frame) for frame in decoder.feed(self.value())]
        assert decoder.held == 0, "half a frame was written"
        self.clear()
        return found


def connected(
    clock: Clock, router: Router | None = None, wire: Wire | None = None, **limits: Any
) -> tuple[RemotingProtocol, Wire]:
    """Make one end of a connection."""
    protocol = RemotingProtocol(router or Router(), clock, **limits)
    wire = wire or Wire()
    protocol.makeConnection(wire)
    return protocol, wire


def asked(
    code: int = Echo.code, opaque: int = 1, flag: int = 0, ext: str = ""
) -> bytes:
    """Write a request's frame by hand, as another client would."""
    ext = ext or '"text":"hi"'
    header = f'{{"code":{code},"extFields":{{{ext}}},"flag":{flag},"opaque":{opaque}}}'
    return join(JSON, header.encode())


def response_frame(opaque: int, code: int = 0, text: str = "hi") -> bytes:
    """Write a response's frame by hand."""
    header = (
        f'{{"code":{code},"extFields":{{"text":"{text}"}},"flag":1,"opaque":{opaque}}}'
    )
    return join(JSON, header.encode())
