"""Tests of what heartbeats may make a broker keep."""

from __future__ import annotations

import json
from typing import Any

from rocketmq_tw.broker.tables.clients import size_of
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from tests.broker.cases import BrokerCase, Peer


def beat(
    *groups: str, producers: tuple[str, ...] = (), tags: str = "*", **body: Any
) -> Heartbeat:
    """Make the heartbeat of a client that subscribes to one topic in each group."""
    subscription = {"topic": "T", "subString": tags, "subVersion": 1}
    subscription |= body.pop("subscription", {})
    consumers = [
        {"groupName": group, "subscriptionDataSet": [subscription]} for group in groups
    ]
    values: dict[str, Any] = {
        "clientID": "c",
        "consumerDataSet": consumers,
        "producerDataSet": [{"groupName": name} for name in producers],
    }
    return Heartbeat(body=json.dumps(values | body).encode())


class HeartbeatLimitsTests(BrokerCase):
    """Of memberships, subscriptions and names."""

    settings = {"max_group_memberships": 3, "max_subscriptions_size": 1000}

    def test_memberships(self) -> None:
        """Those of all connections count; one that has its own keeps them."""
        self.ask(beat("A", producers=("P", "Q")))
        first, self.peer = self.peer, Peer()
        self.refused(2, "maxGroupMemberships", beat("A"))
        self.assertEqual(len(self.tables.clients.client_ids("A")), 1)
        self.peer = first
        self.assertEqual(self.ask(beat("A", producers=("P", "Q"))).status, 0)
        self.assertEqual(self.stats.gauges["groupMemberships"](), 3)
        self.assertEqual(self.stats.gauges["heartbeatsRefused"](), 1)

    def test_memberships_end(self) -> None:
        """A connection that is lost makes place for another one's."""
        self.ask(beat("A", producers=("P", "Q")))
        self.broker.lifecycle.connection_lost(self.peer)
        self.assertEqual(self.stats.gauges["groupMemberships"](), 0)
        self.assertEqual(self.stats.gauges["subscriptionsSize"](), 0)
        self.peer = Peer()
        self.assertEqual(self.ask(beat("B")).status, 0)

    def test_subscriptions(self) -> None:
        """All groups share the bytes; a heartbeat that repeats its own still passes."""
        self.ask(beat("A", tags="x" * 300))
        size = size_of(parse("T", "x" * 300, 1))
        # As the client sent neither tags nor codes.
        self.assertEqual(self.stats.gauges["subscriptionsSize"](), size - 300 - 240)
        self.refused(2, "maxSubscriptionsSize", beat("B"))
        self.assertNotIn("B", self.tables.groups.table)
        self.assertEqual(self.ask(beat("A", tags="x" * 300)).status, 0)

    def test_sets_count(self) -> None:
        """So do tags and codes, whatever text they come with."""
        codes = list(range(10))
        self.refused(
            2, "maxSubscriptionsSize", beat("A", subscription={"codeSet": codes})
        )

    def test_long_subscription(self) -> None:
        """A text is as long as that of a pull at most."""
        self.refused(2, "maxSubscriptionLength", beat("A", tags="x" * 65_537))

    def test_long_names(self) -> None:
        """Neither a client's id nor a producer group has more than 255 characters."""
        self.refused(2, "256 characters", beat("A", clientID="x" * 256))
        self.refused(2, "256 characters", beat(producers=("x" * 256,)))
        self.assertEqual(self.stats.gauges["groupMemberships"](), 0)
