"""Tests of the commit log in memory."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.memory.log import KEY_SIZE, MemoryLog
from rocketmq_tw.wire.record import decode
from tests.store.cases import SIZE, draft


class MemoryLogTests(SynchronousTestCase):
    """A log of 32 records in chunks of two."""

    def setUp(self) -> None:
        """Make it."""
        self.log = MemoryLog(32 * SIZE, b"\x7f\0\0\1\0\0\x2a\x9f")

    def fill(self, count: int) -> list[int]:
        """Append records; return their offsets."""
        return [
            self.log.append_all([draft(b"%05d" % number)], [number], number)[0]
            for number in range(count)
        ]

    def test_reads_back(self) -> None:
        """Records say where they are; outside there is nothing."""
        offsets = self.fill(5)
        data = self.log.in_window(offsets[3], SIZE)
        message = decode(data)
        self.assertEqual(
            (message.body, message.commit_log_offset), (b"00003", 3 * SIZE)
        )
        for outside in (-1, self.log.end):
            self.assertEqual(self.log.in_window(outside, 10), b"")

    def test_the_oldest_chunks_go(self) -> None:
        """The first offset moves on; the size stays within the limit."""
        self.fill(100)
        self.assertLessEqual(self.log.end - self.log.min_offset, 32 * SIZE)
        self.assertEqual(self.log.min_offset % SIZE, 0)
        self.assertEqual(self.log.in_window(0, 10), b"")
        self.assertEqual((self.log.last_offset, self.log.end), (99 * SIZE, 100 * SIZE))

    def test_keys_count(self) -> None:
        """Many keys in short records make the oldest chunks go too."""
        most = 32 * SIZE
        for number in range(40):
            words = b" ".join(b"%d-%d" % (number, word) for word in range(4))
            one = draft(topic=b"T", properties=b"KEYS\x01" + words + b"\x02")
            self.log.append_all([one], [number], number)
            self.assertLessEqual(self.log.size, max(most, 4 * (KEY_SIZE + 5) + SIZE))
        self.assertLess(self.log.end - self.log.min_offset, 4 * SIZE)
        self.assertEqual(self.log.offsets_of(b"T", b"0-0"), [])
        self.assertEqual(self.log.offsets_of(b"T", b"39-3"), [self.log.last_offset])

    def test_offsets_of_a_key(self) -> None:
        """The newest first, and only of the topic."""
        for topic in (b"T", b"Other", b"T"):
            one = draft(topic=topic, properties=b"KEYS\x01k\x02")
            self.log.append_all([one], [0], 1)
        first, _, third = 0, 1, 2
        size = self.log.end // 3
        found = self.log.offsets_of(b"T", b"k")
        self.assertEqual(len(found), 2)
        self.assertGreater(found[0], found[1])
        self.assertEqual(found[1], first * size)
        self.assertGreater(found[0], (third - 1) * size)
