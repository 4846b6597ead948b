"""Frames of responses that were encoded before their code was known."""

from __future__ import annotations

from rocketmq_tw.wire.frame import BINARY, join

#: How every JSON header begins that we write.
_CODE_FIRST = b'{"code":'


def with_code(frame: bytes, code: int) -> bytes:
    """Return the frame of a response with another code, and all else as it is."""
    kind, size = frame[4], int.from_bytes(frame[5:8], "big")
    header, body = frame[8 : 8 + size], frame[8 + size :]
    if kind == BINARY:
        header = code.to_bytes(2, "big") + header[2:]
    else:
        end = header.index(b",", len(_CODE_FIRST))
        header = b"%b%d%b" % (_CODE_FIRST, code, header[end:])
    return join(kind, header, body)
