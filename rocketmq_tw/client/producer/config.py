"""The options of a producer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

import msgspec

from rocketmq_tw.client.compression import (
    COMPRESS_FROM,
    IN_THREAD_FROM,
    CompressType,
    check_compression,
)
from rocketmq_tw.wire.compression import DEFAULT_LEVEL

if TYPE_CHECKING:
    from rocketmq_tw.client.producer.selectors import Key, Selector
    from rocketmq_tw.model.queue import MessageQueue


class SendOptions(TypedDict, total=False):
    """The options of :meth:`.Producer.send` and of its relatives."""

    queue: MessageQueue | None
    key: Key | None
    selector: Selector | None
    timeout: float | None


class BatchOptions(SendOptions, total=False):
    """The options of :meth:`.Producer.send_batches`."""

    max_size: int


class ProducerOptions(TypedDict, total=False):
    """The fields of :class:`ProducerConfig`, for type checkers and completion."""

    timeout: float
    retries: int
    max_in_flight: int
    max_in_flight_bytes: int
    overflow: Literal["wait", "fail"]
    compress_from: int
    compress_level: int
    compress_type: CompressType
    compress_in_thread_from: int
    max_message_size: int
    require_ok: bool
    trace: bool | str


class ProducerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """
    The options of a producer. Times are in seconds, sizes in bytes.

    :ivar timeout: the timeout of one message, for all attempts together.
    :ivar retries: how many more attempts may follow one that a broker refused or did
        not respond to; 0 makes exactly one attempt. Otherwise a broker
        that cannot be reached is retried until the timeout.
    :ivar overflow: whether a message beyond the two in-flight limits waits
        until there is capacity, or fails.
    :ivar compress_from: bodies of at least this size are compressed, unless that makes
        them larger.
    :ivar compress_level: how well, and how slowly: 0 to 9 for zlib, 1 to 22 for zstd.
    :ivar compress_type: ``zlib``, which all clients read; ``lz4`` or ``zstd``, which
        those of Java from 5.0 on read, and ours.
    :ivar compress_in_thread_from: bodies of at least this size are compressed in a
        thread, one after another.
    :ivar max_message_size: the largest body before compression, or batch.
    :ivar require_ok: whether a send fails if the message was stored but the durability
        configured at the broker was not reached.
    :ivar trace: whether traces of the messages are written; a text is their topic.
    """

    timeout: float = 3.0
    retries: int = 2
    max_in_flight: int = 1024
    max_in_flight_bytes: int = 64 * 1024 * 1024
    overflow: Literal["wait", "fail"] = "wait"
    compress_from: int = COMPRESS_FROM
    compress_level: int = DEFAULT_LEVEL
    compress_type: CompressType = "zlib"
    compress_in_thread_from: int = IN_THREAD_FROM
    max_message_size: int = 4 * 1024 * 1024
    require_ok: bool = False
    trace: bool | str = False

    def __post_init__(self) -> None:
        """
        Check how bodies are compressed.

        :raises ValidationError: there is no such kind or level.
        """
        check_compression(self.compress_type, self.compress_level)
