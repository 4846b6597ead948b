"""
The floor: the least that a Twisted process must do to respond to sends and pulls.

    python -m tests.bench.floor PORT [--sync]

A send: its header is decoded, its record is copied into a mapped file, its queue entry
is kept, and it is responded to; with ``--sync`` once an fsync of the file has returned,
one at a time for all who wait. A pull: the records are copied from the file, one by
one. Nothing is checked, no errors, no durability, one file that is written again and
again: not a broker, but what a broker's rate can be divided by.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import tempfile
import time
import zlib
from typing import Any

import msgspec
from twisted.internet import protocol, reactor
from twisted.internet.threads import deferToThread

SIZE = 1 << 30
RECORD = struct.Struct(">iiIiiqqiq8sq8siqi")
HEAD = struct.Struct(">II").pack
MAGIC = -626843481
HOST = b"\x7f\0\0\1\0\0\x2a\x9f"
SENT = (
    b'{"code":0,"extFields":{"msgId":"7F00000100002A9F%016X","queueId":"%d",'
    b'"queueOffset":"%d"},"flag":1,"language":"PYTHON","opaque":%d,'
    b'"serializeTypeCurrentRPC":"JSON","version":479}'
)
FOUND = (
    b'{"code":%d,"extFields":{"nextBeginOffset":"%d","minOffset":"0","maxOffset":"%d",'
    b'"suggestWhichBrokerId":"0"},"flag":1,"language":"PYTHON","opaque":%d,'
    b'"serializeTypeCurrentRPC":"JSON","version":479}'
)
PULL, OFFSET_MOVED = 11, 21


class Fields(msgspec.Struct, gc=False):
    """What is read of a send (``b``, ``e``, ``g``, ``i``) or a pull."""

    b: str = ""
    e: int = 0
    g: int = 0
    i: str = ""
    topic: str = ""
    queueId: int = 0  # noqa: N815
    queueOffset: int = 0  # noqa: N815
    maxMsgNums: int = 0  # noqa: N815


class Header(msgspec.Struct, gc=False):
    """What is read of a header."""

    code: int
    opaque: int
    extFields: Fields  # noqa: N815


decode = msgspec.json.Decoder(Header, strict=False).decode


class Floor(protocol.Protocol):
    """One connection; the file and the queues are those of all."""

    file = tempfile.TemporaryFile()
    file.truncate(SIZE)
    log = mmap.mmap(file.fileno(), SIZE)
    end = 0
    #: For each queue, where its records begin and end.
    queues: dict[tuple[str, int], list[tuple[int, int]]] = {}
    #: With --sync: the responses that wait, by connection, and whether an fsync runs.
    waiting: dict[Any, list[bytes]] = {}
    is_flushing = False
    is_sync = "--sync" in sys.argv

    def __init__(self) -> None:
        self.rest = b""

    def connectionMade(self) -> None:
        """Send short responses without delay."""
        self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """Respond to all whole frames at once."""
        if self.rest:
            data = self.rest + data
        at, size, responses, sent = 0, len(data), [], False
        while size - at >= 4:
            end = at + 4 + int.from_bytes(data[at : at + 4], "big")
            if end > size:
                break
            body = at + 8 + int.from_bytes(data[at + 5 : at + 8], "big")
            header = decode(data[at + 8 : body])
            if header.code == PULL:
                responses.append(self.pull(header))
            else:
                sent = True
                responses.append(self.send(header, data[body:end]))
            at = end
        self.rest = data[at:]
        if responses and sent and self.is_sync:
            self.keep(responses)
        elif responses:
            self.write(b"".join(responses))

    def write(self, data: bytes) -> None:
        """Write to the socket at once, if nothing waits for it."""
        if not self.transport.connected:
            return
        if not self.transport.dataBuffer and not self.transport._tempDataBuffer:
            data = data[max(0, self.transport.writeSomeData(data)) :]
        if data:
            self.transport.write(data)

    def send(self, header: Header, body: bytes) -> bytes:
        """Store a message."""
        fields = header.extFields
        topic, properties = fields.b.encode(), fields.i.encode()
        queue = self.queues.setdefault((fields.b, fields.e), [])
        size = RECORD.size + len(body) + 3 + len(topic) + len(properties)
        at, offset, now = Floor.end, len(queue), int(time.time() * 1000)
        if at + size > SIZE:
            at = 0
        head = RECORD.pack(
            *(size, MAGIC, zlib.crc32(body), fields.e, 0, offset, at, 0, fields.g),
            *(HOST, now, HOST, 0, 0, len(body)),
        )
        names = bytes([len(topic)]), topic, len(properties).to_bytes(2, "big")
        Floor.end = end = at + size
        self.log[at:end] = b"".join((head, body, *names, properties))
        queue.append((at, end))
        response = SENT % (at, fields.e, offset, header.opaque)
        return HEAD(4 + len(response), len(response)) + response

    def pull(self, header: Header) -> bytes:
        """Read messages."""
        fields, log = header.extFields, self.log
        queue = self.queues.get((fields.topic, fields.queueId), [])
        begin = fields.queueOffset
        found = queue[begin : begin + fields.maxMsgNums]
        code = 0 if found else OFFSET_MOVED
        after = begin + len(found) if found else 0
        response = FOUND % (code, after, len(queue), header.opaque)
        records = b"".join([log[at:end] for at, end in found])
        size = len(response)
        return HEAD(4 + size + len(records), size) + response + records

    def keep(self, responses: list[bytes]) -> None:
        """Respond when the file is on disk."""
        self.waiting.setdefault(self, []).extend(responses)
        if not Floor.is_flushing:
            Floor.is_flushing = True
            reactor.callLater(0, flush)


def flush() -> None:
    """Flush for all who wait now."""
    waiting, Floor.waiting = Floor.waiting, {}
    done = deferToThread(os.fdatasync, Floor.file.fileno())
    done.addCallback(lambda _: flushed(waiting))


def flushed(waiting: dict[Floor, list[bytes]]) -> None:
    """Respond, and flush for those who came meanwhile."""
    for connection, responses in waiting.items():
        connection.write(b"".join(responses))
    Floor.is_flushing = bool(Floor.waiting)
    if Floor.waiting:
        reactor.callLater(0, flush)


if __name__ == "__main__":
    factory = protocol.Factory.forProtocol(Floor)
    reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1", backlog=1024)
    reactor.run()
