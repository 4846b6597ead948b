"""
How far timed messages are delivered, and how many wait; slaves ask for both. How many
half messages are pending; that is only in a file.

Source: ``TimerCheckpoint``, ``TimerMetricsSerializeWrapper`` and
``TransactionMetricsSerializeWrapper`` of RocketMQ 5.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField

_CHECK_POINT = struct.Struct(">7q")


class TimerCheckPoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    How far timed messages are delivered: seven numbers of 8 bytes.

    :ivar last_read_ms: up to when, since the epoch.
    :ivar log_position: up to where the timer's log is on disk.
    :ivar queue_offset: up to where the queue of timed messages is in that log.
    :ivar master_queue_offset: the same, of the master.
    """

    last_read_ms: int
    log_position: int = 0
    queue_offset: int = 0
    master_queue_offset: int = 0
    version: DataVersion = DataVersion()

    def encode(self) -> bytes:
        """Encode the numbers."""
        version = self.version
        return _CHECK_POINT.pack(
            self.last_read_ms,
            self.log_position,
            self.queue_offset,
            self.master_queue_offset,
            version.state_version,
            version.timestamp,
            version.counter,
        )

    @classmethod
    def decode(cls, data: bytes) -> TimerCheckPoint:
        """
        Decode the numbers.

        :raises BadField: there are fewer.
        """
        if len(data) < _CHECK_POINT.size:
            found = f"{len(data)} bytes"
            raise BadField("body", found, f"{_CHECK_POINT.size} bytes")
        read, log, queue, master, state, timestamp, counter = _CHECK_POINT.unpack_from(
            data
        )
        return cls(
            last_read_ms=read,
            log_position=log,
            queue_offset=queue,
            master_queue_offset=master,
            version=DataVersion(timestamp, counter, state),
        )


class TimerMetricsTable(Body, frozen=True):
    """How many timed messages of each topic wait."""

    timing_count: dict[str, Any] = {}
    data_version: DataVersion = DataVersion()


class TransactionMetricsTable(Body, frozen=True):
    """How many half messages of each topic are pending."""

    transaction_count: dict[str, Any] = {}
    data_version: DataVersion = DataVersion()
