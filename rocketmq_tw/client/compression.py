"""Compressing the bodies of messages that are sent."""

from __future__ import annotations

from rocketmq_tw.model.sysflag import COMPRESSED, COMPRESSION_ZLIB
from rocketmq_tw.wire.compression import DEFAULT_LEVEL, deflate

#: Bodies of at least so many bytes are compressed, unless configured otherwise.
COMPRESS_FROM = 4096


def compress(body: bytes, level: int = DEFAULT_LEVEL) -> tuple[bytes, int]:
    """
    Compress a body with zlib, unless that does not make it smaller.

    Random bytes grow, and may grow beyond what brokers accept.

    :returns: the body to send, and its flags.
    """
    deflated = deflate(body, COMPRESSION_ZLIB, level)
    if len(deflated) >= len(body):
        return body, 0
    return deflated, COMPRESSED | COMPRESSION_ZLIB
