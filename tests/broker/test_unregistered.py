"""Tests of what a name server does not know yet."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.broker.unregistered import Part, Piece, Unregistered
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody, decode_registration
from tests.broker.doubles import MemoryFile

FIRST, NEXT, LAST, CHANGES = Part.FIRST, Part.NEXT, Part.LAST, Part.CHANGES


class UnregisteredTests(SynchronousTestCase):
    """A table of ten topics, of which a piece has four."""

    def setUp(self) -> None:
        """Make the table."""
        self.topics = TopicTable(MemoryFile(), "C", "b", clock=Clock())
        for number in range(10):
            self.topics.put(TopicConfig(f"T{number}"))
        self.left = Unregistered(self.topics, size=500)
        self.topics.on_change.append(self.left.change)

    def body(self, piece: Piece) -> RegisterBrokerBody:
        """Decode what is registered."""
        return decode_registration(piece.body)

    def names(self, piece: Piece) -> list[str]:
        """List the topics of a piece."""
        return list(self.body(piece).topic_table.topic_config_table)

    def version(self, piece: Piece) -> DataVersion:
        """Return the version under which a piece is registered."""
        return self.body(piece).topic_table.data_version

    def rest(self) -> list[Piece]:
        """Take everything that is left."""
        pieces = []
        while self.left.has_more:
            pieces.append(self.left.next())
        return pieces

    def test_whole(self) -> None:
        """Each topic once; only the last piece has the version of the table."""
        self.left.restart()
        self.assertTrue(self.left.lacks_table)
        pieces = self.rest()
        self.assertFalse(self.left.lacks_table)
        self.assertEqual([each.part for each in pieces], [FIRST, NEXT, LAST])
        names = [name for each in pieces for name in self.names(each)]
        self.assertEqual(names, list(self.topics.table))
        *others, last = map(self.version, pieces)
        self.assertEqual(last, self.topics.data_version)
        self.assertEqual([each.counter for each in others], [-1, -2])

    def test_versions_differ_each_time(self) -> None:
        """A name server that knows one from before takes the next."""
        self.left.restart()
        seen = [self.version(self.left.next())]
        self.left.restart()
        seen += map(self.version, self.rest())
        self.assertEqual(len(set(seen)), 4)

    def test_small(self) -> None:
        """A table that one registration can have comes whole, under its version."""
        left = Unregistered(self.topics)
        self.assertFalse(left.is_large)
        left.restart()
        left.change("T1")
        piece = left.next()
        self.assertFalse(left.has_more)
        self.assertEqual((piece.part, piece.has_changes), (None, True))
        self.assertEqual(self.version(piece), self.topics.data_version)

    def test_change(self) -> None:
        """Only what has changed is registered, under the new version."""
        self.topics.put(TopicConfig("New"))
        self.topics.delete("T0")
        (piece,) = self.rest()
        self.assertEqual((piece.part, piece.has_changes), (CHANGES, True))
        self.assertEqual(self.names(piece), ["New"])
        self.assertEqual(self.body(piece).deleted_topics, ("T0",))
        self.assertEqual(self.version(piece), self.topics.data_version)

    def test_many_changes(self) -> None:
        """They come in pieces; who waits for all of them waits for the last."""
        for number in range(6):
            self.topics.put(TopicConfig(f"New{number}"))
        pieces = self.rest()
        self.assertEqual([each.has_changes for each in pieces], [False, True])
        self.assertEqual([each.part for each in pieces], [CHANGES, CHANGES])
        self.assertNotEqual(self.version(pieces[0]), self.topics.data_version)
        self.assertEqual(self.version(pieces[1]), self.topics.data_version)

    def test_change_meanwhile(self) -> None:
        """Changes go before what is left of the table, but not before all of it."""
        self.left.restart()
        self.topics.put(TopicConfig("New"))
        first = self.left.next()
        self.assertEqual((first.part, first.has_changes), (FIRST, False))
        second = self.left.next()
        self.assertEqual((second.part, second.has_changes), (CHANGES, True))
        self.assertEqual(self.names(second), ["New"])
        self.assertNotEqual(self.version(second), self.topics.data_version)
        *_, last = self.rest()
        self.assertEqual(self.version(last), self.topics.data_version)

    def test_deleted_meanwhile(self) -> None:
        """A topic that is deleted before its piece is not in it."""
        self.left.restart()
        self.left.next()
        gone = list(self.topics.table)[-1]
        self.topics.delete(gone)
        names = [name for each in self.rest() for name in self.names(each)]
        self.assertNotIn(gone, names)

    def test_repeat(self) -> None:
        """What is known goes again under the same version, in pieces."""
        self.left.repeat()
        self.assertFalse(self.left.lacks_table)
        self.assertTrue(self.left.is_large)
        pieces = self.rest()
        self.assertEqual([each.part for each in pieces], [CHANGES] * 3)
        versions = set(map(self.version, pieces))
        self.assertEqual(versions, {self.topics.data_version})

    def test_repeat_of_what_is_not_known(self) -> None:
        """A table that is lacking stays so."""
        self.left.restart()
        self.left.next()
        self.left.repeat()
        self.assertTrue(self.left.lacks_table)
        self.assertEqual([each.part for each in self.rest()], [NEXT, LAST])

    def test_work_of_a_change(self) -> None:
        """What is encoded for a new topic does not depend on the table's size."""
        for number in range(5000):
            self.topics.table[f"Many{number}"] = TopicConfig(f"Many{number}")
        self.topics.put(TopicConfig("New"))
        (piece,) = self.rest()
        self.assertLess(len(piece.body), 600)
