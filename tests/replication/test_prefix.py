"""Whether one log is the beginning of another."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.replication.prefix import Bounds, CannotFollow, OwnLog, check_prefix


class FakeLog:
    """A master's log with one record at 90."""

    def __init__(self, begin: int, end: int, record: bytes | None = b"same") -> None:
        self._bounds = Bounds(begin, end)
        self._record = record
        self.asked: list[int] = []

    async def bounds(self) -> Bounds:
        """Return its bounds."""
        return self._bounds

    async def record_at(self, offset: int) -> bytes | None:
        """Return the record."""
        self.asked.append(offset)
        return self._record


OWN = OwnLog(is_empty=False, end=100, last_offset=90, last_record=b"same")


class PrefixTests(SynchronousTestCase):
    """What may follow, and what may not."""

    def checked(self, own: OwnLog, master: FakeLog) -> Bounds:
        """Compare two logs."""
        done = Deferred.fromCoroutine(check_prefix(own, master))
        return self.successResultOf(done)

    def refused(self, own: OwnLog, master: FakeLog) -> str:
        """Compare two logs; return why one cannot follow."""
        done = Deferred.fromCoroutine(check_prefix(own, master))
        return str(self.failureResultOf(done, CannotFollow).value)

    def test_prefix(self) -> None:
        """As long as the master's, or shorter."""
        for end in (100, 500):
            master = FakeLog(0, end)
            self.assertEqual(self.checked(OWN, master), Bounds(0, end))
            self.assertEqual(master.asked, [90])

    def test_empty(self) -> None:
        """There is nothing to compare."""
        own = OwnLog(is_empty=True, end=0, last_offset=0, last_record=None)
        master = FakeLog(50, 60)
        self.assertEqual(self.checked(own, master), Bounds(50, 60))
        self.assertEqual(master.asked, [])

    def test_last_record_is_deleted_there(self) -> None:
        """The logs meet at the start of the master's oldest file."""
        master = FakeLog(100, 500)
        self.checked(OWN, master)
        self.assertEqual(master.asked, [])

    def test_longer(self) -> None:
        """It says which is which, and what to do."""
        said = self.refused(OWN, FakeLog(0, 99))
        self.assertIn("ends at 100, the master's at 99", said)
        self.assertIn("move its commitlog, consumequeue and index folders away", said)

    def test_behind(self) -> None:
        """The master has deleted what comes next."""
        self.assertIn(
            "deleted everything before 101", self.refused(OWN, FakeLog(101, 500))
        )

    def test_other_record(self) -> None:
        """Another one, or none."""
        for record in (b"other", None):
            said = self.refused(OWN, FakeLog(0, 500, record))
            self.assertIn("the messages at offset 90 are not the same", said)
