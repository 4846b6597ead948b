"""
Whole servers: a peer's bytes at a broker and a name server in memory.

Whatever comes, nothing may be logged with a traceback, the connection is closed or
still served, and a request on another connection is answered.

``...-session`` takes the bytes as they are. ``...-frames`` takes headers and bodies in
turn, each ending with a mark, and writes valid frames around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.logger import globalLogPublisher

from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.router import ErrorResponse
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.testing.nodes import Node
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import encode_request, encode_response
from rocketmq_tw.wire.errors import LocalProtocolError
from rocketmq_tw.wire.fields import DECLARED, Request, from_ext
from rocketmq_tw.wire.frame import JSON, FrameDecoder, join
from rocketmq_tw.wire.requests.kvconfig import GetKVConfig
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from tests.fuzz.target import Budget, Target
from tests.fuzz.targets import bodies, headers
from tests.fuzz.targets.samples import document, ext_of
from tests.fuzz.targets.streams import pieces
from tests.wire.captures import GOLDEN

#: Ends a header or a body.
MARK = b"\xf0\xf1"
#: So many inputs use the same cluster.
_INPUTS = 25

_BROKER = GetMaxOffset(topic="T", queue_id=0)
_NAME_SERVER = GetKVConfig(namespace="n", key="k")


class _Room:
    """A cluster, which is replaced from time to time, and what it logs."""

    def __init__(self) -> None:
        self.cluster: MemoryCluster | None = None
        self._inputs = 0
        self.logged: list[str] = []
        globalLogPublisher.addObserver(self._observe)

    def prepare(self) -> None:
        """Start a new cluster when the last one was used often enough."""
        self._inputs += 1
        if self.cluster is not None and self._inputs % _INPUTS:
            return
        if self.cluster is not None:
            self.cluster.stop()
        self.cluster = MemoryCluster().start()
        self.cluster.create_topic("T")
        self.check("broker", _BROKER)
        self.check("name server", _NAME_SERVER)

    def node(self, name: str) -> Node:
        """Return the server of a name."""
        assert self.cluster is not None
        return self.cluster.broker if name == "broker" else self.cluster.name_servers[0]

    def check(self, name: str, request: Request[Any]) -> None:
        """Send a request on another connection; any response will do."""
        assert self.cluster is not None
        try:
            self.cluster.call(self.node(name), request)
        except BrokerError:
            pass

    def _observe(self, event: dict[str, Any]) -> None:
        """Remember tracebacks."""
        failure = event.get("log_failure")
        if failure is not None:
            self.logged.append(failure.getBriefTraceback())


@cache
def room() -> _Room:
    """Make the cluster, on first use."""
    return _Room()


class _Raw(Protocol):
    """A connection that writes bytes as they are."""


def _talk(name: str, request: Request[Any], chunks: Iterator[bytes]) -> None:
    """Write to a server, then check that it serves others."""
    used = room()
    cluster = used.cluster
    assert cluster is not None
    node = used.node(name)
    raw = _Raw()
    reactor = cluster.network.reactor("10.0.9.1")
    connectProtocol(TCP4ClientEndpoint(reactor, node.host, node.port), raw)
    cluster.advance()
    for chunk in chunks:
        raw.transport.write(chunk)
        cluster.advance()
    used.check(name, request)
    raw.transport.abortConnection()
    cluster.advance(0.25)
    logged, used.logged = used.logged, []
    assert not logged, logged[0]


def _frames(data: bytes) -> Iterator[bytes]:
    """Make frames of headers and bodies; the first four bytes are not used."""
    parts = data[4:].split(MARK)
    for at in range(0, len(parts) - 1, 2):
        yield join(JSON, parts[at], parts[at + 1])


def _read(
    name: str, request: Request[Any], cut: Callable[[bytes], Iterator[bytes]]
) -> Callable[[bytes], None]:
    """Return the reader of a target."""
    return lambda data: _talk(name, request, cut(data))


def _recorded() -> Iterator[tuple[int, bytes, bytes]]:
    """Give the recorded requests of clients and brokers."""
    for path in sorted(GOLDEN.glob("*.json")):
        for frame in msgspec.json.decode(path.read_bytes()):
            data = bytes.fromhex(frame["hex"])
            ((form, header, body),) = FrameDecoder().feed(data)
            if len(body) < 2000:
                yield form, header, body


_BODIES = {
    34: "HeartbeatData",
    41: "LockBatchRequestBody",
    42: "UnlockBatchRequestBody",
}


def _made() -> Iterator[tuple[int, bytes, bytes]]:
    """Give each declared request, with names of the cluster where they fit."""
    kinds = {kind.__name__: kind for kind in bodies.KINDS}
    for code in headers.CODES:
        declared: type[Any] = DECLARED[code]
        ext = ext_of(declared)
        ext.update(dict.fromkeys(ext.keys() & {"topic", "b"}, "T"))
        ext.update(dict.fromkeys(ext.keys() & {"queueId", "sysFlag", "e", "f"}, "0"))
        try:
            request = from_ext(declared, ext)
            frame = encode_request(request, 1)
        except LocalProtocolError:
            continue
        ((form, header, _),) = FrameDecoder().feed(frame)
        kind = kinds.get(_BODIES.get(code, ""))
        yield form, header, document(kind) if kind else b"body"
    frame = encode_response(ErrorResponse(status=ResponseCode.SYSTEM_ERROR), 1)
    yield from FrameDecoder().feed(frame)


def _sessions() -> Iterator[bytes]:
    """Give recorded and made requests, one each, and some together."""
    frames = [join(*frame) for frame in (*_made(), *list(_recorded())[::4])]
    for frame in frames:
        yield b"\xff" * 4 + frame
    for at in range(0, len(frames), 8):
        yield b"\x20\x10\x30\x04" + b"".join(frames[at : at + 8])


def _marked() -> Iterator[bytes]:
    """Give requests as headers and bodies."""
    for form, header, body in (*_made(), *list(_recorded())[::3]):
        if form == JSON:
            yield bytes(4) + header + MARK + body + MARK


#: The cluster's timers, the other connection, and the stop of this one.
_BUDGET = Budget(work=100_000, work_each=400, memory=24 << 20, memory_each=600)

TARGETS = tuple(
    Target(
        name=f"{name.replace(' ', '-')}-{form}",
        run=_read(name, request, cut),
        errors=(),
        seeds=seeds,
        pieces=(MARK, b'"topic":"T"', b'"queueId":"', b'"properties":"', b'"b":"T"'),
        budget=_BUDGET,
        examples=4,
        prepare=lambda: room().prepare(),
    )
    for name, request in (("broker", _BROKER), ("name server", _NAME_SERVER))
    for form, cut, seeds in (
        ("session", pieces, _sessions),
        ("frames", _frames, _marked),
    )
)
