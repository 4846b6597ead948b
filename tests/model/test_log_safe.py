"""Tests of :mod:`rocketmq_tw.model.log_safe`."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.log_safe import log_safe


class LogSafeTests(SynchronousTestCase):
    """What people get to see of a peer's words."""

    def test_plain(self) -> None:
        """Names in any script stay as they are."""
        for name in ("broker-a", "Köln 1", "主题", ""):
            self.assertEqual(log_safe(name), name)

    def test_escaped(self) -> None:
        """What would act on a terminal, or begin a line, is written out."""
        self.assertEqual(log_safe("a\r\n\x1b[31m"), "a\\r\\n\\x1b[31m")
        self.assertEqual(log_safe("\u202e\ud800\u2028"), "\\u202e\\ud800\\u2028")

    def test_cut(self) -> None:
        """A long one is cut, and says so."""
        self.assertEqual(log_safe("x" * 200), "x" * 140 + "...")
        self.assertEqual(log_safe("x" * 200, 3), "xxx...")
