"""Usual messages are linked as others are, without a closer look at them."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.store.timer.timers import Waiting
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import HOST
from tests.broker.timer.cases import TimerCase

_TIMER = b"rmq_sys_wheel_timer"
_USUAL = {
    "UNIQ_KEY": "k",
    "TIMER_OUT_MS": "",
    "REAL_TOPIC": "T",
    "REAL_QID": "1",
}


class LinkingTests(TimerCase):
    """Messages of the timer's queue."""

    def setUp(self) -> None:
        """Let there be a timer, which does nothing by itself."""
        super().setUp()
        self.timed(b"first", TIMER_DELAY_SEC=1000)
        self.wait(0.1)
        self.parts.service.stop()

    def put(self, last: str = "", topic: bytes = _TIMER, **kept: Any) -> None:
        """Store a message; None removes a property."""
        due = {"TIMER_OUT_MS": str(self.now_ms // 1000 * 1000 + 50_000)}
        pairs = {n: v for n, v in (_USUAL | due | kept).items() if v is not None}
        text = properties.encode(pairs) + last
        draft = Draft(topic, 0, 0, 0, 1, HOST, b"Hello", text.encode())
        self.store.put(draft, self.clock.wall_seconds())

    def linked(self, *, quick: bool) -> list[Waiting]:
        """Link what is in the queue; return what is to wait."""
        linking, timers = self.parts.linking, self.parts.service.timers
        assert timers is not None
        found: list[Waiting] = []
        link, usual, queue_offset = timers.link, linking._usual, linking.queue_offset
        timers.link = lambda waiting, write_ms: found.extend(waiting)
        if not quick:
            linking._usual = lambda data, at, step: 0
        while linking.has_more():
            for _ in linking.link_some(timers):
                pass
        timers.link, linking._usual = link, usual
        end = self.store.max_offset(_TIMER.decode(), 0)
        self.assertEqual(linking.queue_offset, end)
        linking.queue_offset = queue_offset
        return found

    def test_alike(self) -> None:
        """What is linked is the same, and so is what is counted."""
        now_ms = self.now_ms
        self.put()
        self.put(REAL_TOPIC="gr\u00fcn", REAL_QID="0")
        self.put(TIMER_OUT_MS=str(now_ms + 172_800_000 * 2))  # rolls
        self.put(TIMER_OUT_MS=str(now_ms + 50_001))
        self.put(TIMER_DEL_UNIQKEY="k")
        self.put("TIMER_DEL_UNIQKEY\x01k\x02")
        self.put("TIMER_OUT_MS\x01\x02")
        self.put(f"TIMER_OUT_MS\x01{now_ms + 60_000}\x02")
        self.put(f"TIMER_OUT_MS\x01{now_ms + 60_000}\x02REAL_TOPIC\x01U\x02")
        self.put("REAL_TOPIC\x01U\x02REAL_QID\x012\x02")
        self.put(f"REAL_QID\x01{'1' * 10}\x02")
        for wrong in (None, "", "x", "1" * 19, "-5"):
            self.put(TIMER_OUT_MS=wrong)
        for topic in (None, "", _TIMER.decode()):
            self.put(REAL_TOPIC=topic)
        self.put()
        metrics = self.parts.metrics
        before = dict(metrics._counts)
        quick = self.linked(quick=True)
        counted = dict(metrics._counts)
        metrics._counts = before
        self.assertEqual(quick, self.linked(quick=False))
        self.assertEqual(counted, metrics._counts)
        self.assertGreater(len(quick), 10)

    def test_due(self) -> None:
        """What is due already is delivered, not linked."""
        self.put(TIMER_OUT_MS=str(self.now_ms - 5000), REAL_QID="0")
        (waiting,) = self.linked(quick=True)
        self.assertLess(waiting.slot_ms, self.now_ms - 1000)
        self.assertEqual(self.bodies("T"), [b"Hello"])

    def test_many_in_a_step(self) -> None:
        """Usual messages need no closer look."""
        for _ in range(10):
            self.put()
        linking = self.parts.linking
        linking._slot_for = lambda *_: self.fail("it is usual")  # type: ignore
        self.assertEqual(len(self.linked(quick=True)), 10)
