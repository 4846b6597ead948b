"""Tests of the messages of a slot that go to other masters."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.deliveries import Deliveries
from rocketmq_tw.broker.timer.escapes import Escapes, NotSent, timed_again
from rocketmq_tw.broker.timer.lost import LostMessages
from rocketmq_tw.broker.timer.recalled import Recalled
from rocketmq_tw.broker.timer.slots import SlotReader
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.store.timer.layout import DELETE, PLAIN, ROLL
from rocketmq_tw.store.timer.timers import Chain
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft, MalformedRecord
from tests.broker.timer.test_copies import record


class Records:
    """A store that has some records."""

    def __init__(self, *records: bytes | None) -> None:
        self._records = records

    def records_at(self, offsets: list[int], sizes: list[int]) -> list[bytes | None]:
        """Return those at some offsets."""
        return [self._records[offset] for offset in offsets]


class EscapesTests(SynchronousTestCase):
    """
    One slot.

    :ivar sent: what was sent.
    :ivar refused: the keys that the other master does not store.
    """

    def setUp(self) -> None:
        """Nothing is sent yet."""
        self.sent: list[Draft] = []
        self.refused: set[str] = set()
        self.lost = LostMessages(Clock())

    def put(self, draft: Draft, now: float) -> Deferred[None]:
        """Send one."""
        kept = properties.decode(draft.properties.decode())
        if kept.get("UNIQ_KEY") in self.refused:
            return fail(ValueError("the disk is full"))
        self.sent.append(draft)
        return succeed(None)

    def run_steps(self, steps: Steps[int]) -> int:
        """Do all steps; what they wait for has come."""
        try:
            waited = next(steps)
            while True:
                sent = None if waited is None else self.successResultOf(waited)
                waited = steps.send(sent)
        except StopIteration as stop:
            return int(stop.value)

    def chain(self, *flags: int) -> Chain:
        """Make the chain of a slot: its records are at 0, 1, 2, from the last on."""
        chain = Chain(5000, 0, 0)
        for offset, each in enumerate(flags):
            chain.offsets.append(offset)
            chain.sizes.append(300)
            chain.flags.append(each)
            chain.delays.append(1000)
        return chain

    def escapes(self, *records: bytes | None) -> Escapes:
        """Make what sends some records."""
        store: Any = Records(*records)
        log: Any = None
        return Escapes(
            slots=SlotReader(store, log),
            deliveries=Deliveries(),
            put=self.put,
            lost=self.lost,
            wall_time=lambda: 7.5,
        )

    def keys(self) -> list[str]:
        """Return the keys of what was sent."""
        return [
            properties.decode(draft.properties.decode())["UNIQ_KEY"]
            for draft in self.sent
        ]

    def test_sent(self) -> None:
        """In the order in which they were linked, as a master delivers them."""
        escapes = self.escapes(record(UNIQ_KEY="2"), record(UNIQ_KEY="1"))
        chain = self.chain(PLAIN, PLAIN)
        self.assertEqual(self.run_steps(escapes.deliver(chain, 2, Recalled())), 0)
        self.assertEqual((self.keys(), len(chain)), (["1", "2"], 0))
        draft = self.sent[0]
        kept = properties.decode(draft.properties.decode())
        self.assertEqual((draft.topic, draft.body), (b"T", b"Hello"))
        self.assertEqual(kept["TIMER_ENQUEUE_MS"], "4000")
        self.assertEqual(kept["TIMER_DEQUEUE_MS"], "7500")

    def test_refused(self) -> None:
        """What could not be sent is all that stays; the reason is that of the first."""
        records = [record(UNIQ_KEY=str(number)) for number in range(4)]
        escapes, chain = self.escapes(*records), self.chain(*[PLAIN] * 4)
        self.refused = {"1", "2"}
        deliver = escapes.deliver(chain, 4, Recalled())
        error = self.assertRaises(NotSent, self.run_steps, deliver)
        self.assertEqual(
            str(error),
            "2 timed messages of slot 5000 were not sent to other masters: the disk is"
            " full",
        )
        self.assertEqual((list(chain.offsets), escapes.failed), ([1, 2], 2))
        self.refused = set()
        self.run_steps(escapes.deliver(chain, 2, Recalled()))
        self.assertEqual((self.keys(), len(chain)), (["3", "0", "2", "1"], 0))
        self.assertEqual(escapes.delivered, 4)

    def test_left_out(self) -> None:
        """What is recalled, recalls, or was left to pops is not sent; what is gone."""
        escapes = self.escapes(
            record(UNIQ_KEY="recalled"),
            record(UNIQ_KEY="x", TIMER_DEL_UNIQKEY="recalled"),
            None,
            record(UNIQ_KEY="pop", REAL_TOPIC="rmq_sys_REVIVE_LOG_C"),
            record(UNIQ_KEY="kept"),
        )
        recalled = Recalled(1)
        recalled.add("T", "recalled")
        chain = self.chain(PLAIN, PLAIN | DELETE, PLAIN, PLAIN, PLAIN)
        self.run_steps(escapes.deliver(chain, 5, recalled))
        self.assertEqual(self.keys(), ["kept"])
        self.assertEqual((escapes.cancelled, self.lost.count, len(chain)), (1, 1, 0))

    def test_rolls(self) -> None:
        """What is not due waits at the other master, in the same slot."""
        rolling = record(
            UNIQ_KEY="1", TIMER_DELAY_SEC="900", TIMER_OUT_MS="900000", TAGS="A"
        )
        escapes, chain = self.escapes(rolling), self.chain(PLAIN | ROLL)
        self.run_steps(escapes.deliver(chain, 1, Recalled()))
        (draft,) = self.sent
        self.assertEqual(
            properties.decode(draft.properties.decode()),
            {"UNIQ_KEY": "1", "TAGS": "A", "TIMER_DELIVER_MS": "900001"},
        )
        self.assertEqual((draft.topic, draft.body), (b"T", b"Hello"))

    def test_rolling_recall(self) -> None:
        """What cancels others does not wait there."""
        self.assertIsNone(timed_again(record(TIMER_DEL_UNIQKEY="k")))

    def test_damaged(self) -> None:
        """A damaged record is not sent."""
        data = bytearray(record())
        data[-1:] = b"\xff\xff"
        self.assertRaises(MalformedRecord, timed_again, bytes(data[:-40]))
