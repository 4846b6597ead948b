"""Tests of rocketmq_tw.broker.pop.adoption: a folder of Apache RocketMQ."""

from __future__ import annotations

import os

from rocketmq_tw.model.topic import REVIVE_LOG_PREFIX, TIMER_TOPIC
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.bodies.revive import AckRecord, CheckPoint
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import GROUP, STORE_HOST, TOPIC
from tests.broker.pop.cases import PopCase, acknowledged

LOG = REVIVE_LOG_PREFIX + "DefaultCluster"


class AdoptionTests(PopCase):
    """Records wait in the queue of a timer."""

    def put(self, tag: str, body: bytes, due_ms: int, topic: str = LOG) -> None:
        """Store what Apache's broker would have stored."""
        kept = {
            "TAGS": tag,
            "TIMER_OUT_MS": str(due_ms),
            "REAL_TOPIC": topic,
            "REAL_QID": "3",
        }
        text = properties.encode(kept).encode()
        draft = Draft(
            TIMER_TOPIC.encode(), 0, 0, 0, 1, STORE_HOST, body, text, tags_code=7
        )
        self.store.put(draft, self.clock.wall_seconds())

    def popped(self, offset: int, due_ms: int, *acked: int) -> None:
        """Store a pop of two messages for 10 s, and acknowledgements."""
        now_ms = int(self.clock.wall_seconds() * 1000)
        values = {
            "broker_name": "broker-a",
            "group": GROUP,
            "topic": TOPIC,
            "queue_id": 0,
            "pop_time_ms": now_ms,
            "start_offset": offset,
        }
        body = CheckPoint(count=2, invisible_ms=10_000, **values).encode()
        self.put("ck", body, due_ms)
        for each in acked:
            self.put("ack", AckRecord(offset=each, **values).encode(), due_ms + 1000)

    def test_taken_over(self) -> None:
        """What is not acknowledged comes again when it is due, once."""
        self.fill(b"a", b"b", b"c", b"d", b"e", b"f")
        now_ms = int(self.clock.wall_seconds() * 1000)
        self.popped(0, now_ms + 9_000, 0)
        self.popped(2, now_ms + 9_000, 2, 3)
        self.popped(4, now_ms - 9_000)  # delivered by the timer
        self.put("other", b"a timed message", now_ms + 9_000, topic="Other")
        self.put("ck", b"{", now_ms + 9_000)
        self.tables.groups.require(GROUP)
        self.tables.offsets.commit(GROUP, TOPIC, 0, 6)
        path = os.path.join(self.root, "config", "timercheck")
        with open(path, "wb") as file:
            file.write(now_ms.to_bytes(8, "big") + bytes(48))
        self.restart()
        self.assertEqual(len(self.pop.journal.in_flight), 1)
        self.kill()
        self.assertEqual(len(self.pop.journal.in_flight), 1)
        self.pass_time(10.3)
        receipts = self.receipts()
        self.assertEqual(set(receipts), {b"b"})
        self.now(acknowledged(receipts[b"b"]))
        self.restart()
        self.pass_time(20)
        self.assertEqual(self.receipts(), {})

    def test_acknowledged_in_the_timer(self) -> None:
        """A pop that is in the revive log already may be acknowledged in the timer."""
        self.fill(b"a", b"b")
        receipt = self.receipts()[b"a"]
        ack = AckRecord(
            offset=1,
            group=GROUP,
            topic=TOPIC,
            queue_id=0,
            pop_time_ms=receipt.pop_time_ms,
            start_offset=0,
        )
        self.put("ack", ack.encode(), receipt.pop_time_ms + 10_000)
        self.restart()
        self.pass_time(10.3)
        self.assertEqual(set(self.receipts()), {b"a"})
