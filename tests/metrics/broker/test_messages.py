"""How many messages are stored and sent."""

from __future__ import annotations

from unittest.mock import patch

from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.metrics.broker import messages
from rocketmq_tw.metrics.broker.labels import GroupLabels
from rocketmq_tw.metrics.broker.messages import MessageMetrics
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics_settings import MetricsSettings
from rocketmq_tw.remoting.pacing import all_at_once
from tests.broker.cases import GROUP, TOPIC, pulled, sent
from tests.metrics.broker.cases import MetricsCase

IN, IN_SIZE = "rocketmq_messages_in_total", "rocketmq_throughput_in_total"
OUT, OUT_SIZE = "rocketmq_messages_out_total", "rocketmq_throughput_out_total"


class StoredTests(MetricsCase):
    """Messages by topic."""

    def test_by_topic(self) -> None:
        """All queues of a topic are added up, with its labels."""
        self.topic()
        for queue_id in (0, 1, 1):
            self.ask(sent(queue_id=queue_id))
        self.ask(sent("Other"))
        page = self.read()
        self.assertEqual(page.get(IN, topic=TOPIC), 3)
        self.assertEqual(page.get(IN, topic="Other"), 1)
        size = self.store.commit_log_max
        found = [page.get(IN_SIZE, topic=name) or 0 for name in (TOPIC, "Other")]
        self.assertEqual(sum(found), size)
        [labels] = [each for each in page.labels(IN) if each["topic"] == TOPIC]
        expected = {
            "topic": TOPIC,
            "message_type": "normal",
            "is_system": "false",
            "cluster": "DefaultCluster",
            "node_id": "broker-a",
            "node_type": "broker",
            "otel_scope_name": "broker-meter",
        }
        self.assertEqual(labels, expected)

    def test_grows(self) -> None:
        """The next page has what came since."""
        self.ask(sent())
        self.assertEqual(self.read().get(IN), 1)
        self.ask(sent())
        self.assertEqual(self.read().get(IN), 2)
        self.assertEqual(self.read().get(IN), 2)

    def test_many_queues(self) -> None:
        """They are put together in steps, and counted once all are."""
        for queue_id in range(3):
            self.ask(sent(queue_id=queue_id))
        page = Page(self.clock)
        target = Target.of(page, cluster="C", node_type="broker", node_id="b", more=())
        is_system = self.tables.topics.is_system
        made = MessageMetrics(target, self.broker, GroupLabels(is_system, False))
        self.addCleanup(self.tables.topics.on_change.pop)
        with patch.object(messages, "QUEUES", 2):
            steps = made.collect()
            for _ in range(2):
                next(steps)
                self.assertEqual(made.totals.messages, [])
            all_at_once(steps)
        queues = made.totals.queues_of(TOPIC.encode())
        self.assertEqual([each.queue_id for each in queues], [0, 1, 2])
        self.assertEqual(made.totals.messages, [3])

    def test_failed(self) -> None:
        """After a page that could not be made all queues are looked at again."""
        self.ask(sent())
        self.assertEqual(self.read().get(IN), 1)
        self.ask(sent())
        with patch.object(messages.StoredChunk, "collect", side_effect=OSError):
            self.assertEqual(self.read().get(IN), 1)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.read().get(IN), 2)

    def test_on_and_on(self) -> None:
        """Each page has what came since, written or not."""
        for number in range(1, 6):
            self.ask(sent(queue_id=number % 4))
            self.ask(sent("Other", queue_id=number % 2))
            page = self.read()
            found = page.get(IN, topic=TOPIC), page.get(IN, topic="Other")
            self.assertEqual(found, (number, number))
            self.clock.pump([0.3] * number)

    def test_type(self) -> None:
        """A topic with a type has it as a label, also if it is set later."""
        self.topic(attributes={"message.type": "FIFO"})
        self.ask(sent())
        self.assertEqual(self.read().labels(IN)[0]["message_type"], "fifo")
        self.topic(attributes={"message.type": "DELAY"})
        self.ask(sent())
        [labels] = self.read().labels(IN)
        self.assertEqual(labels["message_type"], "delay")

    def test_types_of_system_topics(self) -> None:
        """Those of one kind of messages have it, as on a broker of Apache's."""
        self.ask(sent(properties="DELAY\x013\x02"))
        [labels] = self.read().labels(IN)
        self.assertEqual(labels["topic"], "SCHEDULE_TOPIC_XXXX")
        self.assertEqual(labels["message_type"], "delay")

    def test_deleted(self) -> None:
        """A topic that is deleted has no series."""
        self.ask(sent())
        self.ask(sent("Other"))
        self.read()
        self.tables.topics.delete(TOPIC)
        self.store.delete_topic(TOPIC)
        names = [each["topic"] for each in self.read().labels(IN)]
        self.assertEqual(names, ["Other"])

    def test_dead_letters(self) -> None:
        """They count with the topic that they were read from, and the group."""
        progress: ConsumeProgress = self.tables.progress
        progress.entry("Other", "g")
        entry = progress.entry(TOPIC, "g")
        name = "rocketmq_send_to_dlq_messages_total"
        self.assertEqual(self.read().labels(name), [])
        for count in (1, 2):
            entry.dead_letters = count
            page = self.read()
            self.assertEqual(page.get(name, consumer_group="g", topic=TOPIC), count)
            self.assertEqual(len(page.labels(name)), 1)
        progress.table.clear()
        self.assertEqual(self.read().labels(name), [])

    def test_dead_letters_begin_again(self) -> None:
        """An entry that is dropped and made again has none, between two pages."""
        progress: ConsumeProgress = self.tables.progress
        progress.entry(TOPIC, "g").dead_letters = 5
        self.read()
        progress.table.clear()
        progress.entry(TOPIC, "g")
        name = "rocketmq_send_to_dlq_messages_total"
        self.assertEqual(self.read().labels(name), [])

    def test_sizes(self) -> None:
        """Sizes of records are counted in buckets, but for what was sent back."""
        for size in (10, 2000, 3000):
            self.ask(sent(body=bytes(size)))
        self.topic("%RETRY%g", 1)
        self.ask(sent("%RETRY%g"))
        page, name = self.read(), "rocketmq_message_size"
        self.assertEqual(page.get(f"{name}_bucket", le="1024.0"), 1)
        self.assertEqual(page.get(f"{name}_bucket", le="4096.0"), 3)
        self.assertEqual(page.get(f"{name}_count"), 3)
        self.assertEqual(page.get(f"{name}_sum"), page.get(IN_SIZE, topic=TOPIC))

    def test_hostile_name(self) -> None:
        """A name from the disk or the wire is one label, whatever is in it."""
        progress: ConsumeProgress = self.tables.progress
        progress.entry('T"} 1\nx{a="', "g\\").messages = 1
        [labels] = self.read().labels(OUT)
        self.assertEqual(labels["topic"], 'T"} 1\nx{a="')
        self.assertEqual(labels["consumer_group"], "g\\")


