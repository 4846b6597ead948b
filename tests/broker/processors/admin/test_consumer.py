"""Tests of looking at consumer groups."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.wire.bodies.stats import ConsumeStats, OffsetState
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import GetConsumerRunningInfo, GetConsumeStats
from tests.broker.cases import BrokerCase, Peer, sent
from tests.broker.doubles import client_of
from tests.store.cases import NOW


class ReportingPeer(Peer):
    """The connection of a client that responds when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, float]] = []
        self.response: Deferred[Response] = Deferred()

    def call(self, request: object, timeout: float) -> Deferred[Response]:
        """Remember the request."""
        self.asked.append((request, timeout))
        return self.response


class ConsumerProcessorTests(BrokerCase):
    """Administrators see how far groups are and what their members do."""

    def setUp(self) -> None:
        """Create two topics of two queues, and let a group read one of them."""
        super().setUp()
        self.topic("T", 2)
        self.topic("Other", 2)
        for _ in range(3):
            self.ask(sent("T"))
            self.clock.advance(0.5)
        self.offsets = self.tables.offsets
        self.offsets.commit("G", "T", 0, 2)

    def progress(
        self, group: str = "G", topic: str | None = None, topic_list: str | None = None
    ) -> dict[MessageQueue, OffsetState]:
        """Ask how far a group is."""
        request = GetConsumeStats(group, topic, topic_list)
        response = self.successResultOf(maybeDeferred(self.ask, request))
        return ConsumeStats.decode(response.body).offset_table

    def join(self, version: int = 479, *topics: str) -> ReportingPeer:
        """Let a member join the group."""
        connection = ReportingPeer()
        self.tables.clients.register_consumer(
            "G",
            client_of(connection, self.clock.seconds(), version=version),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[Subscription(topic, "*") for topic in topics],
        )
        return connection

    def info(self, client_id: str = "client") -> Any:
        """Ask a member for its report."""
        return self.ask(GetConsumerRunningInfo("G", client_id, False))

    def test_stats_list_the_queues_to_read(self) -> None:
        """Each has its end, the committed offset, and the time of the last one read."""
        read_ms = int(NOW * 1000) + 500
        self.assertEqual(
            self.progress(),
            {
                MessageQueue("T", "broker-a", 0): OffsetState(3, 2, 2, read_ms),
                MessageQueue("T", "broker-a", 1): OffsetState(0, 0, 0, 0),
            },
        )

    def test_stats_of_an_unknown_group_are_empty(self) -> None:
        """It has read nothing, which is no error; nor is a topic that is gone."""
        self.offsets.commit("G2", "Gone", 0, 5)
        self.assertEqual(self.progress("G2"), {})
        self.assertEqual(self.progress("Nobody"), {})

    def test_stats_of_topics_asked_for(self) -> None:
        """One topic or a list of them takes the place of those with offsets."""
        for wanted in (
            self.progress(topic="Other"),
            self.progress(topic_list="Other;"),
        ):
            self.assertEqual({queue.topic for queue in wanted}, {"Other"})

    def test_stats_leave_out_what_is_no_longer_subscribed(self) -> None:
        """While members are online only their topics count, unless a list is given."""
        self.join(479, "Other")
        self.assertEqual(self.progress(), {})
        self.assertEqual(len(self.progress(topic_list="T;Other")), 4)

    def test_running_info_is_passed_on(self) -> None:
        """The member gets the request, and its response goes back as it is."""
        connection = self.join()
        passed = self.info()
        self.assertNoResult(passed)
        request = GetConsumerRunningInfo("G", "client", False)
        self.assertEqual(connection.asked, [(request, 10.0)])
        connection.response.callback(Response(body=b"{}"))
        self.assertEqual(self.successResultOf(passed).body, b"{}")

    def test_error_of_the_member_is_passed_on(self) -> None:
        """So are the code and the remark of one that cannot report."""
        connection = self.join()
        passed = self.info()
        connection.response.errback(BrokerError(3, "not supported", "a", "R"))
        response = self.successResultOf(passed)
        self.assertEqual((response.status, response.remark), (3, "not supported"))

    def test_member_that_does_not_respond(self) -> None:
        """After the time-out the code is 207."""
        connection = self.join()
        passed = self.info()
        connection.response.errback(RequestTimeout("a", "too late"))
        response = self.successResultOf(passed)
        self.assertEqual(int(response.status), 207)
        self.assertIn("too late", response.remark)

    def test_member_that_is_not_here(self) -> None:
        """An unknown client is refused, whether the group is online or not."""
        for _ in range(2):
            request = GetConsumerRunningInfo("G", "stranger", False)
            self.refused(1, "not online", request)
            self.join()

    def test_old_member(self) -> None:
        """One of a release that cannot report is not asked."""
        connection = self.join(61)
        self.refused(1, "too old", GetConsumerRunningInfo("G", "client", False))
        self.assertEqual(connection.asked, [])
