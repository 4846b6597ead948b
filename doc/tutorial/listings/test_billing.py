"""Tests of billing without a broker: ``python -m twisted.trial test_billing``."""

from types import SimpleNamespace

from billing import Billing, Declined, Unreachable
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import DEAD_LETTER, Retry


class BillingTests(SynchronousTestCase):
    """What happens to a message, depending on the provider."""

    def handle(self, charged, body=b'{"id": "7", "amount": 5}'):
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
