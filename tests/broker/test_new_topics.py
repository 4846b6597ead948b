"""Tests of responses that wait for the routes of new topics."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.wire.batch import encode
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.send import SendBack
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent

CREATE = CreateTopic(
    topic="T",
    default_topic="TBW102",
    read_queue_nums=4,
    write_queue_nums=4,
    perm=6,
    topic_filter_type="SINGLE_TAG",
    topic_sys_flag=0,
    order=False,
)


class NewTopicsTests(BrokerCase):
    """Requests that create topics, with a name server."""

    name_servers = ("10.0.0.5:9876",)

    def setUp(self) -> None:
        """Start the name server, and then the broker; let the broker register."""
        super().setUp()
        reactor = self.network.reactor("10.0.0.5")
        self.routes = NamesrvService(NamesrvConfig(), reactor)
        self.routes.startService()
        self.addCleanup(self.routes.stopService)
        self.clock.pump([1.0] * 31)

    def knows(self, topic: str) -> bool:
        """Return whether the name server has the topic's route."""
        return topic in self.routes.table.queues

    def check(self, request: Request[Any], topic: str) -> None:
        """Ask, and check that the topic has a route when the response comes."""
        response = self.ask(request)
        self.assertNoResult(response)
        self.assertFalse(self.knows(topic))
        seen: list[bool] = []
        response.addCallback(lambda r: (seen.append(self.knows(topic)), r)[1])
        self.clock.pump([0.0] * 20)
        self.assertEqual(self.successResultOf(response).status, 0)
        self.assertEqual(seen, [True])

    def test_create(self) -> None:
        """Who made a topic may ask a name server for its route right then."""
        self.check(CREATE, "T")
        self.assertEqual(self.ask(CREATE).status, 0)

    def test_send(self) -> None:
        """The first message of a topic; the second is confirmed at once."""
        self.check(sent("T"), "T")
        self.assertEqual(self.ask(sent("T")).status, 0)
        self.assertEqual(len(self.messages("T")), 2)

    def test_batch(self) -> None:
        """The first batch of a topic likewise."""
        body = encode([(0, b"one", ""), (0, b"two", "")])
        self.check(sent("T", body, batch=True), "T")
        self.assertEqual(self.ask(sent("T", body, batch=True)).status, 0)

    def test_heartbeat(self) -> None:
        """A consumer finds its retry topic."""
        data = HeartbeatData("client", (), (ConsumerData(GROUP),))
        beat = Heartbeat(body=data.encode())
        self.check(beat, f"%RETRY%{GROUP}")
        self.assertEqual(self.ask(beat).status, 0)

    def test_heartbeat_of_many_groups(self) -> None:
        """The retry topics of all of them, though they are registered in steps."""
        groups = [ConsumerData(f"G{number}") for number in range(200)]
        beat = Heartbeat(body=HeartbeatData("client", (), tuple(groups)).encode())
        self.check(beat, "%RETRY%G199")

    def test_send_back(self) -> None:
        """The first message that a group sends back."""
        self.topic()
        self.clock.pump([0.0] * 20)
        self.ask(sent())
        request = SendBack(offset=0, group=GROUP, delay_level=1, origin_topic=TOPIC)
        self.check(request, f"%RETRY%{GROUP}")

    def test_retry(self) -> None:
        """A send to the retry topic of a group that has none."""
        self.check(sent("%RETRY%G"), "%RETRY%G")

    def test_many_at_once(self) -> None:
        """All responses come, however few registrations are made."""
        responses = [self.ask(sent(f"T-{number}")) for number in range(100)]
        self.clock.pump([0.0] * 20)
        for number, response in enumerate(responses):
            self.assertEqual(self.successResultOf(response).status, 0)
            self.assertTrue(self.knows(f"T-{number}"))

    def test_without_a_name_server(self) -> None:
        """Nobody waits for one that cannot be reached."""
        self.routes.stopService()
        self.clock.pump([0.0] * 20)
        self.assertNotIsInstance(self.ask(sent("T")), Deferred)
