"""Tests of rocketmq_tw.client.transactions.producer, on a broker in memory."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred, succeed

from rocketmq_tw.client.errors import NotDurable, NotRunning, ValidationError
from rocketmq_tw.client.producer.results import SendStatus
from rocketmq_tw.client.transactions.transaction import Transaction
from rocketmq_tw.client.transactions.verdict import COMMIT, ROLLBACK, UNKNOWN
from rocketmq_tw.model.message import Message
from rocketmq_tw.wire.bodies.consumers import ProducerConnection
from rocketmq_tw.wire.requests.heartbeat import GetProducerConnections
from tests.client.transactions.cases import HELLO, ProducerCase


class TopicsTests(ProducerCase):
    """A producer that sends nothing."""

    def test_new_broker(self) -> None:
        """A broker that gets one of its topics later can ask it, too."""
        self.producer(topics=["T"])
        self.cluster.advance(1)
        other = self.cluster.add_broker("broker-b")
        other.start()
        self.cluster.advance(15)
        self.cluster.create_topic("T", {"broker-b": 4})
        self.cluster.advance(62)
        listed = self.cluster.call(other, GetProducerConnections("pg"))
        found = ProducerConnection.decode(listed.body)
        self.assertEqual(len(found.connection_set), 1)


class LocalTests(ProducerCase):
    """A local transaction decides."""

    def test_commit(self) -> None:
        """Consumers get the message when it returns that, as it was passed."""
        seen: list[tuple[Message, str]] = []

        def local(message: Message, transaction: Transaction) -> Any:
            seen.append((message, transaction.id))
            return COMMIT

        result = self.now(self.producer().send_in_transaction(HELLO, local))
        self.assertEqual(
            (result.verdict, result.error, result.end_error), (8, None, None)
        )
        self.assertEqual(seen, [(HELLO, result.sent.message_id)])
        (message,) = self.cluster.messages("T")
        self.assertEqual((message.body, message.tag), (b"hello", "A"))
        self.assertEqual(message.queue_id, result.sent.queue.queue_id)
        self.assertEqual(message.properties["p"], "v")
        self.assertEqual(message.unique_key, result.sent.message_id)
        self.assertEqual(HELLO.properties, {"p": "v"})

    def test_roll_back(self) -> None:
        """Nobody gets the message."""
        sending = self.producer().send_in_transaction(HELLO, lambda m, t: ROLLBACK)
        self.assertIs(self.now(sending).verdict, ROLLBACK)
        self.assertEqual((self.consumed(), self.pending), ([], 0))

    def test_later(self) -> None:
        """It may return a Deferred, or be a coroutine function."""
        decided: Deferred[Any] = Deferred()
        producer = self.producer()
        sending = producer.send_in_transaction(HELLO, lambda m, t: decided)
        self.cluster.advance(1)
        self.assertNoResult(sending)
        self.assertEqual(self.consumed(), [])
        decided.callback(COMMIT)
        self.assertIs(self.now(sending).verdict, COMMIT)

        async def local(message: Message, transaction: Transaction) -> Any:
            return ROLLBACK

        sending = producer.send_in_transaction(HELLO, local)
        self.assertIs(self.now(sending).verdict, ROLLBACK)

    def test_raises(self) -> None:
        """Nothing is decided; the exception is in the result, and the broker asks."""
        error = KeyError("no such order")

        def local(message: Message, transaction: Transaction) -> Any:
            raise error

        self.says = COMMIT
        result = self.now(self.producer().send_in_transaction(HELLO, local))
        self.assertEqual((result.verdict, result.error), (UNKNOWN, error))
        self.assertEqual(self.pending, 1)
        self.cluster.advance(10)
        self.assertEqual(self.consumed(), [b"hello"])

    def test_no_verdict(self) -> None:
        """None decides nothing; anything else is a mistake, and decides nothing."""
        producer = self.producer()
        result = self.now(producer.send_in_transaction(HELLO, lambda m, t: None))
        self.assertEqual((result.verdict, result.error), (UNKNOWN, None))
        result = self.now(producer.send_in_transaction(HELLO, lambda m, t: True))
        self.assertIs(result.verdict, UNKNOWN)
        self.assertIsInstance(result.error, TypeError)
        self.assertEqual(self.pending, 2)

    def test_decided_by_itself(self) -> None:
        """It may use the transaction's methods instead."""

        def local(message: Message, transaction: Transaction) -> Any:
            return transaction.commit()

        result = self.now(self.producer().send_in_transaction(HELLO, local))
        self.assertEqual((result.verdict, result.error), (COMMIT, None))
        self.assertEqual(self.consumed(), [b"hello"])

    def test_broker_is_gone(self) -> None:
        """The verdict stands, and the result says why it is not confirmed."""
        self.says = COMMIT

        def local(message: Message, transaction: Transaction) -> Any:
            self.cluster.brokers["broker-a"].kill()
            return COMMIT

        result = self.now(self.producer().send_in_transaction(HELLO, local))
        self.assertIs(result.verdict, COMMIT)
        self.assertIsNotNone(result.end_error)

    def test_not_stored(self) -> None:
        """Without a half message it does not run."""
        producer = self.producer()
        self.cluster.brokers["broker-a"].kill()
        sending = producer.send_in_transaction(HELLO, lambda m, t: self.fail())
        self.cluster.advance(10)
        self.failureResultOf(sending)

    def test_cancelled(self) -> None:
        """What it returned is cancelled, and the checker decides."""
        self.says = ROLLBACK
        decided: Deferred[Any] = Deferred()
        sending = self.producer().send_in_transaction(HELLO, lambda m, t: decided)
        self.cluster.advance(1)
        sending.cancel()
        self.failureResultOf(sending, CancelledError)
        self.assertTrue(decided.called)
        self.assertEqual(self.pending, 1)
        self.cluster.advance(10)
        self.assertEqual(self.pending, 0)

    def test_refused(self) -> None:
        """What cannot be in a transaction is refused before anything is sent."""
        producer = self.producer()
        for message in (
            Message("T", b"x", delay_level=1),
            Message("T", b"x", delay=1.0),
            Message("T", b"x", deliver_at=4e9),
            Message("T", b"x", properties={"TIMER_DELAY_SEC": "5"}),
            Message("%RETRY%G", b"x"),
            Message("T", b""),
        ):
            sending = producer.send_in_transaction(message, lambda m, t: COMMIT)
            self.failureResultOf(sending, ValidationError)

    def test_traces(self) -> None:
        """The ends of transactions are traced, and what the checker has said."""
        producer = self.producer(trace=True)
        self.says = COMMIT
        for verdict in (COMMIT, ROLLBACK, UNKNOWN):
            self.now(producer.send_in_transaction(HELLO, lambda m, t, v=verdict: v))
        self.cluster.advance(15)
        traces = self.cluster.messages("RMQ_SYS_TRACE_TOPIC")
        records = b"".join(each.body for each in traces).decode().split("\x02")
        ends = [each.split("\x01") for each in records if each.startswith("EndTrans")]
        self.assertEqual(
            [(each[4], each[6], each[-2], each[-1]) for each in ends],
            [
                ("T", "A", "COMMIT_MESSAGE", "false"),
                ("T", "A", "ROLLBACK_MESSAGE", "false"),
                ("T", "A", "UNKNOW", "false"),
                ("T", "A", "COMMIT_MESSAGE", "true"),
            ],
        )

    def test_plain_messages(self) -> None:
        """It sends those, too."""
        self.now(self.producer().send(HELLO))
        self.assertEqual(self.consumed(), [b"hello"])


