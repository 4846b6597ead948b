"""Tests of the pages of the table of topics."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.processors.admin.pages import PAGE
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.bodies.topics import TopicConfigTable
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig
from tests.broker.cases import BrokerCase


class PageTests(BrokerCase):
    """Requests for the whole table, and for a part of it."""

    def page(self, *fields: Any) -> tuple[list[str], int | None, str]:
        """Return the names on a page, how many there are in all, and the version."""
        response = self.ask(GetAllTopicConfig(*fields))
        table = TopicConfigTable.decode(response.body)
        version = table.data_version.encode().decode()
        total = response.total_topic_num
        return list(table.topic_config_table), total, version

    def test_whole(self) -> None:
        """Without fields, as releases before 5.4 ask."""
        names, total, _ = self.page()
        self.assertEqual(names, list(self.tables.topics.table))
        self.assertEqual(total, len(names))

    def test_pages(self) -> None:
        """By name, one after the other."""
        every = sorted(self.tables.topics.table)
        first, total, version = self.page(0, None, 5)
        self.assertEqual((first, total), (every[:5], len(every)))
        second, total, _ = self.page(5, version, 5)
        self.assertEqual((second, total), (every[5:10], len(every)))
        last, _, _ = self.page(10, version, 99)
        self.assertEqual(last, every[10:])
        self.assertEqual(self.page(99, version, 5)[0], [])

    def test_other_version(self) -> None:
        """A table that has changed begins with its first page."""
        every = sorted(self.tables.topics.table)
        _, _, version = self.page(0, None, 5)
        self.tables.topics.put(TopicConfig("A"))
        self.assertEqual(self.page(5, version, 3)[0], ["A", *every[:2]])
        self.assertEqual(self.page(5, None, 3)[0], ["A", *every[:2]])

    def test_bounds(self) -> None:
        """A page has as many as are wanted, but not too many, and at least one."""
        for number in range(PAGE):
            self.tables.topics.put(TopicConfig(f"T{number}"))
        self.assertEqual(len(self.page(0, None, PAGE + 5)[0]), PAGE)
        self.assertEqual(len(self.page(-3, None, 2)[0]), 2)
        self.assertEqual(len(self.page(0, None, -1)[0]), 1)

    def test_garbage(self) -> None:
        """What is no version is refused."""
        for text in ("nonsense", "[]", "{" * 2000):
            response = self.ask(GetAllTopicConfig(5, text, 5))
            self.assertNotEqual(response.status, 0)
