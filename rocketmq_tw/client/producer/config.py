"""The options of a producer."""

from __future__ import annotations

from typing import Literal, TypedDict

import msgspec

from rocketmq_tw.client.compression import COMPRESS_FROM
from rocketmq_tw.wire.compression import DEFAULT_LEVEL


class ProducerOptions(TypedDict, total=False):
    """The fields of :class:`ProducerConfig`, for type checkers and completion."""

    timeout: float
    retries: int
    max_in_flight: int
    max_in_flight_bytes: int
    overflow: Literal["wait", "fail"]
    compress_from: int
    compress_level: int
    max_message_size: int
    require_ok: bool


class ProducerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options of a producer. Times are in seconds, sizes in bytes.

    :ivar timeout: for one message, all attempts together.
    :ivar retries: how many more attempts may follow one that a broker refused or did
        not respond to; 0 makes one attempt, whatever becomes of it. Otherwise a broker
        that cannot be reached is tried until the time is up.
    :ivar overflow: whether a message beyond the two limits of what is in flight waits
        until there is capacity, or fails.
    :ivar compress_from: bodies of at least so many bytes are compressed (zlib).
    :ivar max_message_size: of a body before it is compressed, or of a batch.
    :ivar require_ok: whether a message that was stored, though not as safely as
        configured at the broker, is a failure.
    """

    timeout: float = 3.0
    retries: int = 2
    max_in_flight: int = 1024
    max_in_flight_bytes: int = 64 * 1024 * 1024
    overflow: Literal["wait", "fail"] = "wait"
    compress_from: int = COMPRESS_FROM
    compress_level: int = DEFAULT_LEVEL
    max_message_size: int = 4 * 1024 * 1024
    require_ok: bool = False
