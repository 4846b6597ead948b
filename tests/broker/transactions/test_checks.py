"""Tests of rocketmq_tw.broker.transactions.checks."""

from __future__ import annotations

import os

from twisted.logger import capturedLogs, formatEvent

from rocketmq_tw.broker.transactions import journal
from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.broker.transactions.half import RESERVED
from rocketmq_tw.broker.transactions.stored import HalfMessage
from rocketmq_tw.model.message import (
    CHECK_IMMUNITY_TIME_IN_SECONDS,
    TRAN_PREPARED_QUEUE_OFFSET,
    TRANSACTION_CHECK_TIMES,
)
from rocketmq_tw.model.topic import TRANS_CHECK_MAX_TIME_TOPIC, TRANS_HALF_TOPIC
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.requests.admin import DeleteExpiredLog
from tests.broker.cases import HOST, TOPIC, Peer, sent
from tests.broker.transactions.cases import (
    ROLLBACK,
    TransactionCase,
    ended,
    half,
    questions,
)


class CheckTests(TransactionCase):
    """Producers are asked how transactions ended."""

    def times(self, peer: Peer) -> list[tuple[bytes, str]]:
        """Return what a producer was asked about, and for which time."""
        return [
            (message.body, message.properties[TRANSACTION_CHECK_TIMES])
            for _, message in questions(peer)
        ]

    def test_asked(self) -> None:
        """In the next round, with all that a client needs to end it."""
        stored = self.prepare(b"a")
        peer = self.producer()
        self.pass_time(29.5)
        self.assertEqual(questions(peer), [])
        self.pass_time(1)
        ((request, message),) = questions(peer)
        self.assertEqual(
            (request.tran_state_table_offset, request.commit_log_offset),
            (stored.queue_offset, stored.commit_log_offset),
        )
        self.assertEqual((request.msg_id, request.transaction_id), ("a", "a"))
        self.assertEqual(request.offset_msg_id, stored.offset_message_id)
        self.assertEqual((request.topic, request.broker_name), (TOPIC, "broker-a"))
        self.assertEqual((message.topic, message.queue_id), (TOPIC, 2))
        self.assertEqual(message.offset_message_id, stored.offset_message_id)
        self.end_now(message, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"a"])
        self.pass_time(60)
        self.assertEqual(questions(peer), [])

    def test_in_each_round(self) -> None:
        """With a count, until it is decided; decided ones are not asked about."""
        peer = self.producer()
        self.prepare(b"a")
        decided, later = self.prepare(b"b"), self.prepare(b"c")
        self.end_now(decided, ROLLBACK)
        self.pass_time(30)
        self.assertEqual(self.times(peer), [(b"a", "1"), (b"c", "1")])
        self.end_now(later)
        self.pass_time(30)
        self.assertEqual(self.times(peer), [(b"a", "2")])
        self.assertEqual(self.stats.gauges["transactionsAsked"](), 3)

    def test_too_young(self) -> None:
        """One that is not six seconds old waits for the next round."""
        peer = self.producer()
        self.pass_time(20)
        self.prepare(b"a")
        self.pass_time(4.5)
        self.prepare(b"b")
        self.pass_time(5.5)
        self.assertEqual(self.times(peer), [(b"a", "1")])
        self.pass_time(30)
        self.assertEqual(self.times(peer), [(b"a", "2"), (b"b", "1")])

    def test_immune(self) -> None:
        """One with its own time does not hold up the others, and counts from then."""
        peer = self.producer()
        self.prepare(b"a", more={CHECK_IMMUNITY_TIME_IN_SECONDS: "50"})
        self.prepare(b"b", more={CHECK_IMMUNITY_TIME_IN_SECONDS: "1"})
        self.prepare(b"c")
        self.pass_time(30)
        self.assertEqual(self.times(peer), [(b"b", "1"), (b"c", "1")])
        self.pass_time(30)
        self.assertEqual(self.times(peer), [(b"a", "1"), (b"b", "2"), (b"c", "2")])

    def test_another_of_the_group(self) -> None:
        """If the one that sent it is gone; a producer of another group is not asked."""
        gone, other, stranger = self.producer(), self.producer(), self.producer("X")
        self.prepare(b"a")
        self.tables.clients.connection_lost(gone)
        self.pass_time(30)
        self.assertEqual(self.times(other), [(b"a", "1")])
        self.assertEqual(questions(stranger) + questions(gone), [])

    def test_nobody_to_ask(self) -> None:
        """The log says of which group; the round counts."""
        self.prepare(b"a")
        self.pass_time(30)
        self.assertEqual(self.stats.gauges["transactionsUnasked"](), 1)
        peer = self.producer()
        self.pass_time(30)
        self.assertEqual(self.times(peer), [(b"a", "2")])

    def test_producer_that_does_not_read(self) -> None:
        """The round waits for it for a second, and goes on with other groups."""
        blocked = self.producer()
        blocked.is_write_blocked = True
        other = self.producer("Other")
        self.prepare(b"a")
        self.prepare(b"b", more={"PGROUP": "Other"})
        self.pass_time(30)
        self.assertEqual(questions(other), [])
        self.pass_time(1)
        self.assertEqual(self.times(other), [(b"b", "1")])
        self.assertEqual(questions(blocked), [])
        blocked.drain()
        self.pass_time(30)
        self.assertEqual(self.times(blocked), [(b"a", "2")])

    def test_decided_while_it_waits(self) -> None:
        """It is not asked about what was decided meanwhile."""
        peer = self.producer()
        peer.is_write_blocked = True
        message = self.prepare(b"a")
        self.pass_time(30)
        self.end_now(message)
        peer.drain()
        self.pass_time(1)
        self.assertEqual(questions(peer), [])

    def test_stop_while_it_waits(self) -> None:
        """A stop does not wait, and nothing is left."""
        peer = self.producer()
        peer.is_write_blocked = True
        self.prepare(b"a")
        self.pass_time(30)
        self.stop()
        peer.drain()
        self.clock.pump([0.5] * 4)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.start()
        self.assertEqual(self.parts.journal.pending, 1)


