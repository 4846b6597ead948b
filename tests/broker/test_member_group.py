"""Tests of the brokers of one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.member_group import MemberGroup
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.wire.bodies.cluster import (
    BrokerMemberGroup,
    GetBrokerMemberGroupBody,
)
from rocketmq_tw.wire.fields import Response


class MemberGroupTests(SynchronousTestCase):
    """Broker 1, with name servers of the test."""

    def setUp(self) -> None:
        """Look every second."""
        self.clock = Clock()
        self.known: Mapping[int, str] | Exception = {}
        self.found: list[Mapping[int, str]] = []
        self.group = MemberGroup(
            reactor=self.clock,
            cluster="C",
            broker_name="broker-a",
            broker_id=1,
            address="10.0.0.1:10911",
            ask_name_servers=self.ask,
            period=1.0,
        )
        self.group.on_found.append(self.found.append)
        self.group.start()

    def ask(self, request: Any) -> Deferred[Any]:
        """Respond with what is known."""
        if isinstance(self.known, Exception):
            return fail(self.known)
        group = BrokerMemberGroup("C", "broker-a", dict(self.known))
        return succeed(Response(body=GetBrokerMemberGroupBody(group).encode()))

    def test_alone(self) -> None:
        """At first, and where name servers know nobody, it knows itself."""
        self.clock.advance(1)
        self.assertEqual(self.group.addresses, {1: "10.0.0.1:10911"})
        self.assertEqual((self.group.others, self.found), ([], []))

    def test_others(self) -> None:
        """By their ids; this one is always among all."""
        self.known = {2: "c:1", 0: "a:1"}
        self.clock.advance(1)
        self.assertEqual(self.group.others, ["a:1", "c:1"])
        self.assertEqual(len(self.group.addresses), 3)
        self.assertEqual(self.found, [{0: "a:1", 2: "c:1"}])

    def test_outage(self) -> None:
        """Without name servers what was known holds; other failures are logged."""
        self.known = {0: "a:1"}
        self.clock.advance(1)
        self.known = ConnectError("ns", "it is gone")
        self.clock.advance(1)
        self.assertEqual(self.group.others, ["a:1"])
        self.known = ZeroDivisionError()
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.known = {0: "b:1"}
        self.clock.advance(1)
        self.assertEqual(self.group.others, ["b:1"])

    def test_stopped(self) -> None:
        """Nothing is asked any more."""
        self.group.stop()
        self.known = {0: "a:1"}
        self.clock.advance(5)
        self.assertEqual(self.found, [])
