"""Sentences about names."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import IllegalGroup, IllegalTopic, RocketMQError


class IllegalNameTests(SynchronousTestCase):
    """Names that break the rules."""

    def test_sentence(self) -> None:
        """It says which kind of name is wrong, and why."""
        self.assertEqual(
            str(IllegalTopic("a b", "it has a space")),
            'the topic "a b" is not allowed: it has a space',
        )
        self.assertIn("the group", str(IllegalGroup("", "it is blank")))

    def test_safe_for_logs(self) -> None:
        """A name with line feeds forges no line of a log."""
        self.assertNotIn("\n", str(IllegalTopic("a\nERROR b", "why")))

    def test_not_retried(self) -> None:
        """Another attempt would fail as well."""
        self.assertFalse(IllegalTopic("", "").retryable)
        self.assertTrue(issubclass(IllegalTopic, RocketMQError))