class GivenUpTests(TransactionCase):
    """Transactions whose producers were asked in vain."""

    settings = {
        **TransactionCase.settings,
        "transaction_check_max": 2,
        "transaction_check_interval": 10_000,
    }

    def test_given_up(self) -> None:
        """Operators find a copy; producers are not asked any more."""
        peer = self.producer()
        message = self.prepare(b"a")
        self.pass_time(20)
        self.assertEqual(len(questions(peer)), 2)
        self.assertEqual(self.messages(TRANS_CHECK_MAX_TIME_TOPIC), [])
        self.pass_time(10)
        (copy,) = self.messages(TRANS_CHECK_MAX_TIME_TOPIC)
        self.assertEqual((copy.body, copy.properties["REAL_TOPIC"]), (b"a", TOPIC))
        self.assertEqual(copy.properties[TRANSACTION_CHECK_TIMES], "2")
        self.assertIn(TRANS_CHECK_MAX_TIME_TOPIC, self.tables.topics.table)
        self.assertEqual(questions(peer), [])
        self.assertEqual(self.parts.journal.pending, 0)
        self.end_now(message)
        self.assertEqual(self.consumed(), [b"a"])

    def test_long_properties(self) -> None:
        """One with as many as there may be can be asked about, and given up."""
        peer = self.producer()
        small = self.prepare(b"a", more={"k": "v"})
        self.end_now(small, ROLLBACK)
        room = MAX_PROPERTIES - RESERVED - len(properties.encode(small.properties))
        self.wrong("properties", half(b"b", more={"k": "v" * (room + 2)}), 13)
        largest = self.prepare(b"b", more={"k": "v" * (room + 1)})
        copy = HalfMessage(largest, 0, HOST, b"").moved(1_000_000)
        rest = MAX_PROPERTIES - len(copy.properties)
        self.assertGreaterEqual(rest, len("WAIT=false "))
        self.pass_time(30)
        self.assertEqual(len(questions(peer)), 2)
        self.assertEqual(len(self.messages(TRANS_CHECK_MAX_TIME_TOPIC)), 1)

    def test_after_a_restart(self) -> None:
        """It stays given up."""
        self.prepare(b"a")
        self.pass_time(30)
        self.restart()
        self.pass_time(30)
        self.assertEqual(len(self.messages(TRANS_CHECK_MAX_TIME_TOPIC)), 1)

    def test_counted_by_another_broker(self) -> None:
        """The times that Apache RocketMQ has asked count."""
        peer = self.producer()
        half = HalfMessage(self.prepare(b"a"), 0, HOST, b"")
        self.store.put(half.moved(1), self.clock.wall_seconds())
        self.parts.journal.decide(0, Decision.ROLLED_BACK)
        self.pass_time(20)
        self.assertEqual(len(questions(peer)), 1)
        self.assertEqual(len(self.messages(TRANS_CHECK_MAX_TIME_TOPIC)), 1)


