"""
The bytes of replication: reports of a slave, transfers of its master.

::

    slave to master    | offset 8 |                                 a report
    master to slave    | position 8 | size 4 | size bytes of log |  a transfer

All numbers are big-endian. There is no handshake, magic or version. The slave reports
where its commit log ends; its first report says where the master has to begin. A
transfer holds raw bytes of the commit log from ``position`` on: it may cut records, but
lies within one file. One without bytes is a heartbeat, and says what comes next.

Source: ``DefaultHAConnection`` and ``DefaultHAClient`` of RocketMQ 5; see
``doc/format/replication.rst``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from rocketmq_tw.model.errors import RocketMQError

REPORT: Final = struct.Struct(">q")
HEADER: Final = struct.Struct(">qi")
#: The largest body of a transfer: with its header it fills the buffer that a slave of
#: Apache RocketMQ has.
MAX_BODY: Final = (4 << 20) - HEADER.size


class MalformedTransfer(RocketMQError):
    """The bytes of the peer are no replication stream."""


class ReportDecoder:
    """
    Reads the reports of one slave.

    Of several reports only the newest counts; at most 7 bytes are kept.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> int | None:
        """
        Return the newest complete report; None if there is no new one.

        :raises MalformedTransfer: it is negative.
        """
        data = self._rest + data
        end = len(data) - len(data) % REPORT.size
        self._rest = data[end:]
        if not end:
            return None
        (offset,) = REPORT.unpack_from(data, end - REPORT.size)
        if offset < 0:
            raise MalformedTransfer(f"it reports the offset {offset}")
        return int(offset)


class TransferDecoder:
    """
    Reads the transfers of one master.

    Bodies are not gathered: their bytes are passed on as they come, with the position
    of each piece. At most 11 bytes are kept.
    """

    # 0 <= _left: the bytes of the body that have not come yet. _position is that of the
    # next of them.

    def __init__(self) -> None:
        self._rest = b""
        self._position = 0
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, memoryview]]:
        """
        Give the position and the bytes of each piece of a body, none for a heartbeat.

        The size in a header is checked before anything of its body is given.

        :raises MalformedTransfer: a size or a position is not possible.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        view, at = memoryview(data), 0
        while True:
            if self._left:
                piece = view[at : at + self._left]
                if not piece:
                    return
                at += len(piece)
                position = self._position
                self._left -= len(piece)
                self._position += len(piece)
                yield position, piece
                continue
            if len(data) - at < HEADER.size:
                self._rest = data[at:]
                return
            self._position, self._left = _checked(data, at)
            at += HEADER.size
            if not self._left:
                yield self._position, view[:0]


def _checked(data: bytes, at: int) -> tuple[int, int]:
    """Unpack a header."""
    position, size = HEADER.unpack_from(data, at)
    if position < 0 or not 0 <= size <= MAX_BODY:
        raise MalformedTransfer(
            f"it sends {size} bytes of the commit log from offset {position} on;"
            f" at most {MAX_BODY} can come at once"
        )
    return position, size


def encode_report(offset: int) -> bytes:
    """Encode the report of a slave whose log ends at ``offset``."""
    return REPORT.pack(offset)


def encode_transfers(position: int, data: bytes, batch: int) -> bytes:
    """
    Encode bytes of one file of the log as transfers of at most ``batch`` bytes.

    Without bytes that is a heartbeat.
    """
    pack = HEADER.pack
    if len(data) <= batch:
        return pack(position, len(data)) + data
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    for at in range(0, len(data), batch):
        piece = view[at : at + batch]
        pieces += pack(position + at, len(piece)), piece
    return b"".join(pieces)
