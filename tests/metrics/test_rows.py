"""Series whose numbers are set together."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.metrics.reading import read
from tests.metrics.test_family import gauge


class RowsTests(SynchronousTestCase):
    """Rows of a metric."""

    def test_lines(self) -> None:
        """A line for each series, which follows its number."""
        family = gauge()
        rows = family.rows([("a",), ("50 %d",)])
        self.assertEqual(family.pieces(), [])
        rows.set([1, -2])
        expected = b'rocketmq_x{topic="a"} 1\nrocketmq_x{topic="50 %d"} -2\n'
        self.assertEqual(b"".join(family.pieces()[1:]), expected)
        rows.set([1, 10**19])
        page = read(family.pieces())
        self.assertEqual(page.get("rocketmq_x", topic="50 %d"), 10**19)

    def test_equal_numbers(self) -> None:
        """What has not changed is not encoded again."""
        family = gauge()
        rows = family.rows([("a",)])
        rows.set([1])
        text = rows.text()
        rows.set([1])
        self.assertIs(rows.text(), text)

    def test_beside_others(self) -> None:
        """They share a metric with series that are set one by one."""
        family = gauge()
        family.rows([("a",)]).set([1])
        family.set(("b",), 2)
        self.assertEqual(len(read(family.pieces()).labels("rocketmq_x")), 2)
        self.assertEqual(len(family), 2)

    def test_limit(self) -> None:
        """What finds no capacity is counted, and comes back when others go."""
        family = gauge(limit=3)
        first, second = family.rows([("a",), ("b",)]), family.rows([("c",), ("d",)])
        first.set([1, 2])
        second.set([3, 4])
        page = read(family.pieces())
        self.assertEqual(page.get("rocketmq_x", topic="c"), 3)
        self.assertEqual((len(family), family.left_out_count), (3, 1))
        first.close()
        page = read(family.pieces())
        self.assertEqual(page.labels("rocketmq_x"), [{"topic": "c"}, {"topic": "d"}])
        self.assertEqual(page.get("rocketmq_x", topic="d"), 4)
        self.assertEqual((len(family), family.left_out_count), (2, 0))

    def test_twice(self) -> None:
        """A series that others have is left out until these go."""
        family = gauge()
        first, second = family.rows([("a",)]), family.rows([("a",), ("b",)])
        first.set([1])
        second.set([2, 3])
        page = read(family.pieces())
        self.assertEqual(page.get("rocketmq_x", topic="a"), 1)
        self.assertEqual(family.left_out_count, 1)
        first.close()
        self.assertEqual(read(family.pieces()).get("rocketmq_x", topic="a"), 2)

    def test_closed(self) -> None:
        """A metric whose rows are closed has no head either."""
        family = gauge()
        rows = family.rows([("a",)])
        rows.set([1])
        rows.close()
        self.assertEqual(family.pieces(), [])
