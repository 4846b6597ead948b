"""Tests of the kept text of a table of offsets."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.encoded_offsets import (
    BLOCKS,
    KEYS,
    SLICE,
    EncodedOffsets,
    block_of,
)
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire import fastjson

Key = tuple[str, str]


class CountingTable(dict[Key, dict[int, int]]):
    """A table that counts how many entries are encoded."""

    encoded = 0

    def get(self, key: Any, default: Any = None) -> Any:
        """Count."""
        self.encoded += 1
        return super().get(key, default)


class EncodedOffsetsTests(SynchronousTestCase):
    """A table of many entries, of which few change."""

    def setUp(self) -> None:
        """Encode all of it once."""
        self.table = CountingTable()
        for number in range(4 * BLOCKS):
            self.table[f"T{number}", "G"] = {0: number, 1: 2 * number}
        self.encoded = EncodedOffsets(self.table)
        self.assert_complete()
        self.assertEqual(self.table.encoded, len(self.table))
        self.table.encoded = 0

    def decoded(self, entries: list[bytes]) -> Any:
        """Return what entries say, joined as in the file."""
        found = fastjson.loads(b"{" + b",".join(entries) + b"}")
        return {
            tuple(key.split("@")): {int(queue): at for queue, at in offsets.items()}
            for key, offsets in found.items()
        }

    def assert_complete(self) -> None:
        """The text has the whole table."""
        entries = all_at_once(self.encoded.in_steps())
        self.assertEqual(self.decoded(entries), self.table)

    def set(self, topic: str, **offsets: int) -> None:
        """Change an entry, or remove it."""
        key = topic, "G"
        if offsets:
            self.table[key] = {int(queue[1:]): at for queue, at in offsets.items()}
        else:
            del self.table[key]
        self.encoded.changed(key)

    def test_unchanged(self) -> None:
        """Nothing is encoded again."""
        self.assert_complete()
        self.assertEqual(self.table.encoded, 0)

    def test_few_changes(self) -> None:
        """Little more than what was changed, added or removed is encoded again."""
        self.set("T7", q0=1)
        self.set("New", q0=3)
        self.set("T9")
        self.assert_complete()
        self.assertLess(self.table.encoded, 50)

    def test_empty(self) -> None:
        """A table without entries has no texts."""
        self.assertEqual(all_at_once(EncodedOffsets({}).in_steps()), [])

    def test_changes_between_steps(self) -> None:
        """What changes while the keys are looked for is in the next text."""
        for number in range(KEYS):
            self.set(f"More{number}", q0=1)
        steps = self.encoded.in_steps()
        next(steps)
        for topic in ("T1", "T2", "Other"):
            self.set(topic, q5=5)
        self.set("T3")
        all_at_once(steps)
        self.assert_complete()

    def test_two_at_once(self) -> None:
        """Neither keeps a text in which an entry is missing."""
        for number in range(KEYS):
            self.set(f"More{number}", q0=1)
        first = self.encoded.in_steps()
        next(first)
        self.set("Late", q0=1)
        second = self.encoded.in_steps()
        next(second)
        all_at_once(first)
        self.assertEqual(self.decoded(all_at_once(second)), self.table)
        self.assert_complete()

    def test_abandoned(self) -> None:
        """What was not encoded to the end is encoded by the next run."""
        for number in range(SLICE):
            self.set(f"T{number}", q0=7)
        steps = self.encoded.in_steps()
        next(steps)
        steps.close()
        self.assert_complete()

    def test_large_entry(self) -> None:
        """A step encodes no more than some of its offsets."""
        self.set("T1", **{f"q{queue}": queue for queue in range(5 * SLICE)})
        self.assertGreaterEqual(sum(1 for _ in self.encoded.in_steps()), 4)
        self.set("T1", **{f"q{queue}": queue for queue in range(5 * SLICE)})
        self.assert_complete()

    def test_taken(self) -> None:
        """Who asks is told the blocks that changed since, encoded or not."""
        block = block_of(("T1", "G"))
        self.assertIsNone(self.encoded.take_changed())
        self.assertEqual(self.encoded.take_changed(), set())
        self.set("T1", q0=5)
        self.assertEqual(self.encoded.take_changed(), {block})
        self.assert_complete()
        self.assertEqual(self.encoded.take_changed(), {block})
        self.assertEqual(self.encoded.take_changed(), set())
        self.set("T1", q0=6)
        self.assert_complete()
        self.assertEqual(self.encoded.take_changed(), {block})

    def test_taken_while_encoded(self) -> None:
        """A change between two steps is named, too."""
        self.encoded.take_changed()
        self.set("T1", q0=5)
        steps = self.encoded.in_steps()
        next(steps, None)
        self.encoded.take_changed()
        self.set("T1", q0=6)
        all_at_once(steps)
        self.assertEqual(self.encoded.take_changed(), {block_of(("T1", "G"))})
