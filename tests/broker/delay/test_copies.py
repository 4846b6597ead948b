"""Tests of the delay offsets that slaves copy."""

from __future__ import annotations

from twisted.logger import capturedLogs

from rocketmq_tw.broker.slave.sync import COPY_PERIOD
from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.requests.offset import GetAllDelayOffset
from tests.broker.slave.cases import PairCase


class CopyTests(PairCase):
    """The delivered offset of each level."""

    def copy(self) -> None:
        """Wait for the next copy."""
        self.cluster.advance(2 * COPY_PERIOD)

    def test_equal(self) -> None:
        """They are those of the master, with their version, also in the file."""
        producer = self.cluster.producer()
        for _ in range(3):
            send = producer.send(Message("T", b"later", delay_level=1))
            self.cluster.result_of(send)
        self.copy()
        mine, theirs = self.delays(self.slave), self.delays(self.master)
        self.assertEqual(mine, theirs)
        self.assertEqual(mine.offset_table[1], 3)
        with open(f"{self.slave.directory}/config/delayOffset.json", "rb") as file:
            self.assertEqual(type(mine).decode(file.read()), mine)

    def test_of_49(self) -> None:
        """4.9 writes levels as bare numbers, and no version."""
        self.respond(GetAllDelayOffset, b'{"offsetTable":{1:10,2:0}}')
        self.copy()
        table = self.delays(self.slave).offset_table
        self.assertEqual((table[1], table[2], table[3]), (10, 0, 0))

    def test_unusable(self) -> None:
        """Offsets out of range, and a table that is too large, change nothing."""
        before = self.delays(self.slave).offset_table
        large = b'{"offsetTable":{%b}}' % (b" " * (64 << 10))
        for text in (
            b'{"offsetTable":{1:-1}}',
            b'{"offsetTable":{1:1%b}}' % (b"0" * 19),
            large,
        ):
            self.respond(GetAllDelayOffset, text)
            with capturedLogs() as events:
                self.copy()
            formats = " ".join(event["log_format"] for event in events)
            self.assertIn("could not copy", formats)
            self.assertEqual(self.delays(self.slave).offset_table, before)
