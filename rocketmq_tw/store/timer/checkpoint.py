"""
``config/timercheck``: how far timed messages are linked and delivered.

The file has 4096 bytes. It begins with the seven numbers of Apache RocketMQ
(:class:`~rocketmq_tw.wire.bodies.other_tables.TimerCheckPoint`). Behind them is what a
restart of this broker needs to deliver nothing twice; it counts only if those numbers
are the ones that it was written with::

    magic 8    precision 8    scan from 8    is clean 8
    read again until 8    due from 8    count 8    (time 8  position 8) x 8
    CRC of all before 4

``scan from`` is a commit log offset: what was delivered of slots that are not done, and
of what was not linked, is behind it.

Source: ``TimerCheckpoint`` of RocketMQ 5.
"""

from __future__ import annotations

import os
import struct
from zlib import crc32

import msgspec

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.timer.timers import MAX_PASSED, Passed
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint

_SIZE = 4096
_MAGIC = b"RMQTWTC1"
_OWN = struct.Struct(f">8s6q{2 * MAX_PASSED}q")
_CRC = struct.Struct(">I")
_NUMBERS = TimerCheckPoint(last_read_ms=0).encode()


class OwnCheck(msgspec.Struct, frozen=True, kw_only=True):
    """
    What this broker adds.

    :ivar precision_ms: the time from one slot to the next.
    :ivar scan_from: the commit log offset behind which deliveries may be that the
        numbers do not say.
    :ivar is_clean: nothing was linked or delivered after that.
    :ivar read_again_until: the queue offset up to which the timer's queue is read a
        second time, as its log was lost; what was due before ``due_from_ms`` is
        delivered.
    :ivar passed: see :class:`~rocketmq_tw.store.timer.timers.Timers`.
    """

    precision_ms: int
    scan_from: int
    is_clean: bool = False
    read_again_until: int = 0
    due_from_ms: int = 0
    passed: tuple[Passed, ...] = ()

    def encode(self, numbers: bytes) -> bytes:
        """Encode it, to stand behind these numbers."""
        passed: list[int] = []
        for each in self.passed[:MAX_PASSED]:
            passed += (each.until_ms, each.end)
        passed += [0] * (2 * MAX_PASSED - len(passed))
        count = min(len(self.passed), MAX_PASSED)
        own = _OWN.pack(
            _MAGIC,
            self.precision_ms,
            self.scan_from,
            self.is_clean,
            self.read_again_until,
            self.due_from_ms,
            count,
            *passed,
        )
        return own + _CRC.pack(crc32(numbers + own))


def decode_own(data: bytes) -> OwnCheck | None:
    """Decode what this broker added to a file; None if another one wrote last."""
    numbers, own = data[: len(_NUMBERS)], data[len(_NUMBERS) :]
    if len(own) < _OWN.size + _CRC.size:
        return None
    checked = _CRC.unpack_from(own, _OWN.size)[0]
    if crc32(numbers + own[: _OWN.size]) != checked:
        return None
    magic, precision_ms, scan_from, is_clean, again, due, count, *passed = (
        _OWN.unpack_from(own)
    )
    if magic != _MAGIC or not 0 <= count <= MAX_PASSED:
        return None
    pairs = zip(passed[::2], passed[1::2], strict=True)
    kept = tuple(Passed(until, end) for until, end in pairs)[:count]
    return OwnCheck(
        precision_ms=precision_ms,
        scan_from=scan_from,
        is_clean=bool(is_clean),
        read_again_until=again,
        due_from_ms=due,
        passed=kept,
    )


class TimerCheckFile:
    """The file at a path. Its methods block."""

    def __init__(self, path: str, disk: Disk) -> None:
        self.path = path
        self._disk = disk

    def load(self) -> tuple[TimerCheckPoint, OwnCheck | None] | None:
        """
        Read the file; None if there is none.

        :raises StoreUnreadable: it is too short.
        """
        try:
            with open(self.path, "rb") as file:
                data = file.read(_SIZE)
        except FileNotFoundError:
            return None
        if not data:
            return None
        if len(data) < len(_NUMBERS):
            raise StoreUnreadable(self.path, f"it has {len(data)} bytes")
        return TimerCheckPoint.decode(data[: len(_NUMBERS)]), decode_own(data)

    def write(self, numbers: TimerCheckPoint, own: OwnCheck) -> None:
        """Write the file in place, without an fsync."""
        head = numbers.encode()
        self._write(head + own.encode(head))

    def write_numbers(self, numbers: TimerCheckPoint) -> None:
        """Do as :meth:`write`, as another broker does."""
        self._write(
            numbers.encode().ljust(len(_NUMBERS) + _OWN.size + _CRC.size, b"\0")
        )

    def _write(self, data: bytes) -> None:
        """Write the beginning of the file, which has its length."""
        self._disk.make_directories(os.path.dirname(self.path))
        descriptor = self._disk.open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            self._disk.set_size(descriptor, _SIZE)
            self._disk.write(descriptor, data, 0)
        finally:
            os.close(descriptor)
