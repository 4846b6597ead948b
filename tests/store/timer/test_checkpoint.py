"""``timercheck``, as another broker writes it and as this one does."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.errors import StoreUnreadable
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.timer.checkpoint import OwnCheck, TimerCheckFile
from rocketmq_tw.store.timer.timers import Passed
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint
from tests.store.timer.cases import NOW_MS, folder

#: After six messages were delivered by RocketMQ 5.3.3.
FOREIGN = bytes.fromhex(
    "000001a219f8de70"  # slots before this time are done
    "0000000000000138"  # the log is flushed
    "0000000000000006"  # linked
    "0000000000000006"  # by the master, too
    "0000000000000000"
    "000001a219f8dec8"
    "0000000000000019"
)
NUMBERS = TimerCheckPoint(
    last_read_ms=0x1A219F8DE70,
    log_position=0x138,
    queue_offset=6,
    master_queue_offset=6,
    version=DataVersion(0x1A219F8DEC8, 25, 0),
)
OWN = OwnCheck(
    precision_ms=1000,
    scan_from=4711,
    is_clean=True,
    read_again_until=3,
    due_from_ms=NOW_MS,
    passed=(Passed(NOW_MS, 104), Passed(NOW_MS + 1000, 52)),
)


class CheckFileTests(SynchronousTestCase):
    """A file of 4096 bytes."""

    def setUp(self) -> None:
        """Use a path in a folder that does not exist yet."""
        self.path = os.path.join(folder(self), "config", "timercheck")
        self.file = TimerCheckFile(self.path, Disk())

    def data(self) -> bytes:
        """Read all bytes."""
        with open(self.path, "rb") as file:
            return file.read()

    def write(self, data: bytes) -> None:
        """Write all bytes."""
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "wb") as file:
            file.write(data)

    def test_absent(self) -> None:
        """No file, or an empty one, says nothing."""
        self.assertIsNone(self.file.load())
        self.write(b"")
        self.assertIsNone(self.file.load())

    def test_of_another(self) -> None:
        """The numbers of another broker are read."""
        self.write(FOREIGN.ljust(4096, b"\0"))
        self.assertEqual(self.file.load(), (NUMBERS, None))

    def test_own(self) -> None:
        """What this broker adds is read back, behind the numbers of all brokers."""
        self.file.write(NUMBERS, OWN)
        self.assertEqual((len(self.data()), self.data()[:56]), (4096, FOREIGN))
        self.assertEqual(self.file.load(), (NUMBERS, OWN))

    def test_another_wrote_last(self) -> None:
        """What this broker added does not count when the numbers are others."""
        self.file.write(NUMBERS, OWN)
        data = bytearray(self.data())
        for at in (0, 15, 23, 55):
            changed = bytearray(data)
            changed[at] ^= 1
            self.write(changed)
            loaded = self.file.load()
            assert loaded is not None
            self.assertIsNone(loaded[1])

    def test_torn(self) -> None:
        """A part of what this broker adds does not count."""
        self.file.write(NUMBERS, OWN)
        data = self.data().rstrip(b"\0")
        for size in range(56, len(data)):
            self.write(data[:size].ljust(4096, b"\0"))
            loaded = self.file.load()
            assert loaded is not None
            self.assertIn(loaded[1], (None, OWN))
            self.assertEqual(loaded[0], NUMBERS)

    def test_too_short(self) -> None:
        """A file without all numbers is no check point."""
        self.write(FOREIGN[:55])
        self.assertRaises(StoreUnreadable, self.file.load)