class BeginTests(ProducerCase):
    """A transaction that the application ends."""

    def run_block(self, block: Any) -> Any:
        """Run a coroutine with a producer."""
        producer = self.producer()

        async def program() -> Any:
            return await block(await producer.begin(HELLO))

        return self.now(Deferred.fromCoroutine(program()))

    def test_block(self) -> None:
        """The end of the block commits."""

        async def block(transaction: Transaction) -> None:
            async with transaction:
                self.assertIsNone(transaction.verdict)
            self.assertIs(transaction.verdict, COMMIT)

        self.run_block(block)
        self.assertEqual(self.consumed(), [b"hello"])

    def test_block_raises(self) -> None:
        """That rolls back, and the exception goes on."""

        async def block(transaction: Transaction) -> None:
            with self.assertRaises(KeyError):
                async with transaction:
                    raise KeyError
            self.assertIs(transaction.verdict, ROLLBACK)

        self.run_block(block)
        self.assertEqual((self.consumed(), self.pending), ([], 0))

    def test_block_is_cancelled(self) -> None:
        """Nothing is decided."""

        async def block(transaction: Transaction) -> None:
            with self.assertRaises(CancelledError):
                async with transaction:
                    raise CancelledError
            self.assertIs(transaction.verdict, UNKNOWN)

        self.run_block(block)
        self.assertEqual(self.pending, 1)

    def test_decided_in_the_block(self) -> None:
        """The end of the block does nothing then."""

        async def block(transaction: Transaction) -> None:
            async with transaction:
                await transaction.rollback()

        self.run_block(block)
        self.assertEqual((self.consumed(), self.pending), ([], 0))

    def test_not_durable(self) -> None:
        """A half message that is not as durable as it should be is rolled back."""
        producer = self.producer()
        sent = self.now(producer.begin(HELLO)).sent
        late = msgspec.structs.replace(sent, status=SendStatus.FLUSH_DISK_TIMEOUT)
        beginning = succeed(late).addCallback(
            lambda result: producer._begun(HELLO, result, 3.0)
        )
        self.cluster.advance(1)
        self.failureResultOf(beginning, NotDurable)
        self.assertEqual(self.pending, 0)


class StopTests(ProducerCase):
    """A producer that stops."""

    def test_waits(self) -> None:
        """For local transactions that run, and for their verdicts; begins no others."""
        producer = self.producer()
        decided: Deferred[Any] = Deferred()
        sending = producer.send_in_transaction(HELLO, lambda m, t: decided)
        self.cluster.advance(1)
        stopping = producer.stop()
        self.cluster.advance(1)
        self.assertNoResult(stopping)
        another = producer.send_in_transaction(HELLO, lambda m, t: COMMIT)
        self.failureResultOf(another, NotRunning)
        decided.callback(COMMIT)
        self.now(stopping)
        self.assertIs(self.successResultOf(sending).verdict, COMMIT)
        self.assertEqual(self.consumed(), [b"hello"])

    def test_grace_is_over(self) -> None:
        """Local transactions are cancelled, and left to the checkers."""
        client = self.client()
        producer = self.producer(client)
        decided: Deferred[Any] = Deferred()
        sending = producer.send_in_transaction(HELLO, lambda m, t: decided)
        self.cluster.advance(1)
        self.now(client.stop(grace=2))
        self.failureResultOf(sending, CancelledError)
        self.assertTrue(decided.called)
        self.says = COMMIT
        self.producer(topics=["T"])
        self.cluster.advance(10)
        self.assertEqual(self.consumed(), [b"hello"])
