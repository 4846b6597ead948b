"""Tests of rocketmq_tw.wire.bodies.dataversion."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.dataversion import DataVersion


class DataVersionTests(SynchronousTestCase):
    """Two states of a table have different versions."""

    def test_next(self) -> None:
        """A change counts one up and notes its time."""
        self.assertEqual(DataVersion(5, 7, 2).next(9), DataVersion(9, 8, 0))
        self.assertEqual(DataVersion().next(9, 3), DataVersion(9, 1, 3))

    def test_largest_counter(self) -> None:
        """The counter continues at Java's smallest long, which can be read again."""
        following = DataVersion(5, (1 << 63) - 1).next(9)
        self.assertEqual(following.counter, -(1 << 63))
        self.assertEqual(DataVersion.decode(following.encode()), following)

    def test_4_9(self) -> None:
        """Without a state version it is 0."""
        self.assertEqual(
            DataVersion.decode(b'{"counter":1,"timestamp":5}'), DataVersion(5, 1, 0)
        )


class OrderTests(SynchronousTestCase):
    """Which of two versions is older."""

    def test_is_older_than(self) -> None:
        """The state counts first, then the counter, then the time."""
        versions = [
            DataVersion(9, 9, 0),
            DataVersion(8, 1, 1),
            DataVersion(1, 2, 1),
            DataVersion(2, 2, 1),
        ]
        for older, newer in zip(versions, versions[1:], strict=False):
            self.assertTrue(older.is_older_than(newer))
            self.assertFalse(newer.is_older_than(older))
            self.assertFalse(older.is_older_than(older))
