"""The two ways that a send can take: its handler alone, or a connection with a lane."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.model.msgid import host_to_text
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import ErrorResponse
from rocketmq_tw.wire.binary_header import binary_header
from rocketmq_tw.wire.command import Command, decode, decode_ext
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Ext, Request, Response, from_ext
from rocketmq_tw.wire.frame import BINARY, JSON, FrameDecoder, join
from tests.broker.cases import BrokerCase
from tests.remoting.ends import Wire


def frame_of(
    code: int, ext: Ext, body: bytes = b"", *, opaque: int = 1, flag: int = 0
) -> bytes:
    """Write a request as Java clients do, its keys in their order."""
    document = {
        "code": code,
        "extFields": ext,
        "flag": flag,
        "language": "JAVA",
        "opaque": opaque,
        "serializeTypeCurrentRPC": "JSON",
        "version": 479,
    }
    header = json.dumps(document, separators=(",", ":")).encode()
    return join(JSON, header, body)


def in_binary(frame: bytes) -> bytes:
    """Write a request with a binary header instead of one in JSON."""
    ((kind, header, body),) = FrameDecoder().feed(frame)
    assert kind == JSON, kind
    command = decode(kind, header)
    ext = decode_ext(header)
    return join(
        BINARY,
        binary_header(command.code, command.opaque or 0, command.flag, None, ext),
        body,
    )


def response_of(kind: type[Request[Any]], command: Command) -> Response:
    """Make of a response's header what a handler returns."""
    response: Response
    try:
        response = from_ext(kind.response_type, command.fields)
    except BadField:
        response = ErrorResponse()
    response.status, response.remark = command.code, command.remark
    response.body = command.body
    return response


class Awaited(Wire):
    """A transport that gives the one response it waits for to a Deferred."""

    def __init__(self, kind: type[Request[Any]], host: str, port: int) -> None:
        super().__init__(host, port)
        self.response: Deferred[Response] = Deferred()
        self._kind = kind
        self._decoder = FrameDecoder()

    def write(self, data: bytes) -> None:
        """Take a response."""
        for frame in self._decoder.feed(data):
            self.response.callback(response_of(self._kind, decode(*frame)))


class ThroughConnection(BrokerCase):
    """
    Asks by a connection, so that plain sends go through the lane.

    Mixed in before a case whose tests ask handlers, it runs all of them this way.
    """

    def ask_raw(self, code: int, ext: Ext, body: bytes) -> Any:
        """Send the request as a frame, over a connection of its own."""
        found = self.router.find(code)
        assert found is not None
        host, _, port = host_to_text(self.peer.host_bytes).rpartition(":")
        wire = Awaited(found[0], host.strip("[]"), int(port))
        protocol = RemotingProtocol(self.router, self.clock)
        protocol.makeConnection(wire)
        self.addCleanup(protocol.connectionLost, Failure(ConnectionError()))
        protocol.dataReceived(frame_of(code, ext, body))
        if not wire.response.called:
            return wire.response
        return self.successResultOf(wire.response)


def through_connections(*modules: ModuleType) -> dict[str, type[BrokerCase]]:
    """Make of all cases of some modules such as ask by a connection."""
    found: dict[str, type[BrokerCase]] = {}
    for module in modules:
        for name, case in vars(module).items():
            if isinstance(case, type) and issubclass(case, BrokerCase):
                if case.__module__ == module.__name__:
                    new = type(
                        name, (ThroughConnection, case), {"__doc__": case.__doc__}
                    )
                    found[f"{module.__name__.rpartition('_')[2].title()}{name}"] = new
    return found
