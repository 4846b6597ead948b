"""Tests of the handler, with a cluster in memory."""

import json

from billing import Billing
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import Message
from rocketmq_tw.testing import MemoryCluster

ORDER = {"number": 1, "customer": "Ann", "price": 30}


class BillingTests(SynchronousTestCase):
    """Orders from a topic to the accounts."""

    def setUp(self):
        """Start a cluster with one consumer, and make a producer."""
        self.cluster = MemoryCluster()
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.cluster.create_topic("orders")
        self.accounts = {"Ann": 100}
        self.billing = Billing(self.accounts)
        self.cluster.consumer("billing", "orders", self.billing.handle)
        self.producer = self.cluster.producer()

    def send(self, body):
        """Send one message, and wait until it is stored."""
        return self.cluster.result_of(self.producer.send(Message("orders", body)))

    def test_charged(self):
        """The price of an order is taken from the account."""
        self.send(json.dumps(ORDER).encode())
        self.cluster.wait_until(lambda: self.billing.charged)
        self.assertEqual(self.accounts, {"Ann": 70})

    def test_customer_comes_later(self):
        """An order of an unknown customer is charged once there is an account."""
        self.send(json.dumps({**ORDER, "customer": "Bob"}).encode())
        self.cluster.advance(60)  # it has failed at once, after 10 s and after 40 s
        self.accounts["Bob"] = 50
        self.cluster.wait_until(lambda: self.billing.charged)
        self.assertEqual(self.accounts["Bob"], 20)
        self.assertEqual(self.cluster.clock.seconds(), 1_700_000_100)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 3)

    def test_garbage(self):
        """What is no order becomes a dead letter."""
        self.send(b"garbage")
        self.cluster.advance(1)
        (dead,) = self.cluster.messages("%DLQ%billing")
        self.assertEqual(dead.body, b"garbage")

    def test_broker_crashes(self):
        """A broker that is killed costs nothing but time."""
        self.cluster.broker.kill()
        self.cluster.advance(5)
        self.cluster.broker.start()
        self.cluster.advance(60)
        self.send(json.dumps(ORDER).encode())
        self.cluster.wait_until(lambda: self.billing.charged)
        self.assertEqual(self.accounts, {"Ann": 70})
