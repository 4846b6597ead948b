"""Sending: what is stored, the response, and what is refused with which code."""

from __future__ import annotations

import os

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE, TopicConfig
from rocketmq_tw.wire.compression import inflate
from rocketmq_tw.wire.requests.send import (
    SendMessage,
    SendResponse,
)
from tests.broker.cases import GROUP, TOPIC, BrokerCase, Peer, sent
from tests.broker.doubles import call_from
from tests.broker.send.test_batch import batched

RETRY = f"%RETRY%{GROUP}"
DLQ = f"%DLQ%{GROUP}"


class SendTests(BrokerCase):
    """A message that is in order."""

    def test_stored(self) -> None:
        """The record holds what was sent, and whence."""
        message = self.stored(
            sent(
                queue_id=3,
                flag=-5,
                born_timestamp=77,
                properties="TAGS\x01TagA\x02KEYS\x01k1 k2\x02UNIQ_KEY\x01ID\x02",
            )
        )
        self.assertEqual((message.topic, message.body), (TOPIC, b"Hello"))
        self.assertEqual((message.queue_id, message.flag), (3, -5))
        self.assertEqual(message.born_time_ms, 77)
        self.assertEqual(message.born_host, "10.0.0.9:4000")
        self.assertEqual(message.store_host, "10.0.0.1:10911")
        self.assertEqual(message.store_time_ms, 1_700_000_000_000)
        expected = {
            "TAGS": "TagA",
            "KEYS": "k1 k2",
            "UNIQ_KEY": "ID",
            "CLUSTER": "DefaultCluster",
            "MSG_REGION": "DefaultRegion",
            "TRACE_ON": "true",
        }
        self.assertEqual(message.properties, expected)

    def test_response(self) -> None:
        """The response has the offset message id, the queue and the queue offset."""
        self.ask(sent(queue_id=2))
        offset = self.store.commit_log_max
        response = self.ask(sent(queue_id=2))
        self.assertEqual(response.msg_id, f"0A00000100002A9F{offset:016X}")
        self.assertEqual((response.queue_id, response.queue_offset), (2, 1))
        self.assertEqual(
            (response.region, response.trace_on), ("DefaultRegion", "true")
        )

    def test_spelt_out(self) -> None:
        """The Go client spells the fields out."""
        fields = {name: getattr(sent(), name) for name in sent().__struct_fields__}
        self.assertEqual(self.stored(SendMessage(**fields)).body, b"Hello")

    def test_unique_key_added(self) -> None:
        """A message without a key gets one; no two are alike."""
        keys = {self.stored(sent()).properties["UNIQ_KEY"] for _ in range(3)}
        self.assertEqual(len(keys), 3)
        self.assertEqual({len(key) for key in keys}, {32})

    def test_negative_queue(self) -> None:
        """A negative queue id lets the broker choose among the queues to write."""
        self.topic(queues=2)
        chosen = {self.ask(sent(queue_id=-1)).queue_id for _ in range(40)}
        self.assertEqual(chosen, {0, 1})

    def test_body_untouched(self) -> None:
        """An empty body is stored, and so is a compressed one, as it is."""
        self.assertEqual(self.stored(sent(body=b"")).body, b"")
        body = b"x\x9c\xf3H\xcd\xc9\xc9\x07\x00\x05\x8c\x01\xf5"
        message = self.stored(sent(body=body, sys_flag=1))
        self.assertEqual(message.body, inflate(body, 1, 100))

    def test_born_host_of_the_connection(self) -> None:
        """What the flag claims about the sender's host does not count."""
        message = self.stored(sent(sys_flag=0x30))
        self.assertEqual(message.born_host, "10.0.0.9:4000")
        self.peer = Peer(host=host_to_bytes("fe80::1", 7))
        message = self.stored(sent(sys_flag=0))
        self.assertEqual(message.born_host, "[fe80::1]:7")

    def test_separators(self) -> None:
        """Missing, doubled and lone separators do no harm to what the broker adds."""
        for text in ("A\x01b", "\x02\x02", "\x01", "A\x01\x02", "A\x02", "A"):
            message = self.stored(sent(properties=text))
            self.assertEqual(message.properties["CLUSTER"], "DefaultCluster")
            self.assertIn("UNIQ_KEY", message.properties)

    def test_lone_surrogates(self) -> None:
        """
        What UTF-8 cannot hold is replaced when the header is read; should it come
        through, it becomes a question mark, as Java writes it.
        """
        text = "A\x01\ud800\x02TAGS\x01\udfff\x02"
        self.assertIn(self.stored(sent(properties=text)).properties["A"], "?\ufffd")

    def test_pop_ck_dropped(self) -> None:
        """A client cannot forge the property that pops are acknowledged by."""
        message = self.stored(sent(properties="POP_CK\x011 2\x02A\x01b\x02"))
        self.assertNotIn("POP_CK", message.properties)
        self.assertEqual(message.properties["A"], "b")


