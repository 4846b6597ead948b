"""Tests of what tools are shown of the messages of topics and groups."""

from __future__ import annotations

import json
from typing import Any

from rocketmq_tw.model.topic import retry_topic
from rocketmq_tw.wire.requests.admin import ViewStatistics
from rocketmq_tw.wire.requests.send import SendBack
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent
from tests.broker.pop.cases import PopCase, acknowledged
from tests.broker.pop.test_acks import batch


class ViewCase(BrokerCase):
    """Asks for statistics."""

    def view(self, name: str, key: str) -> Any:
        """Return the sums of the minute, the hour and the day."""
        response = self.ask(ViewStatistics(name, key))
        self.assertEqual((response.status, response.remark), (0, None))
        data = json.loads(response.body)
        return [data[f"stats{each}"]["sum"] for each in ("Minute", "Hour", "Day")]

    def unknown(self, name: str, key: str) -> None:
        """Nothing was counted."""
        why = f"The stats <{name}> <{key}> not exist"
        self.refused(1, why, ViewStatistics(name, key))


class StatisticsProcessorTests(ViewCase):
    """Sends and pulls are counted, and shown at once."""

    def test_gauges(self) -> None:
        """Runtime information has how many are counted."""
        shown = {"statistics", "statisticsRefused"}
        self.assertLessEqual(shown, set(self.stats.gauges))

    def test_topic(self) -> None:
        """Its messages and their bytes, those of all its queues."""
        for queue_id in (0, 1, 1):
            self.ask(sent(queue_id=queue_id))
        self.assertEqual(self.view("TOPIC_PUT_NUMS", TOPIC), [3, 3, 3])
        size = self.store.commit_log_max
        self.assertEqual(self.view("TOPIC_PUT_SIZE", TOPIC), [size] * 3)
        self.assertEqual(self.view("QUEUE_PUT_NUMS", f"{TOPIC}@1"), [2, 2, 2])
        self.assertEqual(self.view("QUEUE_PUT_SIZE", f"{TOPIC}@0"), [size // 3] * 3)

    def test_rates(self) -> None:
        """In all, per second and each time, as tools read them."""
        self.clock.pump([10.0])
        for _ in range(3):
            self.ask(sent())
        self.clock.advance(6.0)
        data = json.loads(self.ask(ViewStatistics("TOPIC_PUT_SIZE", TOPIC)).body)
        size = self.store.commit_log_max
        self.assertEqual(
            data["statsMinute"], {"sum": size, "tps": size / 6, "avgpt": size / 3}
        )

    def test_group(self) -> None:
        """What it was sent, and in how many pulls."""
        for _ in range(5):
            self.ask(sent())
        self.ask(pulled(max_msg_nums=3))
        self.ask(pulled(queue_offset=3))
        key = f"{TOPIC}@{GROUP}"
        self.assertEqual(self.view("GROUP_GET_NUMS", key), [5, 5, 5])
        size = self.store.commit_log_max
        self.assertEqual(self.view("GROUP_GET_SIZE", key), [size] * 3)
        data = json.loads(self.ask(ViewStatistics("GROUP_GET_NUMS", key)).body)
        self.assertEqual(data["statsDay"]["avgpt"], 2.5)

    def test_broker(self) -> None:
        """All topics and groups together, under the name of the cluster."""
        self.ask(sent())
        self.ask(sent("Other"))
        self.ask(pulled())
        for name in ("BROKER_PUT_NUMS", "BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC"):
            self.clock.pump([10.0])
            self.assertEqual(self.view(name, "DefaultCluster"), [2, 2, 2])
        for name in ("BROKER_GET_NUMS", "BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC"):
            self.assertEqual(self.view(name, "DefaultCluster"), [1, 1, 1])
        self.unknown("BROKER_PUT_NUMS", "OtherCluster")

    def test_sent_back(self) -> None:
        """By the topic that the group reads, also the second time."""
        self.topic()
        self.ask(sent())
        back = SendBack(0, GROUP, 0, origin_topic=TOPIC)
        self.assertEqual(self.ask(back).status, 0)
        self.assertEqual(self.view("SNDBCK_PUT_NUMS", f"{TOPIC}@{GROUP}"), [1, 1, 1])
        self.unknown("SNDBCK_PUT_NUMS", f"{retry_topic(GROUP)}@{GROUP}")

    def test_dead_letters(self) -> None:
        """Those that were sent back too often, or that are not wanted again."""
        self.topic()
        self.ask(sent())
        key = f"{TOPIC}@{GROUP}"
        self.ask(SendBack(0, GROUP, 0, origin_topic=TOPIC))
        self.unknown("DLQ_PUT_NUMS", key)
        self.ask(SendBack(0, GROUP, -1, origin_topic=TOPIC))
        self.assertEqual(self.view("DLQ_PUT_NUMS", key), [1, 1, 1])
        self.assertEqual(self.view("SNDBCK_PUT_NUMS", key), [2, 2, 2])
        # The key of Apache's for clients that name no owner.
        whole = f"null@{key}@SEND_BACK_TO_DLQ"
        self.assertEqual(self.view("SNDBCK2DLQ_TIMES", whole), [1, 1, 1])
        self.unknown("SNDBCK2DLQ_TIMES", key)

    def test_minute_is_over(self) -> None:
        """A minute later the hour has the messages still."""
        self.ask(sent())
        self.clock.pump([10.0] * 7)
        self.assertEqual(self.view("TOPIC_PUT_NUMS", TOPIC), [0, 1, 1])

    def test_unknown(self) -> None:
        """Tools take that as zero, so nothing else may be wrong with it."""
        self.ask(sent())
        self.unknown("TOPIC_PUT_NUMS", "Other")
        self.unknown("GROUP_GET_NUMS", f"{TOPIC}@{GROUP}")
        self.unknown("QUEUE_PUT_NUMS", f"{TOPIC}@7")
        self.unknown("QUEUE_PUT_NUMS", TOPIC)
        self.unknown("QUEUE_PUT_NUMS", f"{TOPIC}@{'9' * 5000}")
        self.unknown("NO_SUCH_NAME", TOPIC)
        self.unknown("", "")


class PoppedTests(ViewCase, PopCase):
    """Pops and acknowledgements are counted."""

    def test_in_order(self) -> None:
        """Also those of groups that pop in order, and in batches."""
        self.fill(b"one", b"two")
        receipts = self.receipts(order=True)
        self.now(acknowledged(receipts[b"one"]))
        self.now(batch(receipts[b"two"], [1]))
        self.assertEqual(self.view("GROUP_ACK_NUMS", f"{TOPIC}@{GROUP}"), [2, 2, 2])

    def test_batch(self) -> None:
        """Each message of a batch counts."""
        self.fill(b"one", b"two")
        receipts = self.receipts()
        self.now(batch(receipts[b"one"], [0, 1]))
        self.assertEqual(self.view("GROUP_ACK_NUMS", f"{TOPIC}@{GROUP}"), [2, 2, 2])

    def test_popped(self) -> None:
        """Messages, check points and acknowledgements of a group."""
        self.fill(b"one", b"two")
        receipts = self.receipts()
        self.now(acknowledged(receipts[b"one"]))
        key = f"{TOPIC}@{GROUP}"
        self.assertEqual(self.view("GROUP_GET_NUMS", key), [2, 2, 2])
        self.assertEqual(self.view("GROUP_CK_NUMS", key), [1, 1, 1])
        self.assertEqual(self.view("GROUP_ACK_NUMS", key), [1, 1, 1])
        self.assertEqual(self.view("BROKER_ACK_NUMS", "DefaultCluster"), [1, 1, 1])
