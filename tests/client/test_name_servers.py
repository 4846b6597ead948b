"""Name servers: how they are given, and that they are as good as the best of them."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.errors import (
    NameServerUnavailable,
    NoRouteError,
    ValidationError,
)
from rocketmq_tw.client.name_servers import from_environment, parse_name_servers
from rocketmq_tw.wire.requests.route import GetRoute
from tests.client.cluster import NAME_SERVER, SECOND, Cluster


class NameServerListTests(SynchronousTestCase):
    """How name servers are given."""

    def test_forms(self) -> None:
        """Text with semicolons, sequences, and Java's http form."""
        expected = ["a:1", "b:2"]
        for given in ("a:1;b:2", " a:1 ; b:2;", ["a:1", "b:2"], "http://x/a:1;b:2;a:1"):
            self.assertEqual(parse_name_servers(given), expected)

    def test_ipv6_and_endpoints(self) -> None:
        """Brackets and Twisted's endpoint strings stay as they are."""
        given = ["[::1]:9876", "unix:/run/mq"]
        self.assertEqual(parse_name_servers(given), given)

    def test_wrong(self) -> None:
        """No port, no number, nothing at all."""
        for given in ("a", "a:b", "", [], "a:99999"):
            self.assertRaises(ValidationError, parse_name_servers, given)

    def test_environment(self) -> None:
        """``NAMESRV_ADDR`` has the same form."""
        self.assertEqual(from_environment({"NAMESRV_ADDR": "a:1"}), ["a:1"])
        self.assertRaises(ValidationError, from_environment, {})


class NameServerTests(SynchronousTestCase):
    """Several name servers are as good as the best of them."""

    def setUp(self) -> None:
        """Make two name servers, the first one preferred."""
        self.cluster = Cluster(self, name_servers=2)
        self.cluster.broker("broker-a")
        self.cluster.topic("T", broker_a=1)
        self.second = self.cluster.name_servers[1]
        self.session = self.cluster.client().session
        self.session.name_servers.prefer(NAME_SERVER)

    def test_refusal_to_connect_costs_no_time(self) -> None:
        """The next is called at once, and stays the first to be called."""
        self.cluster.network.refuse(NAME_SERVER)
        found = self.session.routes.find("T")
        self.cluster.deliver()
        self.successResultOf(found)
        self.assertEqual(self.session.name_servers.addresses[0], SECOND)

    def test_slow_server(self) -> None:
        """After a quarter of a second the next is called in parallel."""
        self.cluster.name_server.ignore()
        found = self.session.routes.find("T")
        self.cluster.clock.advance(0.2)
        self.assertEqual(self.second.asked, [])
        self.cluster.clock.advance(0.05)
        self.successResultOf(found)
        self.assertEqual(self.second.asked, ["T"])

    def test_hanging_connect(self) -> None:
        """A server that neither accepts nor refuses does not hold us up."""
        self.cluster.hang(NAME_SERVER)
        found = self.session.routes.find("T")
        self.cluster.clock.advance(0.25)
        self.successResultOf(found)

    def test_none_responds(self) -> None:
        """The error names every server and what was wrong with it."""
        self.cluster.network.refuse(NAME_SERVER)
        self.cluster.network.refuse(SECOND)
        found = self.session.routes.find("T")
        self.cluster.deliver()
        error = self.failureResultOf(found, NameServerUnavailable).value
        self.assertEqual(set(error.causes), {NAME_SERVER, SECOND})

    def test_one_budget_for_all(self) -> None:
        """Two silent servers take three seconds together, not each."""
        self.cluster.name_server.ignore()
        self.second.ignore()
        found = self.session.routes.find("T")
        self.cluster.pump(2.9)
        self.assertNoResult(found)
        self.cluster.pump(0.2)
        self.failureResultOf(found, NameServerUnavailable)

    def test_unknown_topic_is_a_response(self) -> None:
        """A server that does not know the topic is not avoided for it."""
        found = self.session.routes.find("U")
        self.cluster.deliver()
        self.failureResultOf(found, NoRouteError)
        self.assertEqual(self.second.asked, [])

    def test_cancelled(self) -> None:
        """Cancelling a call cancels its timers."""
        call = self.session.name_servers.call(GetRoute(topic="T"))
        call.cancel()
        self.failureResultOf(call, CancelledError)
        self.cluster.pump(5)
        self.assertEqual(self.second.asked, [])
