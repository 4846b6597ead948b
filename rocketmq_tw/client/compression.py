"""Compresses the bodies of messages to send."""

from __future__ import annotations

from typing import Final, Literal

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.sysflag import (
    COMPRESSED,
    COMPRESSION_LZ4,
    COMPRESSION_ZLIB,
    COMPRESSION_ZSTD,
)
from rocketmq_tw.wire.compression import DEFAULT_LEVEL, deflate

#: Bytes; smaller bodies are not compressed by default.
COMPRESS_FROM = 4096
#: Bytes; larger bodies are compressed in a thread by default: zlib takes some 2 ms.
IN_THREAD_FROM = 128 << 10

CompressType = Literal["zlib", "lz4", "zstd"]
#: The kinds, with the flags of each and its levels.
_KINDS: Final = {
    "zlib": (COMPRESSION_ZLIB, range(10)),
    "lz4": (COMPRESSION_LZ4, range(23)),
    "zstd": (COMPRESSION_ZSTD, range(1, 23)),
}


def check_compression(kind: str, level: int) -> None:
    """
    Check the options of a producer.

    :raises ValidationError: there is no such kind, or it has no such level.
    """
    if kind not in _KINDS:
        raise ValidationError(f"compress_type is {kind!r}; expected zlib, lz4 or zstd")
    levels = _KINDS[kind][1]
    if level not in levels:
        raise ValidationError(
            f"compress_level is {level}; {kind} has {levels[0]} to {levels[-1]}"
        )


def compress(
    body: bytes, level: int = DEFAULT_LEVEL, kind: CompressType = "zlib"
) -> tuple[bytes, int]:
    """
    Compress a body, unless that makes it larger.

    Random bytes grow, possibly beyond the broker's limit.

    :param level: in the scale of the kind; LZ4 ignores it, as in Apache RocketMQ.
    :returns: the body to send, and its flags.
    """
    flag = _KINDS[kind][0]
    deflated = deflate(body, flag, level)
    if len(deflated) >= len(body):
        return body, 0
    return deflated, COMPRESSED | flag
