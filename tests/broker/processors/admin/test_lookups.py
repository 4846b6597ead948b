"""Tests of looking up which groups consume which topics."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.processors.admin import lookups
from rocketmq_tw.broker.processors.admin.lookups import LookupProcessor
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.wire.bodies.groups import GroupList, QuerySubscriptionResponseBody
from rocketmq_tw.wire.bodies.offsets import QueryCorrectionOffsetBody
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.consumer import QueryCorrectionOffset
from rocketmq_tw.wire.requests.group import (
    QueryGroupsOfTopic,
    QuerySubscription,
    QueryTopicsOfGroup,
)
from tests.broker.cases import BrokerCase
from tests.broker.doubles import MemoryConnection, call_from, client_of

LARGEST = (1 << 63) - 1


class LookupTests(BrokerCase):
    """Administrators see who consumes what."""

    def setUp(self) -> None:
        """Let two groups have read topics, and a third one subscribe."""
        super().setUp()
        self.offsets = self.tables.offsets
        for group, topic, offset in (
            ("G", "T", 7),
            ("G", "Other", 1),
            ("G2", "T", 5),
            ("G3", "Elsewhere", 1),
        ):
            self.offsets.commit(group, topic, 0, offset)
        self.tables.clients.register_consumer(
            "Online",
            client_of(MemoryConnection()),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[parse("T", "a || b", 1)],
        )

    def body(self, request: Request[Any]) -> bytes:
        """Ask; return the body of the response."""
        asked = maybeDeferred(self.ask, request)
        self.clock.pump([0.0] * 20)
        body: bytes = self.successResultOf(asked).body
        return body

    def test_groups_of_a_topic(self) -> None:
        """Those that have read it, and those that are online."""
        body = self.body(QueryGroupsOfTopic("T"))
        self.assertEqual(set(GroupList.decode(body).group_list), {"G", "G2", "Online"})
        nobody = self.body(QueryGroupsOfTopic("Gone"))
        self.assertEqual(GroupList.decode(nobody).group_list, ())

    def test_topics_of_a_group(self) -> None:
        """Those in which it has offsets, and who says so."""
        body = self.body(QueryTopicsOfGroup("G"))
        found = TopicList.decode(body)
        self.assertEqual(set(found.topic_list), {"T", "Other"})
        self.assertEqual(found.broker_addr, "10.0.0.1:10911")

    def test_subscription(self) -> None:
        """What its members say; nothing if none is online."""
        body = self.body(QuerySubscription("Online", "T"))
        found = QuerySubscriptionResponseBody.decode(body)
        assert found.subscription_data is not None
        self.assertEqual(found.subscription_data.sub_string, "a || b")
        self.assertEqual((found.group, found.topic), ("Online", "T"))
        for request in (QuerySubscription("G", "T"), QuerySubscription("Online")):
            found = QuerySubscriptionResponseBody.decode(self.body(request))
            self.assertIsNone(found.subscription_data)

    def correction(self, compare: str, left_out: str | None = None) -> dict[int, int]:
        """Ask for the least offsets."""
        body = self.body(QueryCorrectionOffset(compare, "T", left_out))
        return QueryCorrectionOffsetBody.decode(body).correction_offsets

    def test_least_offsets(self) -> None:
        """Of all groups but some, which keep theirs, unlike at Apache's brokers."""
        self.assertEqual(self.correction("Nobody"), {0: 5})
        self.assertEqual(self.correction("Nobody", "G2,Other"), {0: 7})
        self.assertEqual(self.offsets.query("G2", "T", 0), 5)

    def test_group_that_is_behind(self) -> None:
        """There is nothing to correct where the other groups are ahead."""
        self.offsets.commit("Behind", "T", 0, 3)
        self.assertEqual(self.correction("Behind", "Behind"), {0: LARGEST})
        self.assertEqual(self.correction("G"), {0: 3})

    def test_group_with_other_queues(self) -> None:
        """A queue that only the group to compare with has read is left out."""
        self.offsets.commit("G", "T", 1, 3)
        self.assertEqual(self.correction("G", "G"), {0: 5})

    def test_deleted_messages(self) -> None:
        """An offset before the first message does not count."""

        class Trimmed:
            """A store whose first messages are deleted."""

            def min_offset(self, topic: str, queue_id: int) -> int:
                """Return the first offset."""
                return 6

        processor = LookupProcessor(
            offsets=self.offsets,
            clients=self.tables.clients,
            store=Trimmed(),
            address="",
            pacer=self.broker.pacer,
        )
        request = QueryCorrectionOffset("Nobody", "T")
        call = call_from(self.peer, self.clock.seconds())
        response = self.successResultOf(
            maybeDeferred(processor.correction, request, call)
        )
        found = QueryCorrectionOffsetBody.decode(response.body)
        self.assertEqual(found.correction_offsets, {0: 7})

    def test_large_tables_in_steps(self) -> None:
        """One step looks at so many entries."""
        for number in range(lookups.AT_ONCE + 10):
            self.offsets.commit("Many", f"T{number}", 0, 1)
        body = self.body(QueryTopicsOfGroup("Many"))
        found = TopicList.decode(body).topic_list
        self.assertEqual(len(found), lookups.AT_ONCE + 10)
