"""Tests of billing without a broker: ``python -m twisted.trial test_billing``."""

from types import SimpleNamespace

from billing import Billing, Declined, Unreachable
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import DEAD_LETTER, Message, Retry
from rocketmq_tw.testing import MemoryCluster

ORDER = b'{"id": "7", "amount": 5}'


class HandlerTests(SynchronousTestCase):
    """What happens to a message, depending on the provider."""

    def handle(self, charged, body=ORDER):
        """Handle a message; return the handler's result."""
        billing = Billing(lambda order_id, amount: charged)
        message = SimpleNamespace(body=body, reconsume_times=0)
        return self.successResultOf(Deferred.fromCoroutine(billing.handle(message)))

    def test_charged(self):
        """An order that was charged is consumed."""
        self.assertIsNone(self.handle(succeed(None)))

    def test_unreachable(self):
        """The message is delivered again when the provider cannot be reached."""
        self.assertEqual(self.handle(fail(Unreachable())), Retry(level=1))

    def test_declined(self):
        """A declined order becomes a dead letter."""
        self.assertEqual(self.handle(fail(Declined())), DEAD_LETTER)

    def test_not_an_order(self):
        """So does a message that is not an order."""
        self.assertEqual(self.handle(succeed(None), body=b"?"), DEAD_LETTER)


class ClusterTests(SynchronousTestCase):
    """Billing as a consumer, of a cluster in memory."""

    def setUp(self):
        """Start the cluster, and a consumer whose provider does not work yet."""
        self.cluster = MemoryCluster().start()
        self.addCleanup(self.cluster.stop)
        self.attempts = []
        self.provider_works = False
        self.billing = Billing(self.charge)
        self.cluster.create_topic("orders")
        self.cluster.consumer("billing", "orders", self.billing.handle, max_retries=3)

    def charge(self, order_id, amount):
        """Note the attempt."""
        self.attempts.append(order_id)
        return succeed(None) if self.provider_works else fail(Unreachable())

    def place_order(self):
        """Send an order."""
        producer = self.cluster.producer("shop")
        self.cluster.result_of(producer.send(Message("orders", ORDER, tag="placed")))

    def test_charged_later(self):
        """An order is charged when the provider can be reached again."""
        self.place_order()
        self.cluster.wait_until(lambda: len(self.attempts) == 2)
        self.provider_works = True
        self.cluster.wait_until(lambda: self.billing.charged == {"7"})

    def test_never_charged(self):
        """After three retries an order is a dead letter."""
        self.place_order()
        self.cluster.wait_until(lambda: len(self.attempts) == 4)
        self.cluster.advance(60)
        self.assertEqual(len(self.attempts), 4)
        (dead,) = self.cluster.messages("%DLQ%billing")
        self.assertEqual(dead.body, ORDER)
