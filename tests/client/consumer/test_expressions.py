"""What consumers subscribe with."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.expressions import Sql, Tags, parse_expression
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.subscription import IllegalSubscription


class TagsTests(SynchronousTestCase):
    """Expressions of tags."""

    def test_expression(self) -> None:
        """Tags are joined as Apache RocketMQ writes them."""
        self.assertEqual(Tags("A", "B"), "A || B")

    def test_refused(self) -> None:
        """No tag, and tags that would be read as something else."""
        for tags in ((), ("",), ("A||B",), ("*",)):
            self.assertRaises(ValidationError, Tags, *tags)


class SqlTests(SynchronousTestCase):
    """Expressions over properties."""

    def test_checked(self) -> None:
        """A wrong one is refused before anybody is asked."""
        self.assertEqual(Sql("a > 3"), "a > 3")
        error = self.assertRaises(IllegalSubscription, Sql, "a > 'x'")
        self.assertIn("cannot be ordered", str(error))

    def test_parsed(self) -> None:
        """It is a subscription of its type; other texts are tags."""
        parsed = parse_expression("T", Sql("a > 3"), 7)
        self.assertEqual(
            (parsed.expression_type, parsed.sub_string, parsed.sub_version),
            ("SQL92", "a > 3", 7),
        )
        self.assertTrue(parse_expression("T", "a > 3", 7).is_tag)
