"""
Splits bytes into frames.

A frame, all numbers big-endian::

    +----------+-----------+-----------------+--------+------+
    | length 4 | kind 1    | header length 3 | header | body |
    +----------+-----------+-----------------+--------+------+

``length`` counts everything after it; ``kind`` is the form of the header (0 JSON, 1
binary). The decoder keeps the slices of an incomplete frame separately until all are
received, so that a large frame is copied once, not once for each slice.

Source: ``NettyDecoder``, ``NettyEncoder`` and ``RemotingCommand`` of RocketMQ 5.
"""

from __future__ import annotations

import struct

from rocketmq_tw.wire.errors import (
    FrameTooLong,
    HeaderTooLong,
    MalformedFrame,
    OtherProtocol,
    RemoteProtocolError,
)

#: Bytes; the largest frame, including its length field.
FRAME_LIMIT = 16 * 1024 * 1024

#: The forms of a header.
JSON = 0
BINARY = 1

#: Bytes; smaller slices are merged: a frame received in slices of two bytes would
#: otherwise use twenty times its size.
_SMALL = 1024

_HEAD = struct.Struct(">II")
_HTTP = "point the client at the remoting port, or the browser elsewhere"
#: The first bytes of other protocols: their name, and advice for the user.
_OTHER_PROTOCOLS = {
    b"PRI ": ("HTTP/2 (gRPC?)", "5.x gRPC clients need a proxy, this port is remoting"),
    b"\x16\x03": ("TLS", "TLS is off on this port; turn it on here or off there"),
    **{verb: ("HTTP", _HTTP) for verb in (b"GET ", b"POST", b"HEAD", b"PUT ", b"OPTI")},
}

Frame = tuple[int, bytes, bytes]


def other_protocol(start: bytes) -> OtherProtocol | None:
    """
    Return the error for a known other protocol that a connection starts with, or None.
    """
    for prefix, (name, advice) in _OTHER_PROTOCOLS.items():
        if start.startswith(prefix):
            return OtherProtocol(name, advice)
    return None


def join(kind: int, header: bytes, body: bytes = b"") -> bytes:
    """Encode one frame."""
    size = len(header)
    return _HEAD.pack(4 + size + len(body), kind << 24 | size) + header + body


class FrameDecoder:
    """
    Accepts bytes in any slices and returns complete frames.

    :param limit: the largest frame in bytes, including its length field.
    :ivar held: how many bytes of an incomplete frame are kept.
    :ivar error: set after a protocol violation; nothing is decoded after it.
    """

    __slots__ = (
        "_first",
        "_limit",
        "_look_at",
        "_slices",
        "_stopped",
        "_wanted",
        "error",
        "held",
    )

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._slices: list[bytes | bytearray] = []
        self.held = 0
        self._wanted = 4
        # How many bytes large_start() needs for its next step.
        self._look_at = _HEAD.size
        self._first = True
        self._stopped = False
        self.error: RemoteProtocolError | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a whole frame came."""
        return not self._first

    def feed(self, data: bytes) -> list[Frame]:
        """
        Accept the next bytes.

        :returns: the frames complete now, as (kind, header, body). Frames before
            a malformed one are included; check :attr:`error` afterwards.
        """
        if self._stopped:
            return []
        if self.held:
            if len(data) >= _SMALL:
                self._slices.append(data)
            elif self._slices[-1].__class__ is bytearray:
                self._slices[-1] += data
            else:
                self._slices.append(bytearray(data))
            self.held += len(data)
            if self.held < self._wanted:
                return []
            data = b"".join(self._slices)
            self._slices.clear()
            self.held = 0
            self._look_at = _HEAD.size
        frames, at = self._split(data)
        if self.error is not None:
            self._stopped = True
        elif at < len(data):
            rest = data[at:] if at else data
            self._slices.append(rest)
            self.held = len(rest)
        return frames

    def stop(self, error: RemoteProtocolError | None = None) -> None:
        """Decode no more, and keep nothing."""
        self._stopped = True
        self.error = self.error or error
        self._slices.clear()
        self.held = 0

    def large_start(
        self, least: int, longest_header: int
    ) -> tuple[int, bytes, int] | None:
        """
        Give the header of the unfinished frame, once, as soon as it is there.

        :param least: the size in bytes from which a frame is looked at.
        :param longest_header: bytes that its header has at most.
        :returns: how the header is written, the header, and the size of the body.
        :raises HeaderTooLong: the header has more.
        """
        if self._wanted < least or self.held < self._look_at:
            return None
        start = b"".join(self._slices)
        self._slices[:] = [start]
        body = _HEAD.size + int.from_bytes(start[5:8], "big")
        if body - _HEAD.size > longest_header:
            raise HeaderTooLong(body - _HEAD.size, longest_header)
        if len(start) < body:
            self._look_at = body
            return None
        self._look_at = self._limit
        return start[4], start[_HEAD.size : body], self._wanted - body

    def _split(self, data: bytes) -> tuple[list[Frame], int]:
        """
        Split off complete frames; also return where the incomplete one begins.

        On the path of every message: 0.23 us a frame.
        """
        frames: list[Frame] = []
        at, size, longest = 0, len(data), self._limit - 4
        last, unpack = size - _HEAD.size, _HEAD.unpack_from
        while at <= last:
            length, form = unpack(data, at)
            body, end = at + 8 + (form & 0xFFFFFF), at + 4 + length
            if end > size or body > end or length > longest:
                break
            frames.append((form >> 24, data[at + 8 : body], data[body:end]))
            at = end
        if frames:
            self._first = False
        if at == size:
            self._wanted = 4
        else:
            self._look_behind(data, at)
        return frames, at

    def _look_behind(self, data: bytes, at: int) -> None:
        """Note how long the frame is that is not complete, or why there is none."""
        self._wanted = 4
        left = len(data) - at
        if left < 4:
            return
        length = int.from_bytes(data[at : at + 4], "big")
        if length > self._limit - 4 or length < 4:
            self._refuse(data[at : at + 8], length)
        elif left < 4 + length:
            self._wanted = 4 + length
        else:
            size = int.from_bytes(data[at + 5 : at + 8], "big")
            self.error = MalformedFrame(
                f"a header of {size} bytes is announced"
                f" in a frame with {length - 4} bytes for it"
            )

    def _refuse(self, start: bytes, length: int) -> None:
        """Set the error after which nothing more is decoded."""
        if length >= 1 << 31:
            length -= 1 << 32
        other = other_protocol(start) if self._first else None
        self.error = other or FrameTooLong(length, self._limit)
