"""Compresses the bodies of messages to send."""

from __future__ import annotations

from rocketmq_tw.model.sysflag import COMPRESSED, COMPRESSION_ZLIB
from rocketmq_tw.wire.compression import DEFAULT_LEVEL, deflate

#: Bytes; smaller bodies are not compressed by default.
COMPRESS_FROM = 4096


def compress(body: bytes, level: int = DEFAULT_LEVEL) -> tuple[bytes, int]:
    """
    Compress a body with zlib, unless that makes it larger.

    Random bytes grow, possibly beyond the broker's limit.

    :returns: the body to send, and its flags.
    """
    deflated = deflate(body, COMPRESSION_ZLIB, level)
    if len(deflated) >= len(body):
        return body, 0
    return deflated, COMPRESSED | COMPRESSION_ZLIB
