"""Pulls of messages whose properties meet an expression."""

from __future__ import annotations

from twisted.logger import LogLevel, capturedLogs, formatEvent

from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.record import decode_all
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent


class SqlTests(BrokerCase):
    """A topic of messages whose property ``a`` counts from 0 to 9."""

    def setUp(self) -> None:
        """Send them."""
        super().setUp()
        for number in range(10):
            self.ask(sent(body=b"%d" % number, properties=f"a\x01{number}\x02"))

    def inline(self, text: str, kind: str = "SQL92", **fields: object) -> list[bytes]:
        """Pull with an expression; return the bodies."""
        request = pulled(subscription=text, expression_type=kind, **fields)
        response = self.ask(request)
        self.assertEqual(response.status, 0)
        return [message.body for message in decode_all(response.body)]

    def test_inline(self) -> None:
        """The expression of the pull chooses."""
        self.assertEqual(self.inline("a > 6 OR a = 2"), [b"2", b"7", b"8", b"9"])

    def test_nothing_matches(self) -> None:
        """The client asks again, behind what was looked at."""
        request = pulled(subscription="a > 60", expression_type="SQL92")
        response = self.ask(request)
        self.assertEqual((response.status, response.next_begin_offset), (20, 10))

    def test_wrong(self) -> None:
        """A wrong expression lets all pass, and is logged, once a minute."""
        with capturedLogs() as events:
            for _ in range(3):
                self.assertEqual(len(self.inline("a >")), 10)
        [event] = [e for e in events if e["log_level"] is LogLevel.warn]
        self.assertIn("is wrong: a name, a text or a number", formatEvent(event))
        self.assertEqual(len(self.inline("a", kind="XPATH")), 10)

    def test_empty(self) -> None:
        """An empty expression is refused."""
        response = self.ask(pulled(subscription="", expression_type="SQL92"))
        self.assertEqual(response.status, 23)

    def subscribe(self, text: str) -> None:
        """Register a consumer with an expression."""
        subscription = Subscription(TOPIC, text, "SQL92", sub_version=1)
        group = ConsumerData(
            GROUP,
            ConsumeType.CONSUME_PASSIVELY,
            MessageModel.CLUSTERING,
            subscription_data_set=(subscription,),
        )
        beat = HeartbeatData(client_id="c", consumer_data_set=(group,))
        self.assertEqual(self.ask(Heartbeat(body=beat.encode())).status, 0)

    def test_of_heartbeat(self) -> None:
        """So does that of a heartbeat; a wrong one is refused."""
        self.subscribe("a < 2")
        response = self.ask(pulled(sys_flag=0, sub_version=1))
        self.assertEqual(
            [message.body for message in decode_all(response.body)], [b"0", b"1"]
        )

    def test_wrong_in_heartbeat(self) -> None:
        """There is no filter then."""
        self.subscribe("a <")
        response = self.ask(pulled(sys_flag=0, sub_version=1))
        self.assertEqual(response.status, 27)
        self.assertIn("Your expression may be wrong", response.remark or "")
