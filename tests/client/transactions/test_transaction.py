"""Tests of rocketmq_tw.client.transactions.transaction and its verdicts."""

from __future__ import annotations

from rocketmq_tw.client.errors import StateError
from rocketmq_tw.client.transactions.transaction import Transaction
from rocketmq_tw.client.transactions.verdict import UNKNOWN
from rocketmq_tw.remoting.errors import ConnectError
from tests.client.transactions.cases import HELLO, ProducerCase


class TransactionTests(ProducerCase):
    """A transaction ends once."""

    def begin(self) -> Transaction:
        """Begin one."""
        self.made = self.producer()
        transaction: Transaction = self.now(self.made.begin(HELLO))
        return transaction

    def test_commit(self) -> None:
        """The Deferred fires when consumers can read the message."""
        transaction = self.begin()
        self.assertEqual(transaction.id, transaction.sent.message_id)
        self.assertIsNone(self.now(transaction.commit()))
        self.assertEqual(self.consumed(), [b"hello"])

    def test_once(self) -> None:
        """Nothing can be decided afterwards."""
        transaction = self.begin()
        self.now(transaction.rollback())
        error = self.failureResultOf(transaction.commit(), StateError).value
        self.assertIn("has ended: ROLLBACK", str(error))
        self.assertEqual(self.consumed(), [])

    def test_left(self) -> None:
        """One that is left to the checker sends nothing."""
        transaction = self.begin()
        transaction.leave()
        self.assertIs(transaction.verdict, UNKNOWN)
        self.assertEqual(self.pending, 1)

    def test_no_address(self) -> None:
        """If no route has its broker, that is the error."""
        transaction = self.begin()
        self.made._session.routes.brokers.clear()
        self.failureResultOf(transaction.commit(), ConnectError)
