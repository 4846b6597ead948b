"""Transactions in programs of asyncio."""

from __future__ import annotations

import asyncio

from rocketmq_tw.aio import Transaction
from rocketmq_tw.client.errors import StateError
from rocketmq_tw.client.transactions.verdict import COMMIT, ROLLBACK, UNKNOWN, Verdict
from rocketmq_tw.model.message import Message, StoredMessage
from tests.aio.cases import AioCase


class TransactionTests(AioCase):
    """A producer whose checker and local transactions are coroutines."""

    async def check(self, message: StoredMessage) -> Verdict:
        """Check as if a database was asked."""
        await asyncio.sleep(0)
        return COMMIT

    def test_local_transactions(self) -> None:
        """Their verdicts decide; without one the broker asks."""

        async def local(message: Message, transaction: Transaction) -> Verdict:
            await asyncio.sleep(0)
            self.assertIsNone(transaction.verdict)
            self.assertEqual(transaction.message, message)
            self.assertEqual(transaction.id, transaction.sent.message_id)
            return {b"0": COMMIT, b"1": ROLLBACK, b"2": UNKNOWN}[message.body]

        async def main() -> None:
            async with self.client() as client:
                producer = client.transaction_producer("P", self.check, topics=["T"])
                for number in range(3):
                    message = Message("T", b"%d" % number)
                    await producer.send_in_transaction(message, local)
                found = [each.body for each in self.cluster.messages("T")]
                self.assertEqual(found, [b"0"])
                while len(self.cluster.messages("T")) < 2:
                    await asyncio.sleep(0)

        self.run_main(main())
        found = [each.body for each in self.cluster.messages("T")]
        self.assertEqual(found, [b"0", b"2"])

    def test_blocks(self) -> None:
        """The end commits, an exception rolls back, a cancellation leaves it open."""
        made: list[Transaction] = []

        async def main() -> None:
            async with self.client() as client:
                producer = client.transaction_producer("P", self.check)
                for error in (None, KeyError(), asyncio.CancelledError()):
                    made.append(await producer.begin(Message("T", b"x")))
                    try:
                        async with made[-1]:
                            if error is not None:
                                raise error
                    except (KeyError, asyncio.CancelledError):
                        pass
                async with await producer.begin(Message("T", b"y")) as transaction:
                    await transaction.commit()
                    with self.assertRaises(StateError):
                        await transaction.rollback()

        self.run_main(main())
        self.assertEqual([each.verdict for each in made], [COMMIT, ROLLBACK, UNKNOWN])
        found = [each.body for each in self.cluster.messages("T")]
        self.assertEqual(found, [b"x", b"y"])
