"""
Records the requests to a server, and can respond in its place.

Each node of a cluster has its traffic. A test uses it to see which requests were sent,
and to let the next requests fail, or get no response, without the server seeing them::

    broker.traffic.refuse(SendMessageV2, ResponseCode.SYSTEM_BUSY, times=2)
    cluster.result_of(producer.send(message))        # succeeds at the third attempt
    assert len(broker.traffic.requests(SendMessageV2)) == 3
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rocketmq_tw.remoting.router import ErrorResponse
from rocketmq_tw.wire.command import Command, decode, encode_response
from rocketmq_tw.wire.errors import RemoteProtocolError
from rocketmq_tw.wire.fields import Request, Response, from_ext
from rocketmq_tw.wire.frame import Frame, FrameDecoder, join

if TYPE_CHECKING:
    from rocketmq_tw.testing.link import MemoryTransport

R = TypeVar("R", bound=Request[Any])
#: The flag bit of a response, in :attr:`Command.flag`.
_RESPONSE = 1


class Traffic:
    """The requests to one server."""

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._scripted: dict[int, list[Response | None]] = {}
        self._ignored: set[int] = set()

    # -- recorded requests

    def requests(self, kind: type[R]) -> list[R]:
        """Return the recorded requests of one kind, oldest first."""
        return [
            _read(kind, command)
            for command in self._commands
            if command.code == kind.code
        ]

    def commands(self, kind: type[R]) -> list[Command]:
        """Return the headers of the recorded requests of one kind, oldest first."""
        return [each for each in self._commands if each.code == kind.code]

    def clear(self) -> None:
        """Discard the recorded requests."""
        self._commands.clear()

    # -- responding in the server's place

    def respond(self, kind: type[R], response: Response | None, times: int = 1) -> None:
        """
        Respond to the next requests of one kind; the server does not see them.

        :param response: None leaves a request without a response.
        :param times: how many requests, after those of earlier calls.
        """
        self._scripted.setdefault(int(kind.code), []).extend([response] * times)

    def refuse(
        self,
        kind: type[R],
        code: int,
        remark: str = "refused by the test",
        times: int = 1,
    ) -> None:
        """Refuse the next requests of one kind with a response code."""
        self.respond(kind, ErrorResponse(status=int(code), remark=remark), times)

    def ignore(self, kind: type[R]) -> None:
        """Leave all requests of one kind without a response, until :meth:`restore`."""
        self._ignored.add(int(kind.code))

    def restore(self) -> None:
        """Let all requests reach the server again."""
        self._scripted.clear()
        self._ignored.clear()

    # -- called by the network

    def inspector(self, transport: MemoryTransport) -> Callable[[bytes], bytes]:
        """
        Return the function that inspects the data of one connection.

        :param transport: the server's end.
        :returns: takes bytes, and returns those of the frames for the server.
        """
        decoder = FrameDecoder()

        def inspect(data: bytes) -> bytes:
            passed = [
                join(*frame)
                for frame in decoder.feed(data)
                if self._passes_frame(frame, transport)
            ]
            if decoder.error is not None:
                return data  # not remoting: the server reports it
            return b"".join(passed)

        return inspect

    def _passes_frame(self, frame: Frame, transport: MemoryTransport) -> bool:
        """Decode a frame; what is malformed is for the server to refuse."""
        try:
            command = decode(*frame)
        except RemoteProtocolError:
            return True
        return self._passes(command, transport)

    def _passes(self, command: Command, transport: MemoryTransport) -> bool:
        """Record a command; respond if the test wants that."""
        if command.flag & _RESPONSE:
            return True
        self._commands.append(command)
        if command.code in self._ignored:
            return False
        scripted = self._scripted.get(command.code)
        if not scripted:
            return True
        response = scripted.pop(0)
        if response is not None:
            opaque = command.opaque or 0
            transport.write(encode_response(response, opaque, command.kind))
        return False


def _read(kind: type[R], command: Command) -> R:
    """Convert a command to its declared request."""
    fields: Any = command.fields
    if isinstance(fields, kind):
        request = fields
    else:
        request = from_ext(kind, fields)
    request.body = command.body
    return request
