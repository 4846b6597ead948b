"""Tests of what brokers ask name servers besides registering."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.name_servers import members
from rocketmq_tw.model.route import BrokerData, TopicRoute
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.cluster import BrokerMemberGroup, GetBrokerMemberGroupBody
from rocketmq_tw.wire.bodies.route import encode_route
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.route import GetBrokerMemberGroup, GetRoute

ADDRESSES = {0: "10.0.1.1:10911", 2: "10.0.1.3:10911"}
NAME = "10.0.0.1:9876"


def refusal(kind: type[Any], code: ResponseCode) -> BrokerError:
    """Make the error of a name server that refuses a request."""
    return BrokerError(code, "no", NAME, kind.__name__)


class MembersTests(SynchronousTestCase):
    """The brokers of one name."""

    def ask(self, *outcomes: Any) -> Any:
        """
        Ask; each outcome is the response to a request, or an error.

        :returns: the addresses.
        """
        self.requests: list[Any] = []
        left = list(outcomes)

        def ask(request: Any) -> Deferred[Any]:
            self.requests.append(request)
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                return fail(outcome)
            return succeed(Response(body=outcome))

        return self.successResultOf(
            Deferred.fromCoroutine(members(ask, "C", "broker-a"))
        )

    def test_group(self) -> None:
        """Name servers of 5.x have a request for it."""
        group = BrokerMemberGroup("C", "broker-a", ADDRESSES)
        found = self.ask(GetBrokerMemberGroupBody(group).encode())
        self.assertEqual(found, ADDRESSES)
        self.assertEqual(self.requests, [GetBrokerMemberGroup("C", "broker-a")])

    def test_unknown(self) -> None:
        """A name without brokers has none."""
        self.assertEqual(self.ask(GetBrokerMemberGroupBody().encode()), {})

    def test_route(self) -> None:
        """Those of 4.9 are asked for the route of a topic that all brokers have."""
        unsupported = refusal(
            GetBrokerMemberGroup, ResponseCode.REQUEST_CODE_NOT_SUPPORTED
        )
        route = TopicRoute(
            (
                BrokerData("C", "other", {0: "x:1"}),
                BrokerData("C", "broker-a", ADDRESSES),
            )
        )
        self.assertEqual(self.ask(unsupported, encode_route(route)), ADDRESSES)
        (_, second) = self.requests
        self.assertIsInstance(second, GetRoute)
        self.assertEqual(second.topic, "rmq_sys_SYNC_BROKER_MEMBER_broker-a")
        missing = refusal(GetRoute, ResponseCode.TOPIC_NOT_EXIST)
        self.assertEqual(self.ask(unsupported, missing), {})

    def test_errors(self) -> None:
        """Other errors are errors."""
        busy = refusal(GetBrokerMemberGroup, ResponseCode.SYSTEM_BUSY)

        def ask(request: Any) -> Deferred[Any]:
            return fail(busy)

        asked = Deferred.fromCoroutine(members(ask, "C", "broker-a"))
        self.assertIs(self.failureResultOf(asked, BrokerError).value, busy)
