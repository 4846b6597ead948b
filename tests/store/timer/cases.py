"""A timer's wheel and log, with few slots and small files."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from unittest import TestCase

from msgspec.structs import astuple

from rocketmq_tw.store.files.reads import Reads
from rocketmq_tw.store.files.segments import MappedFileQueue, OpenFiles
from rocketmq_tw.store.timer.layout import (
    NONE,
    PLAIN,
    RECORD,
    RECORD_SIZE,
    SLOT,
    Link,
)
from rocketmq_tw.store.timer.log import TimerLog
from rocketmq_tw.store.timer.wheel import TimerWheel

#: A file holds ten records, and the mark of its end.
FILE_SIZE = 10 * 52 + 30
SLOTS = 64
#: 2023-11-14 22:13:20 UTC.
NOW_MS = 1_700_000_000_000


def folder(case: TestCase) -> str:
    """Make a folder where files take no time."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = TemporaryDirectory(prefix="rocketmq-", dir=base)
    case.addCleanup(made.cleanup)
    return made.name


def log_in(path: str, file_size: int = FILE_SIZE) -> TimerLog:
    """Open a log."""
    queue = MappedFileQueue(os.path.join(path, "timerlog"), file_size, OpenFiles())
    queue.load()
    return TimerLog(queue, Reads())


def empty_wheel(slots: int = SLOTS, precision_ms: int = 1000) -> TimerWheel:
    """Make a wheel in memory."""
    return TimerWheel(bytearray(slots * SLOT.size), precision_ms, slots)


def link(offset: int, slot_ms: int = NOW_MS, previous: int = NONE) -> Link:
    """Make a record."""
    return Link(previous, PLAIN, NOW_MS - 5000, slot_ms - NOW_MS + 5000, offset, 99, 7)


def encode(link: Link) -> bytes:
    """Encode a record."""
    return RECORD.pack(RECORD_SIZE, *astuple(link), 0)


def append(log: TimerLog, *links: Link) -> list[int]:
    """Append records; return their positions."""
    positions = log.positions(len(links))
    if links:
        log.append([encode(each) for each in links], positions)
    return positions
