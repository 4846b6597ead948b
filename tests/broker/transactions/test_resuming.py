"""Tests of asking again about half messages that were given up."""

from __future__ import annotations

from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.msgid import offset_message_id
from rocketmq_tw.model.topic import TRANS_CHECK_MAX_TIME_TOPIC, TRANS_HALF_TOPIC
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.transaction import ResumeCheckHalfMessage
from tests.broker.cases import STORE_HOST, TOPIC, sent
from tests.broker.transactions.cases import TransactionCase, half, questions


def resume(offset: int, topic: str | None = None) -> ResumeCheckHalfMessage:
    """Make the request for what is at an offset of the commit log."""
    return ResumeCheckHalfMessage(topic, offset_message_id(STORE_HOST, offset))


class ResumingTests(TransactionCase):
    """Operators name the copy that they find."""

    settings = {
        **TransactionCase.settings,
        "transaction_check_max": 2,
        "transaction_check_interval": 10_000,
        "max_half_messages": 3,
    }

    def given_up(self, body: bytes = b"a") -> StoredMessage:
        """Let a transaction be given up, and return the copy for operators."""
        self.prepare(body)
        self.pass_time(30)
        return self.messages(TRANS_CHECK_MAX_TIME_TOPIC)[-1]

    def test_resumed(self) -> None:
        """Its producer is asked as often as about a new one, and may commit it."""
        copy = self.given_up()
        peer = self.producer()
        response = self.now(resume(copy.commit_log_offset, TRANS_CHECK_MAX_TIME_TOPIC))
        self.assertEqual((response.status, response.remark), (0, None))
        again = self.messages(TRANS_HALF_TOPIC)[-1]
        self.assertEqual((again.body, again.queue_offset), (b"a", 1))
        self.assertEqual(self.parts.journal.pending, 1)
        self.pass_time(20)
        asked = questions(peer)
        self.assertEqual([each.tran_state_table_offset for each, _ in asked], [1, 1])
        self.end_now(asked[0][1], from_transaction_check=True)
        self.assertEqual(self.consumed(), [b"a"])

    def test_counted(self) -> None:
        """It is pending once more, and is counted off when it ends."""
        copy = self.given_up()
        counts = self.broker.transaction_counts
        self.prepare(b"b")
        self.assertEqual(counts.halves, 1)
        self.now(resume(copy.commit_log_offset))
        self.assertEqual(counts.halves, 2)
        self.end_now(self.messages(TRANS_HALF_TOPIC)[-1])
        self.assertEqual(counts.halves, 1)

    def test_given_up_again(self) -> None:
        """Else it is found there once more."""
        copy = self.given_up()
        self.now(resume(copy.commit_log_offset))
        self.pass_time(30)
        self.assertEqual(len(self.messages(TRANS_CHECK_MAX_TIME_TOPIC)), 2)
        self.assertEqual(self.parts.journal.pending, 0)

    def test_others(self) -> None:
        """Nothing else is taken for one: no other message, no body, no other id."""
        copy = self.given_up()
        record = self.store.record_at(copy.commit_log_offset)
        at = self.store.commit_log_max
        self.now(sent(body=record))
        hidden = at + self.store.record_at(at).index(record)
        for offset in (0, at, hidden, 1 << 40, (1 << 64) - 1):
            self.assertIn(int(self.now(resume(offset)).status), (1, 16))
        for wrong in (None, "", "x", "Z" * 32):
            self.wrong("msgId", ResumeCheckHalfMessage("T", wrong))
        self.assertEqual(len(self.messages(TRANS_HALF_TOPIC)), 1)

    def test_user(self) -> None:
        """A user is judged by the topic in the request, so the message is of that."""
        copy = self.given_up()
        self.router.guard(lambda _, call: setattr(call, "principal", "alice"))
        at = copy.commit_log_offset
        self.wrong("does not match", resume(at, "Other"), ResponseCode.NO_PERMISSION)
        for topic in (TRANS_CHECK_MAX_TIME_TOPIC, TOPIC, None):
            self.assertEqual(self.now(resume(at, topic)).status, 0)

    def test_limit(self) -> None:
        """So many half messages may be pending, and no more."""
        copy = self.given_up()
        for n in range(3):
            self.now(half(b"%d" % n))
        self.wrong("maxHalfMessages", resume(copy.commit_log_offset), 2)
