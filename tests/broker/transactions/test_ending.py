"""Tests of rocketmq_tw.broker.transactions.ending."""

from __future__ import annotations

from unittest.mock import patch

from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import CHECK_IMMUNITY_TIME_IN_SECONDS, UNIQ_KEY
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.store.interfaces import Queried
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.codes import ResponseCode
from tests.broker.cases import TOPIC, sent
from tests.broker.transactions.cases import (
    COMMIT,
    ROLLBACK,
    TransactionCase,
    ended,
)


class EndTests(TransactionCase):
    """Transactions are committed and rolled back, once."""

    def test_commit(self) -> None:
        """Consumers get the message, which knows its half message."""
        message = self.prepare(b"a")
        self.end_now(message)
        (stored,) = self.messages(TOPIC, 2)
        self.assertEqual((stored.body, stored.unique_key), (b"a", "a"))
        self.assertEqual(stored.sys_flag & sysflag.TRANSACTION_MASK, sysflag.COMMIT)
        self.assertEqual(stored.prepared_transaction_offset, message.commit_log_offset)
        self.assertEqual(self.parts.journal.pending, 0)
        self.assertEqual(self.stats.gauges["transactionsCommitted"](), 1)

    def test_roll_back(self) -> None:
        """Nobody gets it."""
        self.end_now(self.prepare(b"a"), ROLLBACK)
        self.assertEqual(self.consumed(), [])
        self.assertEqual(self.parts.journal.pending, 0)
        self.assertEqual(self.stats.gauges["transactionsRolledBack"](), 1)

    def test_not_decided(self) -> None:
        """There is no response, and nothing is done."""
        message = self.prepare()
        outcome = self.ask(ended(message, 0))
        if isinstance(outcome, Deferred):  # of a connection
            self.assertNoResult(outcome)
            outcome = None
        self.assertIsNone(outcome)
        self.assertEqual(self.parts.journal.pending, 1)

    def test_in_any_order(self) -> None:
        """Each is ended by its own request."""
        made = [self.prepare(b"%d" % number) for number in range(4)]
        self.end_now(made[2])
        self.end_now(made[0], ROLLBACK)
        self.end_now(made[3])
        self.assertEqual(self.consumed(), [b"2", b"3"])
        self.assertEqual(self.parts.journal.decisions.start, 1)

    def test_committed_twice(self) -> None:
        """The same response, and one message; Apache RocketMQ stores two."""
        message = self.prepare()
        self.end_now(message)
        self.end_now(message)
        self.end_now(message, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"Hello"])
        self.assertEqual(self.stats.gauges["transactionsEndedAgain"](), 2)

    def test_first_decision_counts(self) -> None:
        """The opposite is refused afterwards."""
        one, other = self.prepare(b"a"), self.prepare(b"b")
        self.end_now(one)
        self.wrong("has ended: committed", ended(one, ROLLBACK))
        self.end_now(other, ROLLBACK)
        self.wrong("has ended: rolled back", ended(other, COMMIT))
        self.assertEqual(self.consumed(), [b"a"])

    def test_long_ago(self) -> None:
        """What is not remembered is committed if its message is stored."""
        one, other = self.prepare(b"a"), self.prepare(b"b")
        self.end_now(one)
        self.end_now(other, ROLLBACK)
        decisions = self.parts.journal.decisions
        decisions._base, decisions._row = 2, bytearray()
        self.end_now(one)
        self.end_now(other, ROLLBACK)
        self.wrong("rolled back, or given up", ended(other))
        self.assertEqual(self.consumed(), [b"a"])
        self.restart()
        self.end_now(one)
        self.wrong("rolled back, or given up", ended(other))

    def test_what_is_checked(self) -> None:
        """A request that does not name a half message is refused."""
        message = self.prepare()
        self.now(sent())
        for words, fields in (
            ("commitOrRollback field wrong", {"commit_or_rollback": 4}),
            ("prepared transaction message failed", {"tran_state_table_offset": 1}),
            ("prepared transaction message failed", {"tran_state_table_offset": -1}),
            ("producer group wrong", {"producer_group": "Other"}),
            ("commit log offset wrong", {"commit_log_offset": 1}),
            ("topic wrong", {"topic": "Other"}),
        ):
            self.wrong(words, ended(message, **fields))
        self.assertEqual(self.parts.journal.pending, 1)
        self.end_now(message, topic=TOPIC)

    def test_topic_of_half_messages(self) -> None:
        """Clients send it if a broker of Apache RocketMQ has asked them."""
        self.end_now(self.prepare(), topic=TRANS_HALF_TOPIC)

    def test_too_late_for_its_producer(self) -> None:
        """Once its own time is over, it ends only when its producer is asked."""
        message = self.prepare(more={CHECK_IMMUNITY_TIME_IN_SECONDS: "10"})
        self.pass_time(11)
        self.wrong("CHECK_IMMUNITY_TIME", ended(message), 604)
        self.end_now(message, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"Hello"])

    def test_store_refuses(self) -> None:
        """The transaction stays pending, and is ended later."""
        message = self.prepare()
        self.store._refusal = "no"
        error = StoreNotWriteable("the disk is away")
        self.store._admission.error = lambda: error
        self.wrong("the disk is away", ended(message), 14)
        self.store._refusal = None
        self.assertEqual(self.parts.journal.pending, 1)
        self.end_now(message)