class LostTests(TransactionCase):
    """Half messages that are deleted with the log while they are pending."""

    settings = {
        "mapped_file_size_commit_log": 4096,
        "mapped_file_size_consume_queue": 40,
        "file_reserved_time": 1,
        "clean_resource_interval": 5_000,
        "transaction_check_interval": 100_000,
    }

    def lose(self) -> None:
        """Fill files of the log, and have them deleted because they are old."""
        for _ in range(12):
            self.now(sent(body=b"x" * 1000))
        self.pass_time(62)
        for path in self.files():
            os.utime(path, (1, 1))
        self.now(DeleteExpiredLog())
        self.pass_time(10)
        self.assertGreater(self.store.min_offset(TRANS_HALF_TOPIC, 0), 0)

    def test_gone(self) -> None:
        """They are counted and named, and hold nothing up."""
        first, _ = self.prepare(b"a"), self.prepare(b"b")
        self.lose()
        with capturedLogs() as events:
            self.pass_time(30)
        texts = [formatEvent(each) for each in events if "lost" not in each]
        (said,) = [text for text in texts if "not stored any more" in text]
        self.assertIn("2 half messages that were pending, from 0 to 1", said)
        self.assertEqual(self.stats.gauges["transactionsLost"](), 2)
        self.assertEqual(self.parts.journal.pending, 0)
        self.assertEqual(self.broker.transaction_counts.halves, 0)
        self.wrong("Find prepared transaction message failed", ended(first))
        peer = self.producer()
        self.now(half(b"c"))
        self.pass_time(100)
        ((_, last),) = questions(peer)
        self.end_now(last, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"c"])

    def test_gone_while_stopped(self) -> None:
        """A start names those that were not done when it was stopped."""
        made = [self.prepare(b"%d" % number) for number in range(3)]
        self.end_now(made[0])
        self.pass_time(6)
        self.lose()
        with capturedLogs() as events:
            self.restart()
        texts = " ".join(formatEvent(each) or "" for each in events)
        self.assertIn("half messages 1 to 2 are not stored any more", texts)
        self.assertEqual(self.parts.journal.pending, 0)


class MovedTests(TransactionCase):
    """Half messages that are far behind the others."""

    settings = {**TransactionCase.settings, "transaction_check_interval": 10_000}

    def setUp(self) -> None:
        """Call one far behind that has eight others behind it."""
        super().setUp()
        self.patch(journal, "FAR_BEHIND", 8)
        self.peer = self.producer()
        more = {CHECK_IMMUNITY_TIME_IN_SECONDS: "25"}
        self.first = self.prepare(b"a", more=more)
        for number in range(8):
            self.end_now(self.prepare(b"%d" % number), ROLLBACK)
        self.pass_time(10)

    def test_stored_once_more(self) -> None:
        """So what was decided behind it is forgotten, and its time goes on."""
        made = self.parts.journal
        self.assertEqual((made.pending, made.behind), (1, 1))
        copy = self.messages(TRANS_HALF_TOPIC)[-1]
        self.assertEqual(copy.properties[TRAN_PREPARED_QUEUE_OFFSET], "0")
        self.assertEqual(questions(self.peer), [])
        self.pass_time(20)
        ((request, message),) = questions(self.peer)
        self.assertEqual(request.tran_state_table_offset, copy.queue_offset)
        self.end_now(message, from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"a"])
        self.assertEqual((made.moved, made._first_of), ({}, {}))

    def test_ended_by_its_first_offsets(self) -> None:
        """Its producer knows no others; it ends once all the same."""
        self.end_now(self.first)
        copy = self.messages(TRANS_HALF_TOPIC)[-1]
        self.end_now(copy)
        self.assertEqual(self.consumed(), [b"a"])
        self.assertEqual(self.parts.journal.pending, 0)

    def test_after_a_restart(self) -> None:
        """Copies are known again after the first round."""
        self.restart()
        self.wrong("has ended", ended(self.first))
        self.pass_time(10)
        self.end_now(self.first)
        self.assertEqual(self.consumed(), [b"a"])

    def test_again(self) -> None:
        """A copy may be moved, too."""
        copy = self.messages(TRANS_HALF_TOPIC)[-1]
        for number in range(8):
            self.end_now(self.prepare(b"%d" % number), ROLLBACK)
        self.pass_time(10)
        last = self.messages(TRANS_HALF_TOPIC)[-1]
        self.assertGreater(last.queue_offset, copy.queue_offset)
        self.end_now(copy)
        self.assertEqual(self.consumed(), [b"a"])
        self.assertEqual(
            (self.parts.journal.pending, self.parts.journal.moved), (0, {})
        )


class ManyTests(TransactionCase):
    """Many half messages."""

    settings = {**TransactionCase.settings, "transaction_check_interval": 1_000_000}

    def test_in_steps(self) -> None:
        """A round does some, and lets others do their work."""
        peer = self.producer()
        for number in range(1000):
            self.now(half(b"%d" % number))
        self.pass_time(7)
        self.assertNoResult(self.parts.checks.begin())
        self.assertLessEqual(len(peer.told), 10 * 32)
        self.assertIsNone(self.parts.checks.begin())
        self.clock.pump([0.0] * 10)
        self.assertEqual([m.body for _, m in questions(peer)], self.bodies(1000))

    def bodies(self, count: int) -> list[bytes]:
        """Return the bodies of so many."""
        return [b"%d" % number for number in range(count)]