class SentTests(MetricsCase):
    """Messages by topic and group."""

    def test_by_group(self) -> None:
        """What a pull finds counts for its group."""
        self.ask(sent())
        self.ask(sent())
        self.ask(pulled())
        page = self.read()
        labels = {"topic": TOPIC, "consumer_group": GROUP, "is_retry": "false"}
        self.assertEqual(page.get(OUT, **labels), 2)
        self.assertEqual(page.get(OUT_SIZE, **labels), self.store.commit_log_max)
        self.ask(pulled(queue_offset=1))
        self.assertEqual(self.read().get(OUT, **labels), 3)

    def test_dropped(self) -> None:
        """An entry that is dropped has no series, and begins again."""
        self.ask(sent())
        self.ask(pulled())
        self.assertEqual(self.read().get(OUT), 1)
        self.tables.progress.table.clear()
        self.assertEqual(self.read().labels(OUT), [])


class NoSizesTests(MetricsCase):
    """The same without sizes of messages."""

    settings = {"metrics": MetricsSettings(counts_sizes=False)}

    def test_no_sizes(self) -> None:
        """There are the other series only."""
        self.ask(sent())
        page = self.read()
        self.assertEqual(page.get(IN), 1)
        self.assertNotIn("rocketmq_message_size_count", page.names)


class LimitTests(MetricsCase):
    """A metric has so many series at most."""

    limit = 2

    def test_left_out(self) -> None:
        """Further topics are counted, but not shown."""
        for name in "abcd":
            self.ask(sent(name))
        page = self.read()
        self.assertEqual(len(page.labels(IN)), 2)
        left_out = page.get("rocketmq_metrics_series_left_out", metric=IN)
        self.assertEqual(left_out, 2)