class KilledTests(TransactionCase):
    """A broker that is killed before decisions are written."""

    def test_message_is_not_stored_twice(self) -> None:
        """Its producer is asked again, and says the same again."""
        one, other = self.prepare(b"a"), self.prepare(b"b")
        self.end_now(one)
        self.killed()
        self.assertEqual(self.parts.journal.pending, 2)
        self.end_now(one, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"a"])
        self.end_now(other)
        self.assertEqual(self.consumed(), [b"a", b"b"])
        self.assertEqual(self.parts.journal.pending, 0)

    def test_many_with_one_key(self) -> None:
        """However many messages have its key, it is not stored twice."""
        one = self.prepare(b"a")
        self.end_now(one)
        text = properties.encode({UNIQ_KEY: one.unique_key})
        for number in range(100):
            self.now(sent(TOPIC, b"%d" % number, queue_id=2, properties=text))
        other = self.prepare(b"b", more={UNIQ_KEY: one.unique_key})
        self.killed()
        self.end_now(one, from_transaction_check=True)
        self.assertEqual(len(self.consumed()), 101)
        self.end_now(other, from_transaction_check=True)
        self.assertEqual(self.consumed()[-1], b"b")
        self.assertEqual(self.parts.journal.pending, 0)

    def test_index_is_behind(self) -> None:
        """While messages cannot be looked up nothing is stored, nor said to be."""
        one, other = self.prepare(b"a"), self.prepare(b"b")
        self.end_now(one)
        self.killed()
        why = "7 bytes of messages are not indexed yet"
        behind = Queried([], gap=why, is_behind=True)
        with patch.object(self.store, "query", lambda _: succeed(behind)):
            for message in (one, other):
                self.wrong("again", ended(message), int(ResponseCode.SYSTEM_BUSY))
        self.assertEqual(self.consumed(), [b"a"])
        self.assertEqual(self.parts.journal.pending, 2)
        for message in (one, other):
            self.end_now(message, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"a", b"b"])

    def test_without_an_index(self) -> None:
        """A store without an index never knows more: the message is stored."""
        message = self.prepare(b"a")
        self.killed()
        without = Queried([], gap="messageIndexEnable is false")
        with patch.object(self.store, "query", lambda _: succeed(without)):
            self.end_now(message)
        self.assertEqual(self.consumed(), [b"a"])

    def test_given_up_since(self) -> None:
        """It is not stored twice either, if its producer was asked in vain first."""
        one, other = self.prepare(b"a"), self.prepare(b"b")
        self.end_now(one)
        self.killed()
        for message in (one, other):
            self.parts.journal.decide(message.queue_offset, Decision.GIVEN_UP)
        self.end_now(one)
        self.end_now(other)
        self.end_now(other)
        self.assertEqual(self.consumed(), [b"a", b"b"])

    def test_asked_at_the_same_time(self) -> None:
        """Two ends while the first looks for the message store it once."""
        message = self.prepare(b"a")
        self.killed()
        self.threads.hold()
        first, second = self.ask(ended(message)), self.ask(ended(message))
        self.threads.release()
        self.clock.pump([0.0] * 5)
        for each in (first, second):
            self.assertEqual(self.successResultOf(each).status, 0)
        self.assertEqual(self.consumed(), [b"a"])


class SyncFlushTests(TransactionCase):
    """A broker whose senders wait for the disk."""

    settings = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}

    def test_waits(self) -> None:
        """The response comes when the message is on disk."""
        message = self.prepare()
        self.threads.hold()
        response = self.ask(ended(message))
        self.assertNoResult(response)
        self.threads.release()
        self.clock.pump([0.1])
        self.assertEqual(self.successResultOf(response).status, 0)
