"""Tests of looking at consumer groups."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.processors.admin.consumer import ConsumerProcessor
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.errors import BrokerError, Refused, RequestTimeout
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.stats import ConsumeStats, OffsetState
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import GetConsumerRunningInfo, GetConsumeStats
from tests.broker.doubles import (
    MemoryConnection,
    MemoryFile,
    MemoryQueues,
    call,
    client_of,
)


class ReportingConnection(MemoryConnection):
    """The connection of a client that responds when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, float]] = []
        self.response: Deferred[Response] = Deferred()

    def call(self, request: object, timeout: float) -> Deferred[Response]:
        """Remember the request."""
        self.asked.append((request, timeout))
        return self.response


class ConsumerProcessorTests(SynchronousTestCase):
    """Administrators see how far groups are and what their members do."""

    def setUp(self) -> None:
        """Make a processor with one topic of two queues, one of them read."""
        clock = Clock()
        topics = TopicTable(MemoryFile(), "C", "b", clock=clock)
        topics.load()
        for name in ("T", "Other"):
            topics.put(TopicConfig(name, 2, 3))
        self.offsets = ConsumerOffsets(MemoryFile(), clock=clock)
        self.clients = ClientTable(lambda group, members: None)
        self.store = MemoryQueues()
        self.store.queues["T", 0] = (10, [100, 200, 300])
        self.offsets.commit("G", "T", 0, 12)
        self.processor = ConsumerProcessor(
            topics=topics,
            offsets=self.offsets,
            clients=self.clients,
            store=self.store,
            broker_name="b",
        )

    def stats(
        self, group: str = "G", topic: str | None = None, topic_list: str | None = None
    ) -> dict[MessageQueue, OffsetState]:
        """Ask how far a group is."""
        request = GetConsumeStats(group, topic, topic_list)
        response = self.processor.stats(request, call())
        assert isinstance(response, Response)
        return ConsumeStats.decode(response.body).offset_table

    def join(self, version: int = 479, *topics: str) -> ReportingConnection:
        """Let a member join the group."""
        connection = ReportingConnection()
        self.clients.register_consumer(
            "G",
            client_of(connection, version=version),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[Subscription(topic, "*") for topic in topics],
        )
        return connection

    def ask(self, client_id: str = "client") -> Deferred[Response]:
        """Ask a member for its report."""
        request = GetConsumerRunningInfo("G", client_id, False)
        return self.processor.running_info(request, call())

    def test_takes_its_requests(self) -> None:
        """The router knows who handles both codes."""
        router = Router()
        self.processor.routes(router)
        self.assertIsNotNone(router.find(208))
        self.assertIsNotNone(router.find(307))

    def test_stats_list_the_queues_to_read(self) -> None:
        """Each has its end, the committed offset, and the time of the last one read."""
        self.assertEqual(
            self.stats(),
            {
                MessageQueue("T", "b", 0): OffsetState(13, 12, 12, 200),
                MessageQueue("T", "b", 1): OffsetState(0, 0, 0, 0),
            },
        )

    def test_stats_of_an_unknown_group_are_empty(self) -> None:
        """It has read nothing, which is no error; nor is a topic that is gone."""
        self.offsets.commit("G2", "Gone", 0, 5)
        self.assertEqual(self.stats("G2"), {})
        self.assertEqual(self.stats("Nobody"), {})

    def test_stats_of_topics_asked_for(self) -> None:
        """One topic or a list of them takes the place of those with offsets."""
        for wanted in (self.stats(topic="Other"), self.stats(topic_list="Other;")):
            self.assertEqual({queue.topic for queue in wanted}, {"Other"})

    def test_stats_leave_out_what_is_no_longer_subscribed(self) -> None:
        """While members are online only their topics count, unless a list is given."""
        self.join(479, "Other")
        self.assertEqual(self.stats(), {})
        self.assertEqual(len(self.stats(topic_list="T;Other")), 4)

    def test_running_info_is_passed_on(self) -> None:
        """The member gets the request, and its response goes back as it is."""
        connection = self.join()
        passed = self.ask()
        self.assertNoResult(passed)
        request = GetConsumerRunningInfo("G", "client", False)
        self.assertEqual(connection.asked, [(request, 10.0)])
        connection.response.callback(Response(body=b"{}"))
        self.assertEqual(self.successResultOf(passed).body, b"{}")

    def test_error_of_the_member_is_passed_on(self) -> None:
        """So are the code and the remark of one that cannot report."""
        connection = self.join()
        passed = self.ask()
        connection.response.errback(BrokerError(3, "not supported", "a", "R"))
        response = self.successResultOf(passed)
        self.assertEqual((response.status, response.remark), (3, "not supported"))

    def test_member_that_does_not_respond(self) -> None:
        """After the time-out the code is 207."""
        connection = self.join()
        passed = self.ask()
        connection.response.errback(RequestTimeout("a", "too late"))
        error = self.failureResultOf(passed, Refused).value
        self.assertEqual(error.code, 207)
        self.assertIn("too late", error.remark)

    def test_member_that_is_not_here(self) -> None:
        """An unknown client is refused, whether the group is online or not."""
        for _ in range(2):
            error = self.assertRaises(Refused, self.ask, "stranger")
            self.assertEqual((error.code, error.remark[-10:]), (1, "not online"))
            self.join()

    def test_old_member(self) -> None:
        """One of a release that cannot report is not asked."""
        connection = self.join(61)
        error = self.assertRaises(Refused, self.ask)
        self.assertIn("too old", error.remark)
        self.assertEqual(connection.asked, [])
