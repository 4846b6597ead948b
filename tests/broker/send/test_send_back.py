"""Messages sent back: delivered again later, or dead letters."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.model.topic import PERM_READ, TopicConfig
from rocketmq_tw.wire.requests.send import SendBack
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent

RETRY = f"%RETRY%{GROUP}"
DLQ = f"%DLQ%{GROUP}"
SCHEDULE = "SCHEDULE_TOPIC_XXXX"


def sent_back(offset: int, delay_level: int = 0, **fields: Any) -> SendBack:
    """Make the request."""
    values: dict[str, Any] = {"group": GROUP, "delay_level": delay_level}
    return SendBack(**values | {"offset": offset} | fields)


class SendBackTests(BrokerCase):
    """What consumers send back."""

    def setUp(self) -> None:
        """Send a message."""
        super().setUp()
        self.message = self.stored(
            sent(flag=7, properties="TAGS\x01TagA\x02WAIT\x01true\x02UNIQ_KEY\x01U\x02")
        )
        self.offset = self.message.commit_log_offset

    def back(self, level: int = 0, **fields: Any) -> StoredMessage:
        """Send the message back, and read what was stored."""
        return self.stored(sent_back(self.offset, level, **fields))

    def limit(self, times: int) -> None:
        """Let the group try so often."""
        self.tables.groups.put(SubscriptionGroup(GROUP, retry_max_times=times))

    def test_first_time(self) -> None:
        """It waits for the third level, 10 s, before it reaches the retry topic."""
        again = self.back()
        self.assertEqual((again.topic, again.queue_id), (SCHEDULE, 2))
        self.assertEqual(again.reconsume_times, 1)
        expected = {
            "DELAY": "3",
            "REAL_TOPIC": RETRY,
            "REAL_QID": "0",
            "RETRY_TOPIC": TOPIC,
            "ORIGIN_MESSAGE_ID": "0A00000100002A9F0000000000000000",
            "WAIT": "false",
            "TAGS": "TagA",
            "UNIQ_KEY": "U",
        }
        self.assertLessEqual(expected.items(), again.properties.items())
        for name in ("body", "flag", "sys_flag", "born_time_ms", "born_host"):
            self.assertEqual(getattr(again, name), getattr(self.message, name))

    def test_counted(self) -> None:
        """By the topic that it names, if there is one: messages may name anything."""
        self.back()
        for name in (TOPIC, "x" * 20_000):
            text = f"RETRY_TOPIC\x01{name}\x02"
            self.offset = self.stored(sent(properties=text)).commit_log_offset
            self.assertEqual(self.back().properties["RETRY_TOPIC"], name)
        table = self.tables.progress.table
        counted = {key: each.sent_back for key, each in table.items()}
        self.assertEqual(counted, {(TOPIC, GROUP): 2})

    def test_longer_each_time(self) -> None:
        """Every time it waits a level more, and still names its topic."""
        for times in range(1, 17):
            again = self.back()
            level = 2 + times
            self.assertEqual(again.queue_id, level - 1)
            self.assertEqual(again.reconsume_times, times)
            self.assertEqual(again.properties["RETRY_TOPIC"], TOPIC)
            origin = again.properties["ORIGIN_MESSAGE_ID"]
            self.assertEqual(origin, "0A00000100002A9F0000000000000000")
            self.offset = again.commit_log_offset
        self.assertEqual(self.back().topic, DLQ)

    def test_delivered(self) -> None:
        """After its time it is in the retry topic, with its tags."""
        self.back(1)
        self.clock.pump([0.5] * 3)
        (again,) = self.messages(RETRY)
        self.assertEqual(again.body, b"Hello")
        codes: list[int] = []
        self.store.get(RETRY, 0, 0, 1, 1000, lambda code: codes.append(code) or True)
        self.assertEqual(codes, [java_hash("TagA")])

    def test_own_level(self) -> None:
        """The consumer may choose the level; the highest there is, is the last."""
        self.assertEqual(self.back(1).queue_id, 0)
        self.assertEqual(self.back((1 << 31) - 1).queue_id, 17)

    def test_negative_level(self) -> None:
        """A negative level makes a dead letter, delivered at once."""
        dead = self.back(-1)
        self.assertEqual((dead.topic, dead.queue_id), (DLQ, 0))
        self.assertNotIn("DELAY", dead.properties)
        self.assertEqual(self.tables.topics.require(DLQ).write_queue_nums, 1)

    def test_group_limit(self) -> None:
        """As often as the group allows; 0 and less allow none."""
        for times in (0, -1):
            self.limit(times)
            self.assertEqual(self.back().topic, DLQ)

    def test_client_limit(self) -> None:
        """The client's own limit counts more."""
        self.limit(0)
        self.assertEqual(self.back(max_reconsume_times=1).topic, SCHEDULE)
        self.limit(16)
        self.assertEqual(self.back(max_reconsume_times=0).topic, DLQ)

    def test_compressed_body(self) -> None:
        """A compressed body is stored again as it is."""
        offset = self.store.commit_log_max
        self.ask(sent(body=b"not zlib at all", sys_flag=1))
        after = self.store.commit_log_max
        self.assertEqual(self.ask(sent_back(offset)).status, 0)
        record = self.store.record_at(after)
        assert record is not None
        self.assertIn(b"not zlib at all", record)

    def test_no_retry_queues(self) -> None:
        """A group without retry queues loses it, as it wishes."""
        self.tables.groups.put(SubscriptionGroup(GROUP, retry_queue_nums=0))
        end = self.store.commit_log_max
        self.assertEqual(self.ask(sent_back(self.offset)).status, 0)
        self.assertEqual(self.store.commit_log_max, end)

    def test_no_message_there(self) -> None:
        """Offsets within, behind and before the log are refused."""
        end = self.store.commit_log_max
        for offset in (1, 50, end, end + 1, -1, -(1 << 63), (1 << 63) - 1):
            words = f"look message by offset failed, {offset}"
            self.refused(1, words, sent_back(offset))
        self.refused(1, "the field offset", sent_back(0), {"offset": str(1 << 63)})
        self.assertEqual(self.store.commit_log_max, end)

    def test_a_body_like_a_record(self) -> None:
        """Bytes in a body that look like a record are none."""
        inner = self.store.record_at(self.offset)
        assert inner is not None
        outer = self.stored(sent(body=inner))
        self.refused(1, "no message", sent_back(outer.commit_log_offset + 84 + 4))

    def test_groups(self) -> None:
        """A group that may not be called so is not there, and makes no topic."""
        for name in ("", "../../x", "g" * 121, "gr\u00fcn"):
            request = sent_back(self.offset, group=name)
            self.refused(26, "subscription group not exist", request)
            self.assertNotIn(f"%RETRY%{name}", self.tables.topics.table)

    def test_retry_topic_not_writable(self) -> None:
        """An administrator may close a retry topic."""
        self.tables.topics.put(TopicConfig(RETRY, 1, 1, PERM_READ))
        words = f"the topic [{RETRY}] is not writable"
        self.refused(16, words, sent_back(self.offset))

    def test_order_is_kept(self) -> None:
        """The retry topic of a group that consumes in order stays ordered."""
        self.tables.groups.put(SubscriptionGroup(GROUP, consume_message_orderly=True))
        self.tables.topics.create_retry(GROUP, order=True)
        self.back()
        self.assertTrue(self.tables.topics.require(RETRY).order)


class ReadOnlyTests(BrokerCase):
    """A broker whose permission lacks write."""

    settings = {"broker_permission": PERM_READ}

    def test_refused(self) -> None:
        """It takes no message."""
        self.refused(16, "its permission lacks write", sent_back(0))


class NoGroupsTests(BrokerCase):
    """A broker that creates no groups."""

    settings = {"auto_create_subscription_group": False}

    def test_unknown(self) -> None:
        """Unknown groups are refused, when they send too."""
        self.refused(26, f"not exist, {GROUP}", sent_back(0))
        self.refused(26, f"not exist, {GROUP}", sent(RETRY))
