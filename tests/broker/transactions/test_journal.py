"""Tests of rocketmq_tw.broker.transactions.journal."""

from __future__ import annotations

from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.broker.transactions.journal import GROUP, MOST_UNWRITTEN
from rocketmq_tw.model.message import TAGS, UNIQ_KEY, WAIT
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC
from rocketmq_tw.store.errors import StoreNotWriteable
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import HOST
from tests.broker.transactions.cases import ROLLBACK, TransactionCase, ended


class JournalTests(TransactionCase):
    """Operation messages, and the offsets up to where both queues are done."""

    settings = {**TransactionCase.settings, "transaction_op_batch_interval": 3000}

    def operations(self) -> list[bytes]:
        """Return the bodies of all operation messages."""
        return [each.body for each in self.messages(TRANS_OP_HALF_TOPIC)]

    def offsets(self) -> tuple[int | None, int | None]:
        """Return the committed offsets of half messages and operation messages."""
        query = self.tables.offsets.query
        return query(GROUP, TRANS_HALF_TOPIC, 0), query(GROUP, TRANS_OP_HALF_TOPIC, 0)

    def operation(self, body: bytes, tag: str = "d") -> None:
        """Store an operation message as another broker would."""
        text = f"{TAGS}\x01{tag}\x02".encode()
        draft = Draft(TRANS_OP_HALF_TOPIC.encode(), 0, 0, 0, 1, HOST, body, text)
        self.store.put(draft, self.clock.wall_seconds())

    def test_capacity(self) -> None:
        """Whether a decision can be kept, and is written later."""
        journal = self.parts.journal
        limit = journal._max_size
        self.assertTrue(journal.keeps(0, limit - 1))
        self.assertFalse(journal.keeps(0, limit))
        self.assertFalse(journal.keeps(MOST_UNWRITTEN, 5))
        self.end_now(self.prepare())
        self.assertTrue(journal.keeps(MOST_UNWRITTEN - 2, limit - 3))
        self.assertFalse(journal.keeps(MOST_UNWRITTEN - 1, 5))
        self.assertFalse(journal.keeps(0, limit - 2))

    def test_written_together(self) -> None:
        """Three seconds after the first, as RocketMQ 5 writes them."""
        made = [self.prepare(b"%d" % number) for number in range(3)]
        self.end_now(made[0])
        self.pass_time(2)
        self.end_now(made[2], ROLLBACK)
        self.assertEqual(self.operations(), [])
        self.pass_time(1)
        self.assertEqual(self.operations(), [b"0,2,"])
        (message,) = self.messages(TRANS_OP_HALF_TOPIC)
        self.assertEqual(message.properties, {TAGS: "d", WAIT: "true"})
        self.assertNotIn(UNIQ_KEY, message.properties)
        self.end_now(made[1])
        self.pass_time(3)
        self.assertEqual(self.operations(), [b"0,2,", b"1,"])

    def test_tags_code(self) -> None:
        """Its queue has the code of its tag."""
        self.end_now(self.prepare())
        self.pass_time(3)
        code = java_hash("d")
        found = self.store.get(TRANS_OP_HALF_TOPIC, 0, 0, 1, 999, code.__eq__)
        self.assertEqual(found.count, 1)

    def test_offsets_are_committed(self) -> None:
        """The first half message that is pending, and what is needed behind it."""
        made = [self.prepare(b"%d" % number) for number in range(3)]
        self.end_now(made[1])
        self.pass_time(6)
        self.assertEqual(self.offsets(), (None, None))
        self.end_now(made[0])
        self.pass_time(6)
        self.assertEqual(self.offsets(), (2, 2))
        self.stop()
        self.assertIn(
            b"CID_RMQ_SYS_TRANS", self.bytes_of("config", "consumerOffset.json")
        )

    def test_adopted(self) -> None:
        """What a slave has passed on is not decided here, and not counted."""
        made = [self.prepare(b"%d" % number) for number in range(3)]
        self.end_now(made[1])
        self.tables.offsets.commit(GROUP, TRANS_HALF_TOPIC, 0, 2)
        journal = self.parts.journal
        journal.adopt()
        self.assertEqual((journal.pending, journal.decisions.start), (1, 2))
        self.wrong("has ended", ended(made[0]))
        self.end_now(made[2])
        self.assertEqual(self.consumed(), [b"1", b"2"])

    def test_stop_and_start(self) -> None:
        """A stop writes what is decided; a start knows it, and what is pending."""
        made = [self.prepare(b"%d" % number) for number in range(4)]
        self.end_now(made[1])
        self.end_now(made[2], ROLLBACK)
        self.restart()
        self.assertEqual(self.operations(), [b"1,2,"])
        journal = self.parts.journal
        self.assertEqual((journal.pending, journal.decisions.start), (2, 0))
        self.assertIs(journal.decisions.of(2), Decision.ENDED)
        self.end_now(made[1])
        self.wrong("rolled back, or given up", ended(made[2]))
        self.assertEqual(self.consumed(), [b"1"])
        self.end_now(made[0])
        self.assertEqual(journal.decisions.start, 3)

    def test_of_another_broker(self) -> None:
        """Of version 4 or 5, twice, with another tag, and with what there is not."""
        for number in range(5):
            self.prepare(b"%d" % number)
        self.operation(b"0,1,1,x,99999999,")
        self.operation(b"3")
        self.operation(b"2,", tag="e")
        self.restart()
        journal = self.parts.journal
        self.assertEqual((journal.pending, journal.decisions.start), (2, 2))
        self.assertEqual(journal.decisions.next_pending(3, 5), 4)
        self.assertLess(len(journal.decisions._row), 10)

    def test_from_committed_offsets_on(self) -> None:
        """What another broker has done with is not looked at."""
        for number in range(3):
            self.prepare(b"%d" % number)
        self.operation(b"0,")
        self.tables.offsets.commit(GROUP, TRANS_HALF_TOPIC, 0, 2)
        self.tables.offsets.commit(GROUP, TRANS_OP_HALF_TOPIC, 0, 1)
        self.tables.save()
        self.killed()
        journal = self.parts.journal
        self.assertEqual((journal.pending, journal.decisions.start), (1, 2))

    def test_large_batches(self) -> None:
        """A message has 4096 characters at most, and is written when it has them."""
        self.prepare(b"0")
        self.prepare(b"1")
        journal = self.parts.journal
        journal.decide(0, Decision.COMMITTED)
        for _ in range(2048):
            journal.decide(1, Decision.COMMITTED)
        (body,) = self.operations()
        self.assertEqual(len(body), 4096)
        self.assertTrue(body.startswith(b"0,1,1,"))

    def test_store_refuses(self) -> None:
        """They are written when it takes messages again; there is no end of them."""
        message = self.prepare()
        self.end_now(message)
        error = StoreNotWriteable("the disk is away")
        self.store._refusal, self.store._admission.error = "no", lambda: error
        self.pass_time(4)
        self.assertEqual(self.operations(), [])
        journal = self.parts.journal
        journal._unwritten += [0] * MOST_UNWRITTEN
        self.wrong("decisions are not written yet", ended(message), 2)
        del journal._unwritten[1:]
        self.store._refusal = None
        self.pass_time(4)
        self.assertEqual(self.operations(), [b"0,"])
