"""Which parts may be combined."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.filter.sql92 import nodes


class NodeTests(SynchronousTestCase):
    """What a node is."""

    def test_condition(self) -> None:
        """Booleans and NULL are conditions; a name becomes one, a text does not."""
        for value in (True, False, None):
            self.assertTrue(nodes.constant(value).is_condition)
        name = nodes.name("a")
        self.assertFalse(name.is_condition)
        self.assertIs(nodes.condition(name).evaluate({"a": "x"}.get), False)
        self.assertIsNone(nodes.condition(name).evaluate({}.get))
        for refused in (nodes.constant("x"), nodes.constant(3), nodes.negated(name)):
            self.assertRaises(nodes.NotAllowed, nodes.condition, refused)

    def test_depth(self) -> None:
        """A node is as deep as its deepest part, and one more; up to a limit."""
        node = nodes.equal(nodes.name("a"), nodes.constant(1))
        self.assertEqual(node.depth, 1)
        for depth in range(2, nodes.MAX_DEPTH + 1):
            node = nodes.inverse(node)
            self.assertEqual(node.depth, depth)
        self.assertRaises(nodes.NotAllowed, nodes.inverse, node)