class ReservedNameTests(BrokerCase):
    """Properties whose values hold the names of reserved ones."""

    def test_values_ask_for_nothing(self) -> None:
        """The message is stored in its topic, with a unique key of its own."""
        for name in (
            "UNIQ_KEY",
            "DELAY",
            "TIMER_DELAY_SEC",
            "TIMER_DELIVER_MS",
            "TRAN_MSG",
            "POP_CK",
        ):
            for value in (name, f"a {name} b", f"{name}\x01true"):
                message = self.stored(sent(properties=f"A\x01{value}\x02"))
                self.assertEqual(message.topic, TOPIC)
                self.assertEqual(message.properties["A"], value)
                self.assertEqual(len(message.properties["UNIQ_KEY"]), 32)

    def test_names_that_are_longer(self) -> None:
        """A name that only begins or ends like a reserved one is the user's."""
        text = "XUNIQ_KEY\x01a\x02TIMER_X\x01b\x02XDELAY\x01c\x02POP_CK_OFFSET\x01d\x02"
        message = self.stored(sent(properties=text))
        for name in ("XUNIQ_KEY", "TIMER_X", "XDELAY", "POP_CK_OFFSET", "UNIQ_KEY"):
            self.assertIn(name, message.properties)

    def test_a_key_without_value(self) -> None:
        """An empty unique key is none: the message gets one."""
        message = self.stored(sent(properties="UNIQ_KEY\x01\x02"))
        self.assertEqual(len(message.properties["UNIQ_KEY"]), 32)


class RefusedTests(BrokerCase):
    """What Apache RocketMQ refuses, with its code."""

    def test_topic_names(self) -> None:
        """Illegal names are refused, and no file bears them."""
        before = self.files()
        names = ["../../x", "a/b", "..", "", " ", "t\u00f6pic", "a.b", "a\x00b"]
        for name in [*names, "x" * 128, "\ud800", "%RETRY%../x", "%RETRY%" + "x" * 249]:
            with self.subTest(name=name):
                response = self.ask(sent(name))
                self.assertIn(int(response.status), (26, 29))
                self.assertNotIn(name, self.tables.topics.table)
        self.assertEqual(self.files(), before)

    def test_says_why(self) -> None:
        """The remark names the topic and the rule."""
        self.refused(29, "illegal characters", sent("../../x"))
        self.refused(29, "longer than topic max length: 127", sent("x" * 128))
        self.refused(29, "blank", sent(""))

    def test_system_topics(self) -> None:
        """Topics of the system are not sent to."""
        names = ["SELF_TEST_TOPIC", "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC"]
        names += ["RMQ_SYS_TRANS_OP_HALF_TOPIC", "OFFSET_MOVED_EVENT"]
        for name in [*names, "TRANS_CHECK_MAX_TIME_TOPIC"]:
            self.refused(16, f"sending to the topic [{name}] is forbidden", sent(name))

    def test_too_large(self) -> None:
        """The largest body is stored, one byte more is refused."""
        self.assertEqual(self.ask(sent(body=bytes(4096))).status, 0)
        self.refused(13, "4097 bytes; at most 4096", sent(body=bytes(4097)))

    def test_long_properties(self) -> None:
        """The text counts with what the broker adds."""
        text = "A\x01" + "x" * 32_767
        self.refused(13, "32767 are allowed", sent(properties=text))

    def test_numbers(self) -> None:
        """Numbers out of range are refused by name, not by an internal error."""
        for letter, text in (("g", str(1 << 63)), ("h", str(1 << 31)), ("e", "one")):
            self.refused(1, f"the field {letter} (", sent(), {letter: text})
        for letter in "defhjl":
            self.refused(1, f"the field {letter} (", sent(), {letter: str(-1 << 40)})
        self.refused(1, "the field h (", sent(), {"h": ""})

    def test_unknown_queue(self) -> None:
        """A queue that the topic does not have is refused."""
        self.topic(queues=4)
        self.refused(29, "queueId[4] is illegal: TopicTest has 4", sent(queue_id=4))
        self.refused(29, "queueId[2147483647]", sent(queue_id=(1 << 31) - 1))

    def test_no_queue_to_write(self) -> None:
        """A topic without queues to write takes nothing."""
        self.topic(queues=0)
        self.refused(29, "has 0 queues", sent(queue_id=0))
        self.refused(29, "0 to write", sent(queue_id=-1))

    def test_marks_of_brokers(self) -> None:
        """Bits of the system flag that only a broker sets are refused."""
        for flag in (0x4, 0x8, 0xC, 0x40, 0x80, 0xC0, 0x184):
            self.refused(13, f"sysFlag is {flag:#x}", sent(sys_flag=flag))
            self.refused(13, f"sysFlag is {flag:#x}", batched(b"1", sys_flag=flag))
        self.assertEqual(self.store.commit_log_max, 0)

    def test_no_transaction(self) -> None:
        """Any other value than true is none."""
        for value in ("false", "trueish", "1"):
            message = self.stored(sent(properties=f"TRAN_MSG\x01{value}\x02"))
            self.assertEqual(message.topic, TOPIC)

    def test_delay_is_no_number(self) -> None:
        """The property is named, and what it holds."""
        for text in ("abc", "--5", "1.5", "\u00b2", "9" * 5000, "+"):
            request = sent(properties=f"DELAY\x01{text}")
            self.refused(1, "DELAY of the properties", request)

    def test_closed_store(self) -> None:
        """A store that takes nothing says so with code 14."""
        self.ask(sent())
        self.successResultOf(self.store.close())
        self.refused(14, "the store accepts no messages", sent())


