"""Tests of rocketmq_tw.wire.bodies.revive: texts of Apache RocketMQ's classes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.bodies.revive import AckRecord, CheckPoint

OLD = (
    b'{"bm":0,"bn":"b1","c":"G","d":[0,1,4],"it":60000,"n":3,"pt":1700000000000,'
    b'"q":0,"reviveTime":1700000060000,"ro":0,"so":5,"t":"T"}'
)
NEW = OLD.replace(b'"so":5,', b'"so":5,"sp":false,')
ACK = b'{"ao":6,"bn":"b1","c":"G","pt":1700000000000,"q":0,"so":5,"t":"T"}'
BATCH = (
    b'{"ao":-1,"aol":[1,2],"bn":"b1","c":"GP","pt":1795732182459,"q":1,"so":0,"t":"TP"}'
)


class ReviveLogTests(SynchronousTestCase):
    """The records of 5.3.3 and 5.5.1."""

    def test_check_point(self) -> None:
        """Both versions are read; ours is the newer one, byte by byte."""
        read = CheckPoint.decode(OLD)
        self.assertEqual(list(read.offsets), [5, 6, 9])
        self.assertEqual(read, CheckPoint.decode(NEW))
        self.assertEqual(read.encode(), NEW)

    def test_neighbours(self) -> None:
        """Without differences the messages follow each other."""
        for text in (b'"d":[],', b""):
            read = CheckPoint.decode(OLD.replace(b'"d":[0,1,4],', text))
            self.assertEqual(list(read.offsets), [5, 6, 7])

    def test_written_again(self) -> None:
        """How often a check point was written again is a text."""
        read = CheckPoint.decode(OLD.replace(b'"so"', b'"rp":"2","so"'))
        self.assertEqual(read.reputs, "2")

    def test_acks(self) -> None:
        """One acknowledgement, and several."""
        for text, offsets in ((ACK, [6]), (BATCH, [1, 2])):
            read = AckRecord.decode(text)
            self.assertEqual(list(read.acknowledged()), offsets)
            self.assertEqual(read.encode(), text)
