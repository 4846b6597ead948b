"""Tests of heartbeats and of asking who is there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rocketmq_tw.broker.processors.heartbeat import AT_ONCE, LISTED
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.pacing import STEPS, Steps
from rocketmq_tw.wire.request_json import SMALL
from rocketmq_tw.wire.requests.heartbeat import (
    GetConsumerList,
    Heartbeat,
    UnregisterClient,
)
from tests.broker.cases import BrokerCase, Peer
from tests.broker.doubles import client_of


def heartbeat(group: str = "CG", **consumer: Any) -> Heartbeat:
    """Make the heartbeat of a client that consumes in a group and produces in PG."""
    subscription = {
        "classFilterMode": False,
        "codeSet": [2598919],
        "expressionType": "TAG",
        "subString": "TagA",
        "subVersion": 5,
        "tagsSet": ["TagA"],
        "topic": "TopicTest",
    }
    consumer = {
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET",
        "consumeType": "CONSUME_PASSIVELY",
        "groupName": group,
        "messageModel": "CLUSTERING",
        "subscriptionDataSet": [subscription],
        "unitMode": False,
        **consumer,
    }
    body = {
        "clientID": "10.0.0.9@1",
        "consumerDataSet": [consumer],
        "producerDataSet": [{"groupName": "PG"}],
    }
    return Heartbeat(body=json.dumps(body).encode())


def many(groups: Iterable[str], kind: str = "consumerDataSet") -> Heartbeat:
    """Make the heartbeat of a client with many groups."""
    body = {"clientID": "c", kind: [{"groupName": group} for group in groups]}
    return Heartbeat(body=json.dumps(body).encode())


class HeartbeatProcessorTests(BrokerCase):
    """Clients are in their groups once they said so."""

    def setUp(self) -> None:
        """Start a broker that knows no client."""
        super().setUp()
        self.clients = self.tables.clients

    def beat(self, group: str = "CG", **consumer: Any) -> None:
        """Send a heartbeat that is taken."""
        response = self.ask(heartbeat(group, **consumer))
        self.assertEqual((response.status, response.remark), (0, None))

    def test_heartbeat_notes_all_groups(self) -> None:
        """The client consumes and produces, its group exists, and its retry topic."""
        self.tables.groups.put(SubscriptionGroup("CG", retry_queue_nums=2))
        self.beat()
        self.assertEqual(self.clients.client_ids("CG"), ["10.0.0.9@1"])
        self.assertEqual(len(self.clients.producers("PG")), 1)
        retry = self.tables.topics.require("%RETRY%CG")
        self.assertEqual((retry.write_queue_nums, retry.perm), (2, 6))

    def test_illegal_group_notes_nothing(self) -> None:
        """A name that breaks the rules is refused before anything is made."""
        before = dict(self.tables.topics.table)
        self.refused(29, "bad group", heartbeat("bad group"))
        self.assertEqual(self.clients.producers("PG"), [])
        self.assertEqual(self.tables.topics.table, before)

    def test_too_many_groups(self) -> None:
        """A heartbeat that names too many groups creates none, and costs no search."""
        before = dict(self.tables.topics.table)
        body = {
            "clientID": "c",
            "consumerDataSet": [{"groupName": f"G{n}"} for n in range(1001)],
        }
        beat = Heartbeat(body=json.dumps(body).encode())
        self.refused(2, "1001 groups; maxGroupsPerConnection is 1000", beat)
        self.assertEqual(self.stats.gauges["heartbeatsRefused"](), 1)
        self.assertEqual(self.tables.topics.table, before)
        self.assertEqual(self.clients.client_ids("G0"), [])

    def test_too_many_groups_in_all(self) -> None:
        """The groups of earlier heartbeats count too, each once."""
        names = [[f"G{n}" for n in range(at, at + 600)] for at in (0, 300, 600)]
        for groups, status in zip(names, (0, 0, 2), strict=True):
            response = self.ask(many(groups, "producerDataSet"))
            if status:
                self.assertIn("1200 groups", response.remark)
            else:
                self.clock.advance(0)
                self.assertEqual(self.successResultOf(response).status, 0)
        self.assertEqual(len(self.clients.producers("G899")), 1)
        self.assertEqual(self.clients.producers("G900"), [])

    def test_go_clients_send_nulls(self) -> None:
        """Null for no groups, and hash codes as text, are understood."""
        body = b'{"clientID":"go","consumerDataSet":null,"producerDataSet":null}'
        self.assertEqual(self.ask(Heartbeat(body=body)).status, 0)
        subscription = {"topic": "T", "codeSet": ["2598919"], "tagsSet": None}
        self.beat(subscriptionDataSet=[subscription])
        found = self.clients.subscription("CG", "T")
        self.assertEqual(found and found.code_set, {2598919})

    def test_consumer_list(self) -> None:
        """Members are listed; a group without any is refused with 1."""
        request = GetConsumerList("CG")
        self.refused(1, "no consumer for this group, CG", request)
        self.beat()
        response = self.ask(request)
        self.assertEqual(response.body, b'{"consumerIdList":["10.0.0.9@1"]}')

    def test_long_list(self) -> None:
        """Many members are listed in steps, each id once."""
        ids = [f"client-{n}" for n in range(LISTED * STEPS)]
        for client_id in (*ids, ids[0]):
            self.clients.register_consumer(
                "CG",
                client_of(Peer(), client_id=client_id),
                consume_type=None,
                message_model=None,
                consume_from=None,
                subscriptions=(),
            )
        response = self.ask(GetConsumerList("CG"))
        self.assertNoResult(response)
        self.clock.advance(0)
        self.clock.advance(0)
        body = self.successResultOf(response).body
        self.assertEqual(json.loads(body), {"consumerIdList": ids})

    def test_unregister(self) -> None:
        """A client leaves the groups that it names."""
        self.beat()
        self.ask(UnregisterClient("10.0.0.9@1", "PG", "CG"))
        self.assertEqual(self.clients.client_ids("CG"), [])
        self.assertEqual(self.clients.producers("PG"), [])

    def test_client_whose_connection_is_lost(self) -> None:
        """It is in no group any more."""
        self.beat()
        self.broker.lifecycle.connection_lost(self.peer)
        self.assertEqual(self.clients.client_ids("CG"), [])

    def use_up_iteration(self) -> None:
        """Take all steps that this reactor iteration allows."""

        def steps() -> Steps[None]:
            yield from [None] * STEPS

        self.broker.pacer.run(steps(), Peer())

    def test_many_groups(self) -> None:
        """They are registered in steps, however short their names are."""
        request = many(f"G{n}" for n in range(1000))
        self.assertLess(len(request.body), SMALL)
        response = self.ask(request)
        self.assertNoResult(response)
        self.assertEqual(self.clients.memberships, STEPS * AT_ONCE)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 0)
        self.assertIsNotNone(self.tables.topics.get("%RETRY%G999"))

    def test_large(self) -> None:
        """A large heartbeat has its turn among other long work; a small one does not
        wait.
        """
        topics = [{"topic": f"T{n}", "subString": "*"} for n in range(3000)]
        self.use_up_iteration()
        response = self.ask(heartbeat(subscriptionDataSet=topics))
        self.assertNoResult(response)
        self.assertEqual(self.clients.client_ids("CG"), [])
        self.beat("Other")
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 0)
        self.assertIsNotNone(self.tables.topics.get("%RETRY%CG"))
        self.assertIsNotNone(self.clients.subscription("CG", "T2999"))

    def test_large_and_refused(self) -> None:
        """The refusal of a large heartbeat comes in its turn too."""
        topics = [{"topic": f"T{n}", "subString": "*"} for n in range(3000)]
        self.use_up_iteration()
        response = self.ask(heartbeat("C G", subscriptionDataSet=topics))
        self.clock.advance(0)
        refused = self.successResultOf(response)
        self.assertIn("illegal", refused.remark)
        self.assertEqual(self.clients.memberships, 0)


class NoGroupsTests(BrokerCase):
    """A broker that creates no groups."""

    settings = {"auto_create_subscription_group": False}

    def test_group_that_may_not_be_created_is_passed_over(self) -> None:
        """The rest of the heartbeat counts all the same."""
        self.assertEqual(self.ask(heartbeat()).status, 0)
        self.assertEqual(self.tables.clients.client_ids("CG"), [])
        self.assertEqual(len(self.tables.clients.producers("PG")), 1)


class FewMembershipsTests(BrokerCase):
    """A broker that allows few memberships."""

    settings = {"max_group_memberships": 1500}

    def test_two_at_once(self) -> None:
        """One may use up what was left when the other's heartbeat was checked."""
        responses = []
        for prefix in "GH":
            responses.append(self.ask(many(f"{prefix}{n}" for n in range(1000))))
            self.peer = Peer()
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(responses[0]).status, 0)
        remark = self.successResultOf(responses[1]).remark
        self.assertIn("maxGroupMemberships", remark)
        self.assertLessEqual(self.tables.clients.memberships, 1500)