class CreateOnSendTests(BrokerCase):
    """Topics that come about by sending to them."""

    def created(self, name: str) -> TopicConfig:
        """Return the settings of a topic that must be there."""
        return self.tables.topics.require(name)

    def test_created(self) -> None:
        """As many queues as asked for, at most as many as the default topic has."""
        self.ask(sent("T4"))
        self.ask(sent("T8", default_topic_queue_nums=10**9))
        for name, queues in (("T4", 4), ("T8", 8)):
            created = self.created(name)
            self.assertEqual(created.write_queue_nums, queues)
            self.assertEqual(created.read_queue_nums, queues)
            self.assertEqual(created.perm, PERM_READ | PERM_WRITE)

    def test_no_queues_asked_for(self) -> None:
        """A negative number makes a topic without queues, which takes no message."""
        for number in (-1, 0):
            request = sent(f"T{number}", default_topic_queue_nums=number)
            self.refused(29, "has 0 queues", request)

    def test_default_topic(self) -> None:
        """A default topic that is not there, or gives nothing away, creates nothing."""
        self.topic("Plain")
        for name in ("Nowhere", "Plain", ""):
            self.refused(17, "not exist, apply first", sent("New", default_topic=name))

    def test_kept_target_follows(self) -> None:
        """What is known of a topic is forgotten when it changes or goes."""
        self.topic(queues=4)
        self.ask(sent(queue_id=3))
        self.topic(queues=2)
        self.refused(29, "has 2 queues", sent(queue_id=3))
        self.tables.topics.delete(TOPIC)
        self.refused(17, "not exist", sent(default_topic="Nowhere"))


class NoAutoCreationTests(BrokerCase):
    """A broker that creates no topics."""

    settings = {"auto_create_topic_enable": False}

    def test_unknown(self) -> None:
        """Unknown topics are refused, whatever default topic is named."""
        for default in ("TBW102", "", "Nowhere"):
            self.refused(17, "topic[New] not exist", sent("New", default_topic=default))

    def test_retry_topics_anyway(self) -> None:
        """What a group tries again is stored all the same."""
        self.assertEqual(self.stored(sent(RETRY)).topic, RETRY)


class ReadOnlyTests(BrokerCase):
    """A broker whose permission lacks write."""

    settings = {"broker_permission": PERM_READ}

    def test_ordered_and_unknown(self) -> None:
        """Ordered topics and new ones are refused."""
        self.topic(order=True)
        self.refused(16, "the broker [broker-a] does not accept messages", sent())
        self.refused(16, "lacks write", sent("New"))

    def test_others(self) -> None:
        """Messages for topics that exist are taken, as by Apache RocketMQ."""
        self.topic()
        self.assertEqual(self.stored(sent()).topic, TOPIC)


