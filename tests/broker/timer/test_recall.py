"""Messages that are recalled are not delivered."""

from __future__ import annotations

import base64

from rocketmq_tw.model.msgid import host_from_text
from rocketmq_tw.wire.recall import encode_handle
from rocketmq_tw.wire.requests.recall import RecallMessage
from tests.broker.cases import TOPIC
from tests.broker.timer.cases import TimerCase
from tests.store.cases import NOW

BASE = int(NOW * 1000)


def handle(topic: str = TOPIC, broker: str = "broker-a", time_ms: int = 0) -> str:
    """Make a handle."""
    return encode_handle(topic, broker, time_ms or BASE + 4001, "k").decode()


def encoded(text: str) -> str:
    """Make a handle of any text."""
    return base64.urlsafe_b64encode(text.encode()).decode()


class RecallTests(TimerCase):
    """Cancel one of several."""

    settings = {"timer_max_delay_sec": 3 * 86_400}

    def recall(self, text: str, topic: str = TOPIC) -> None:
        """Recall a message."""
        answer = self.ask(RecallMessage(topic, text, producer_group="PG"))
        self.assertEqual((answer.status, answer.remark), (0, None))

    def test_recalled(self) -> None:
        """It is not delivered; others of that time are."""
        self.topic()
        handles = [
            self.timed(b"%d" % number, TIMER_DELAY_MS=4900).recall_handle
            for number in range(3)
        ]
        answer = self.ask(RecallMessage(TOPIC, handles[1]))
        self.assertEqual((answer.status, answer.msg_id), (0, "1"))
        self.assertEqual(answer.region, "DefaultRegion")
        self.wait(6)
        self.assertEqual(self.bodies(), [b"0", b"2"])
        self.assertEqual(self.stats.gauges["timerRecalled"](), 1)

    def test_record(self) -> None:
        """It is what a broker of Apache RocketMQ stores."""
        text = self.timed(TIMER_DELAY_SEC=5).recall_handle
        message = self.stored(RecallMessage(TOPIC, text, producer_group="PG"))
        self.assertEqual(message.topic, "rmq_sys_wheel_timer")
        self.assertEqual(message.body, b"0")
        expected = {
            "TAGS": "_RECALL_TAG_",
            "UNIQ_KEY": "Hello",
            "TIMER_DEL_UNIQKEY": "Hello",
            "TIMER_DELIVER_MS": str(BASE + 4001),
            "TIMER_OUT_MS": str(BASE + 4000),
            "REAL_TOPIC": TOPIC,
            "REAL_QID": "0",
            "BORN_TIMESTAMP": str(BASE),
            "PGROUP": "PG",
        }
        self.assertEqual(message.properties, expected)

    def test_record_of_ipv6(self) -> None:
        """Its host is that of the client, whichever kind of address that has."""
        text = self.timed(TIMER_DELAY_SEC=5).recall_handle
        self.peer.host_bytes = host_from_text("[2001:db8::7]:4321")
        message = self.stored(RecallMessage(TOPIC, text))
        self.assertEqual(message.born_host, "[2001:db8::7]:4321")

    def test_twice(self) -> None:
        """Both succeed, as nobody looks for the message."""
        text = self.timed(TIMER_DELAY_SEC=5).recall_handle
        self.recall(text)
        self.recall(text)
        self.wait(6)
        self.assertEqual(self.bodies(), [])

    def test_form_with_topic(self) -> None:
        """The key that RocketMQ 5.3 stores begins with the topic."""
        self.timed(TIMER_DELAY_SEC=5)
        self.timed(b"0", TIMER_DELAY_SEC=5, TIMER_DEL_UNIQKEY=TOPIC + "Hello")
        self.wait(6)
        self.assertEqual(self.bodies(), [])

    def test_other_topic(self) -> None:
        """A record that cancels concerns its own topic only."""
        self.timed(TIMER_DELAY_SEC=5)
        self.timed(b"0", topic="Other", TIMER_DELAY_SEC=5, TIMER_DEL_UNIQKEY="Hello")
        self.wait(6)
        self.assertEqual(self.bodies(), [b"Hello"])

    def test_over_a_restart(self) -> None:
        """A recall is not forgotten."""
        text = self.timed(TIMER_DELAY_SEC=5).recall_handle
        self.recall(text)
        self.wait(1)
        self.restart()
        self.wait(6)
        self.assertEqual(self.bodies(), [])

    def test_refused(self) -> None:
        """Each handle that is wrong has its remark, in the order of the checks."""
        self.topic()
        bad = "recall handle is invalid"
        time = "recall failed, timestamp invalid"
        for code, words, text in (
            (604, bad, "v1"),
            (604, bad, encoded("v2 T b 1 k")),
            (604, bad, encoded(f"v1 {TOPIC} broker-a 1")),
            (604, "recall failed, topic not match", handle("Other")),
            (604, "recall failed, broker service not available", handle(broker="b")),
            (604, time, encoded(f"v1 {TOPIC} broker-a x k")),
            (604, time, handle(time_ms=BASE)),
            (604, time, handle(time_ms=BASE + 259_200_000)),
        ):
            self.refused(code, words, RecallMessage(TOPIC, text))
        words = "recall failed, the topic[Nope] not exist"
        self.refused(17, words, RecallMessage("Nope", "x"))


class WithTopicTests(TimerCase):
    """``appendTopicForTimerDeleteKey``."""

    settings = {"append_topic_for_timer_delete_key": True}

    def test_key(self) -> None:
        """It begins with the topic, and works."""
        text = self.timed(TIMER_DELAY_SEC=5).recall_handle
        message = self.stored(RecallMessage(TOPIC, text))
        self.assertEqual(message.properties["TIMER_DEL_UNIQKEY"], TOPIC + "Hello")
        self.wait(6)
        self.assertEqual(self.bodies(), [])


class DisabledTests(TimerCase):
    """``recallMessageEnable=false``."""

    settings = {"recall_message_enable": False}

    def test_refused(self) -> None:
        """The handle is there, but cannot be used."""
        text = self.timed(TIMER_DELAY_SEC=5).recall_handle
        words = "recall failed, operation is forbidden"
        self.refused(16, words, RecallMessage(TOPIC, text))
