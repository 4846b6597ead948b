"""Keys within windows: how long they are kept, and how many."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.dedupe.window import (
    AT_ONCE,
    LONGEST_KEPT,
    TOPICS_AT_ONCE,
    Window,
    Windows,
)

NOW = 1_700_000_000_000


def key(number: int) -> bytes:
    """Return one of many keys."""
    return b"KEY%d" % number


class WindowTests(SynchronousTestCase):
    """A window of ten seconds."""

    def setUp(self) -> None:
        """Make it."""
        self.window = Window(10_000)

    def test_found(self) -> None:
        """A key has the offset of its message."""
        self.window.add(b"a", 5, NOW)
        self.assertEqual(self.window.find(b"a"), 5)
        self.assertIsNone(self.window.find(b"b"))

    def test_forgotten_in_order(self) -> None:
        """The oldest go first, those that are due only, and as many as asked for."""
        for second in range(20):
            self.window.add(key(second), second, NOW + second * 1000)
        self.assertEqual(self.window.forget_due(NOW + 15_000, 3), 3)
        self.assertEqual(self.window.forget_due(NOW + 15_000, 100), 2)
        self.assertIsNone(self.window.find(key(4)))
        self.assertEqual(self.window.find(key(5)), 5)
        self.assertEqual(len(self.window), 15)

    def test_stored_again(self) -> None:
        """A key that is stored again after its window stays with its new offset."""
        self.window.add(b"a", 1, NOW)
        self.window.add(b"a", 2, NOW + 11_000)
        self.assertEqual(self.window.forget_due(NOW + 12_000, 9), 1)
        self.assertEqual(self.window.find(b"a"), 2)
        self.window.forget_oldest()
        self.assertIsNone(self.window.find(b"a"))
        self.assertEqual((len(self.window), self.window._offsets), (0, {}))

    def test_clock_set_back(self) -> None:
        """Keys stored under an earlier time are kept with those before them."""
        self.window.add(b"a", 1, NOW)
        self.window.add(b"b", 2, NOW - 60_000)
        self.assertEqual(self.window.forget_due(NOW + 5_000, 9), 0)
        self.assertEqual(self.window.forget_due(NOW + 11_000, 9), 2)

    def test_long_keys(self) -> None:
        """A peer chooses how long keys are, but not what they take here."""
        long = b"x" * 30_000
        self.window.add(long, 1, NOW)
        self.assertEqual(self.window.find(long), 1)
        self.assertIsNone(self.window.find(long + b"y"))
        [kept] = self.window._offsets
        self.assertLessEqual(len(kept), LONGEST_KEPT)


class WindowsTests(SynchronousTestCase):
    """At most a hundred keys in all windows."""

    def setUp(self) -> None:
        """Make two windows."""
        self.windows = Windows(limit=100)
        self.one = self.windows.of("T", 10_000)
        self.two = self.windows.of("U", 10_000)

    def fill(self, count: int, topic: str = "T") -> None:
        """Add keys to a topic's window."""
        for number in range(count):
            window = self.windows.of(topic, 10_000)
            self.windows.add(topic, window, key(number), number, NOW)

    def test_limit(self) -> None:
        """Past it the oldest of the topic go before their time, and are counted."""
        self.fill(103)
        self.assertEqual((len(self.windows), self.windows.forgotten), (100, 3))
        self.assertIsNone(self.one.find(key(2)))
        self.assertEqual(self.one.find(key(3)), 3)

    def test_limit_of_all(self) -> None:
        """A topic without keys takes the place of a key of another."""
        self.fill(100)
        self.fill(1, "U")
        self.assertEqual((len(self.one), len(self.two)), (99, 1))
        self.assertEqual(len(self.windows), 100)

    def test_some_with_each(self) -> None:
        """Those that are due are forgotten with new ones, a few at a time."""
        self.fill(50)
        later = NOW + 20_000
        for number in range(10):
            self.windows.add("T", self.one, key(1000 + number), number, later)
        self.assertEqual(len(self.windows), 50 + 10 - 20)

    def test_each_second(self) -> None:
        """The others go by themselves."""
        self.fill(50)
        self.windows.forget_due(NOW + 5_000)
        self.assertEqual(len(self.windows), 50)
        self.windows.forget_due(NOW + 20_000)
        self.assertEqual((len(self.windows), len(self.one)), (0, 0))

    def test_in_steps(self) -> None:
        """However many there are, one step forgets some thousands."""
        windows = Windows(limit=3 * AT_ONCE)
        window = windows.of("T", 10_000)
        for number in range(2 * AT_ONCE + 1):
            windows.add("T", window, key(number), number, NOW)
        windows.forget_due(NOW + 20_000)
        self.assertEqual(len(windows), AT_ONCE + 1)
        windows.drop("T")
        windows.forget_due(NOW)
        self.assertEqual(len(windows), 1)
        windows.forget_due(NOW)
        self.assertEqual(len(windows), 0)

    def test_many_topics(self) -> None:
        """One step looks at some of them; all have their turn."""
        windows = Windows(limit=3 * TOPICS_AT_ONCE)
        count = 2 * TOPICS_AT_ONCE
        for number in range(count):
            topic = f"T{number}"
            windows.add(topic, windows.of(topic, 10_000), b"a", 1, NOW)
        left = []
        for _ in range(2):
            windows.forget_due(NOW + 20_000)
            left.append(len(windows))
        self.assertEqual(left, [count - TOPICS_AT_ONCE, 0])

    def test_dropped(self) -> None:
        """A topic that is gone has a new window when it comes back."""
        self.fill(3)
        self.windows.drop("T")
        self.windows.drop("T")
        self.assertIsNone(self.windows.of("T", 10_000).find(key(1)))
        self.windows.forget_due(NOW)
        self.assertEqual(len(self.windows), 0)