class RetryTests(BrokerCase):
    """Sends to a retry topic."""

    def again(self, **fields: object) -> StoredMessage:
        """Send to the retry topic."""
        return self.stored(sent(RETRY, **fields))

    def test_stored_as_addressed(self) -> None:
        """Up to the limit it is tried again."""
        self.assertEqual(self.again(reconsume_times=16).topic, RETRY)
        self.assertEqual(self.again(reconsume_times=16).reconsume_times, 16)

    def test_dead_letter(self) -> None:
        """Beyond the limit it is a dead letter, in a queue of that topic, at once."""
        self.tables.topics.create_retry(GROUP, 4)
        message = self.again(
            reconsume_times=17, queue_id=3, properties="DELAY\x014\x02A\x01b\x02"
        )
        self.assertEqual((message.topic, message.queue_id), (DLQ, 0))
        self.assertNotIn("DELAY", message.properties)
        self.assertEqual(message.properties["A"], "b")

    def test_dead_letter_once_special(self) -> None:
        """What it asked for when it was sent first does not count any more."""
        message = self.again(
            reconsume_times=17,
            properties="TRAN_MSG\x01true\x02TIMER_DELAY_MS\x015\x02DELAY\x01x\x02",
        )
        self.assertEqual(message.topic, DLQ)
        self.assertNotIn("DELAY", message.properties)

    def test_request_is_not_changed(self) -> None:
        """Where the broker chooses another queue, the request still names its own."""
        request = sent(RETRY, reconsume_times=17, queue_id=3)
        call = call_from(self.peer, self.clock.seconds())
        found = self.router.find(int(request.code))
        assert found is not None
        response = found[1](request, call)
        assert isinstance(response, SendResponse)
        self.assertEqual((request.queue_id, response.queue_id), (3, 0))

    def test_retried_message_of_a_transaction(self) -> None:
        """A retried message keeps its properties, and is delayed."""
        text = "TRAN_MSG\x01true\x02DELAY\x013\x02"
        message = self.again(reconsume_times=1, properties=text)
        self.assertEqual(message.topic, "SCHEDULE_TOPIC_XXXX")
        self.assertEqual(message.properties["TRAN_MSG"], "true")

    def test_retried_message_of_a_timer(self) -> None:
        """A message that was delivered at its time is not timed again."""
        text = "TIMER_DELIVER_MS\x011\x02TIMER_OUT_MS\x010\x02"
        self.assertEqual(self.again(properties=text).topic, RETRY)

    def test_own_limit(self) -> None:
        """The client's own limit counts."""
        self.assertEqual(
            self.again(reconsume_times=3, max_reconsume_times=2).topic, DLQ
        )
        self.assertEqual(
            self.again(reconsume_times=17, max_reconsume_times=20).topic, RETRY
        )

    def test_locked_group(self) -> None:
        """A group that holds locks gives up for good; nothing is remembered of it."""
        self.assertEqual(self.again().topic, RETRY)
        queue = MessageQueue(TOPIC, "broker-a", 0)
        self.tables.locks.lock(GROUP, "client", [queue])
        self.assertEqual(self.again().topic, DLQ)
        self.clock.advance(61)
        self.assertEqual(self.again().topic, RETRY)

    def test_unknown_group(self) -> None:
        """A group that may not be called so is not there."""
        for name in ("", "g" * 121):
            self.refused(26, "subscription group not exist", sent(f"%RETRY%{name}"))
        self.refused(29, "illegal characters", sent("%RETRY%../../x"))

    def test_order_is_kept(self) -> None:
        """The retry topic of a group that consumes in order stays ordered."""
        self.tables.groups.put(SubscriptionGroup(GROUP, consume_message_orderly=True))
        self.tables.topics.create_retry(GROUP, order=True)
        version = self.tables.topics.data_version
        self.again()
        self.assertEqual(self.tables.topics.data_version, version)


class PathTests(BrokerCase):
    """Names that reach the file system."""

    def test_only_legal_names(self) -> None:
        """A queue's folder is named by the topic, below the store."""
        self.ask(sent())
        self.successResultOf(self.store.close())
        self.assertTrue(os.path.isdir(self.path("consumequeue", TOPIC, "0")))
