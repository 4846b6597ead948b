"""Tests of requests to other brokers."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.other_brokers import TIMEOUT, OtherBrokers
from rocketmq_tw.remoting.errors import BrokerError, RequestTimeout
from rocketmq_tw.testing import MemoryCluster
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.message import ViewMessage


class OtherBrokersTests(SynchronousTestCase):
    """Requests from one host to a broker in memory."""

    host = "10.0.9.9"

    def setUp(self) -> None:
        """Start a broker."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.brokers = OtherBrokers(self.cluster.network.reactor(self.host))
        self.before = len(self.cluster.network.attempts)

    @property
    def attempts(self) -> int:
        """How many connections were made."""
        return len(self.cluster.network.attempts) - self.before

    def ask(self) -> Deferred[Response]:
        """Send a request."""
        return self.brokers.call(self.cluster.broker.address, GetRuntimeInfo())

    def test_response(self) -> None:
        """Several requests share a connection."""
        for _ in range(2):
            self.cluster.result_of(self.ask())
        self.assertEqual(self.attempts, 1)

    def test_time_out(self) -> None:
        """Bytes vanish: the next request makes another connection."""
        self.cluster.result_of(self.ask())
        self.assertEqual(self.attempts, 1)
        self.cluster.faults.silence(self.host, self.cluster.broker)
        asked = self.ask()
        self.cluster.advance(TIMEOUT + 0.1)
        self.failureResultOf(asked, RequestTimeout)
        self.cluster.result_of(self.ask())
        self.assertEqual(self.attempts, 2)

    def test_refused(self) -> None:
        """An error response closes nothing."""
        for _ in range(2):
            self.assertIsInstance(self.error_of(ViewMessage(-1)), BrokerError)
        self.assertEqual(self.attempts, 1)

    def error_of(self, request: Request[Response]) -> Exception:
        """Return the error of a request that fails."""
        failed: list[Exception] = []
        called = self.brokers.call(self.cluster.broker.address, request)
        called.addErrback(lambda failure: failed.append(failure.value))
        self.cluster.wait_until(lambda: failed)
        return failed[0]
