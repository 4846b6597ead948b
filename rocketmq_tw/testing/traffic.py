"""
The requests that reach a server, and responses in the server's place.

Each node of a cluster has its traffic. A test looks at it to see what was asked, and
uses it to let the next requests fail, or stay unanswered, without the server knowing::

    broker.traffic.refuse(SendMessageV2, ResponseCode.SYSTEM_BUSY, times=2)
    cluster.result_of(producer.send(message))        # succeeds at the third attempt
    assert len(broker.traffic.requests(SendMessageV2)) == 3
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rocketmq_tw.remoting.router import ErrorResponse
from rocketmq_tw.wire.command import Command, decode, encode_response
from rocketmq_tw.wire.fields import Request, Response, from_ext
from rocketmq_tw.wire.frame import FrameDecoder, join

if TYPE_CHECKING:
    from rocketmq_tw.testing.link import MemoryTransport

R = TypeVar("R", bound=Request[Any])
#: The flag bit of a response, in :attr:`Command.flag`.
_RESPONSE = 1


class Traffic:
    """What passes by on the way to one server."""

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._scripted: dict[int, list[Response | None]] = {}
        self._ignored: set[int] = set()

    # -- looking

    def requests(self, kind: type[R]) -> list[R]:
        """List the requests of one kind that came, oldest first."""
        return [
            _read(kind, command)
            for command in self._commands
            if command.code == kind.code
        ]

    def commands(self, kind: type[R]) -> list[Command]:
        """List the headers of the requests of one kind, as :meth:`requests` does."""
        return [each for each in self._commands if each.code == kind.code]

    def clear(self) -> None:
        """Forget what came."""
        self._commands.clear()

    # -- responding in the server's place

    def respond(self, kind: type[R], response: Response | None, times: int = 1) -> None:
        """
        Respond to the next requests of one kind; the server does not see them.

        :param response: None leaves a request without a response.
        :param times: how many requests; these follow those asked for before.
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
        """Let the server have all requests again."""
        self._scripted.clear()
        self._ignored.clear()

    # -- what the network calls

    def inspector(self, transport: MemoryTransport) -> Callable[[bytes], bytes]:
        """
        Make what sees the bytes that one connection brings.

        :param transport: the server's end.
        :returns: takes bytes, returns those of the frames that the server may have.
        """
        decoder = FrameDecoder()

        def inspect(data: bytes) -> bytes:
            passed = [
                join(*frame)
                for frame in decoder.feed(data)
                if self._passes(decode(*frame), transport)
            ]
            if decoder.error is not None:
                return data  # no remoting at all: the server says so
            return b"".join(passed)

        return inspect

    def _passes(self, command: Command, transport: MemoryTransport) -> bool:
        """Keep a command; respond to it if that is wanted."""
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
    """Read a command as the request it was declared as."""
    fields: Any = command.fields
    if isinstance(fields, kind):
        request = fields
    else:
        request = from_ext(kind, fields)
    request.body = command.body
    return request
