"""Windows as administrators set them."""

from __future__ import annotations

from rocketmq_tw.broker.tables.topic_attributes import altered, dedupe_window_ms
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.requests.topic import CreateTopic, DeleteTopic
from tests.broker.cases import TOPIC
from tests.broker.dedupe.test_sends import DedupeCase, keyed


class AttributeTests(DedupeCase):
    """``mqadmin updateTopic -a``."""

    def test_forms(self) -> None:
        """A number of seconds, minutes or hours, up to a day."""
        for text, length_ms in (
            ("30s", 30_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("86400s", 86_400_000),
        ):
            attributes = altered(None, f"+dedupe.window={text}")
            self.assertEqual(dedupe_window_ms(attributes), length_ms)
        for text in ("", "0s", "10", "-1s", "1d", "25h", "1.5m", "10 m", "1h30m", "x"):
            change = f"+dedupe.window={text}"
            self.assertRaises(BadField, altered, None, change)

    def test_of_another_version(self) -> None:
        """What a file has that cannot be read is no window."""
        self.assertEqual(dedupe_window_ms({"dedupe.window": "1d"}), 0)
        self.assertEqual(dedupe_window_ms({}), 0)

    def test_set_and_removed(self) -> None:
        """It counts from the change on, without a restart."""
        self.window(None)
        create = CreateTopic(
            topic=TOPIC,
            read_queue_nums=4,
            write_queue_nums=4,
            perm=6,
            attributes="+dedupe.window=1h",
        )
        self.assertEqual(self.ask(create).status, 0)
        first = self.place(keyed("A"))
        self.assertEqual(self.place(keyed("A")), first)
        create.attributes = "-dedupe.window"
        self.assertEqual(self.ask(create).status, 0)
        self.assertNotEqual(self.place(keyed("A")), first)
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.stats.gauges["dedupeKeys"](), 0)

    def test_deleted_topic(self) -> None:
        """A topic that was deleted and created again knows nothing."""
        self.place(keyed("A"))
        self.ask(DeleteTopic(topic=TOPIC))
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.stats.gauges["dedupeKeys"](), 0)
        self.window("10s")
        self.place(keyed("A"))
        self.assertEqual(self.count(), 1)
