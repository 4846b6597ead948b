"""The keys that are read at the start."""

from __future__ import annotations

from rocketmq_tw.broker.dedupe.rebuild import AT_ONCE, Rebuild
from rocketmq_tw.broker.dedupe.window import Windows
from tests.broker.cases import TOPIC, BrokerCase
from tests.broker.dedupe.test_sends import batched, keyed


class RebuildTests(BrokerCase):
    """A topic whose queues hold messages of two moments."""

    settings = {"max_message_size": 1 << 20, "mapped_file_size_commit_log": 4 << 20}

    def setUp(self) -> None:
        """Store them."""
        super().setUp()
        self.topic()
        self.ask(keyed("OLD"))
        self.clock.pump([1.0] * 60)
        for number in range(6):
            self.ask(keyed(f"K{number}", queue_id=number % 4))
        self.now_ms = int(self.clock.wall_seconds() * 1000)

    def rebuilt(self, length_ms: int = 30_000, limit: int = 100) -> tuple[Windows, int]:
        """Read the keys; return them, and in how many steps."""
        windows = Windows(limit)
        steps = Rebuild(self.store, windows, limit).steps(
            {TOPIC: length_ms}, self.now_ms
        )
        return windows, sum(1 for _ in steps)

    def test_within_the_window(self) -> None:
        """Older messages are not read."""
        windows, _ = self.rebuilt()
        self.assertEqual(len(windows), 6)
        window = windows.of(TOPIC, 30_000)
        self.assertIsNone(window.find(b"OLD"))
        self.assertIsNotNone(window.find(b"K5"))
        self.assertEqual(len(self.rebuilt(600_000)[0]), 7)

    def test_last_ones(self) -> None:
        """Of too many, those that were stored last are kept, from all queues."""
        windows, _ = self.rebuilt(limit=2)
        window = windows.of(TOPIC, 30_000)
        found = [number for number in range(6) if window.find(b"K%d" % number)]
        self.assertEqual((found, windows.forgotten), ([4, 5], 0))

    def test_in_steps(self) -> None:
        """No step reads more than some hundred messages."""
        count = 4 * AT_ONCE
        for begin in range(0, count, 500):
            self.ask(batched(*(f"B{begin + number}" for number in range(500))))
        windows, steps = self.rebuilt(limit=count + 10)
        self.assertEqual(len(windows), count + 6)
        self.assertGreaterEqual(steps, 2 * count // AT_ONCE)

    def test_unknown_topic(self) -> None:
        """A topic without queues has nothing to read."""
        windows = Windows(10)
        steps = Rebuild(self.store, windows, 10).steps({"Unknown": 1000}, self.now_ms)
        self.assertEqual((list(steps), len(windows)), ([], 0))
