"""
Compresses and decompresses message bodies: zlib, LZ4 frames, zstd.

Bit 0x1 of a message's sysFlag marks a compressed body, bits 0x700 the kind of
compression. Clients up to 4.9.3 know only zlib and leave the kind 0. Decompression is
limited, because a few bytes can expand to gigabytes. The LZ4 and zstd packages are
imported on first use: most processes do not need them.

Source: ``MessageSysFlag`` and ``CompressorFactory`` of RocketMQ 5.
"""

from __future__ import annotations

import io
import zlib

from rocketmq_tw.model.sysflag import (
    COMPRESSED,
    COMPRESSION_LZ4,
    COMPRESSION_MASK,
    COMPRESSION_ZLIB,
    COMPRESSION_ZSTD,
)
from rocketmq_tw.wire.errors import LocalProtocolError, ProtocolError

#: The default level of producers.
DEFAULT_LEVEL = 5

_STEP = 1 << 16


class BadCompression(ProtocolError):
    """A body cannot be decompressed, or its kind of compression is unknown."""


class BodyTooLarge(ProtocolError):
    """A body would exceed the limit after decompression."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"the body decompresses to more than {self.limit} bytes"


class ZlibReader:
    """
    Inflates a zlib stream as it is read: never more than is asked for, and one step.

    :param limit: the most bytes that the whole may have.
    """

    def __init__(self, data: bytes, limit: int) -> None:
        self._data = memoryview(data)
        #: How much of the data was given to the stream.
        self._at = 0
        self._stream = zlib.decompressobj()
        #: Inflated, and not read yet.
        self._held = bytearray()
        #: How many bytes may still come out; below zero there was one too many.
        self._left = limit
        self._limit = limit

    @property
    def left(self) -> int:
        """The most bytes that can still be read."""
        return len(self._held) + self._left

    def read(self, size: int) -> bytes:
        """
        Read so many bytes, fewer at the end of the stream.

        :raises BadCompression: the stream is damaged or cut short.
        :raises BodyTooLarge: more than the limit comes out.
        """
        while len(self._held) < size and self._fill():
            pass
        read = bytes(self._held[:size])
        del self._held[:size]
        return read

    def has_more(self) -> bool:
        """Return whether the stream goes on; at its end its checksum is verified."""
        return bool(self._held) or self._fill()

    def _fill(self) -> bool:
        """Inflate one step; return False at the end of the stream."""
        stream = self._stream
        while not stream.eof:
            data: bytes | memoryview = stream.unconsumed_tail
            if not data:
                data = self._data[self._at : self._at + _STEP]
                self._at += len(data)
            try:
                piece = stream.decompress(data, _STEP)
            except zlib.error as error:
                raise BadCompression(str(error)) from error
            if piece:
                self._left -= len(piece)
                if self._left < 0:
                    raise BodyTooLarge(self._limit)
                self._held += piece
                return True
            if not data:
                raise BadCompression("the zlib stream is cut short")
        return False


def inflate(body: bytes, sys_flag: int, limit: int) -> bytes:
    """
    Decompress a body according to its message's sysFlag; return a plain body unchanged.

    :param limit: the largest decompressed size, in bytes.
    :raises BodyTooLarge: it is larger; at most one byte more was decompressed.
    :raises BadCompression: the bytes are damaged, or the kind is unknown.
    """
    if not sys_flag & COMPRESSED:
        return body
    kind = sys_flag & COMPRESSION_MASK
    if kind in (0, COMPRESSION_ZLIB):
        plain = _inflate_zlib(body, limit + 1)
    elif kind == COMPRESSION_LZ4:
        plain = _inflate_lz4(body, limit + 1)
    elif kind == COMPRESSION_ZSTD:
        plain = _inflate_zstd(body, limit + 1)
    else:
        raise BadCompression(f"unknown kind {kind:#x}")
    if len(plain) > limit:
        raise BodyTooLarge(limit)
    return plain


def deflate(body: bytes, kind: int, level: int = DEFAULT_LEVEL) -> bytes:
    """
    Compress a body.

    The result may be a few bytes larger than the body. Compare the sizes, and send the
    body uncompressed, without ``COMPRESSED`` in sysFlag, if nothing is gained.

    :param kind: one of the kinds of :mod:`rocketmq_tw.model.sysflag`, where 0 means
        zlib; it has to be set in sysFlag, with ``COMPRESSED``.
    :param level: in the scale of the kind; LZ4 ignores it, as in Apache RocketMQ.
    :raises LocalProtocolError: the kind is unknown.
    """
    if kind in (0, COMPRESSION_ZLIB):
        return zlib.compress(body, level)
    if kind == COMPRESSION_LZ4:
        import lz4.frame  # type: ignore[import-untyped]

        # Java's LZ4FrameInputStream does not accept blocks that depend on each other.
        compressed: bytes = lz4.frame.compress(body, block_linked=False)
        return compressed
    if kind == COMPRESSION_ZSTD:
        import zstandard

        return zstandard.ZstdCompressor(level=level).compress(body)
    raise LocalProtocolError(f"unknown kind of compression {kind:#x}")


def _inflate_zlib(body: bytes, limit: int) -> bytes:
    """Decompress one zlib stream, at most ``limit`` bytes of it."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(body, limit)
    except zlib.error as error:
        raise BadCompression(str(error)) from error
    if not stream.eof and len(plain) < limit:
        raise BadCompression("the zlib stream is cut short")
    return plain


def _inflate_lz4(body: bytes, limit: int) -> bytes:
    """Decompress one LZ4 frame, at most ``limit`` bytes of it."""
    import lz4.frame

    stream = lz4.frame.LZ4FrameDecompressor()
    try:
        pieces: list[bytes] = [stream.decompress(body, max_length=limit)]
        size = len(pieces[0])
        # A call may stop short of max_length at the end of a block.
        while size < limit and not stream.eof and not stream.needs_input:
            pieces.append(stream.decompress(b"", max_length=limit - size))
            size += len(pieces[-1])
    except RuntimeError as error:
        raise BadCompression(str(error)) from error
    plain = b"".join(pieces)
    if not stream.eof and len(plain) < limit:
        raise BadCompression("the LZ4 frame is cut short")
    return plain


def _inflate_zstd(body: bytes, limit: int) -> bytes:
    """Decompress zstd frames, at most ``limit`` bytes of them."""
    import zstandard

    if len(body) < 4:
        raise BadCompression("the zstd frame is cut short")
    pieces = []
    size = 0
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(
            io.BytesIO(body), read_across_frames=True
        )
        while size < limit and (piece := reader.read(min(_STEP, limit - size))):
            pieces.append(piece)
            size += len(piece)
    except zstandard.ZstdError as error:
        raise BadCompression(str(error)) from error
    plain = b"".join(pieces)
    _check_zstd_end(body, plain, limit)
    return plain


def _check_zstd_end(body: bytes, plain: bytes, limit: int) -> None:
    """Refuse an incomplete frame: the reader reports no error there."""
    import zstandard

    if len(plain) >= limit:
        return
    stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    stream.decompress(body)
    if not stream.eof:
        raise BadCompression("the zstd frame is cut short")
