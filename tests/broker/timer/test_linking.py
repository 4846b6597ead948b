"""Usual messages are linked as others are, without a closer look at them."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.store.timer.timers import Waiting
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import HOST, sent
from tests.broker.send.ways import frame_of
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


class RecentTests(TimerCase):
    """Messages that the lane stored, linked without a read."""

    def setUp(self) -> None:
        """Let there be a timer, which does nothing by itself."""
        super().setUp()
        self.timed(b"first", queue_id=1, TIMER_DELAY_SEC=1000)
        self.wait(0.1)
        self.parts.service.stop()

    def take(self, *properties: str) -> None:
        """Let the lane store messages."""
        frames = [
            frame_of(310, to_ext(sent(properties=f"UNIQ_KEY\x01k\x02{text}")))
            for text in properties
        ]
        found = FrameDecoder().feed(b"".join(frames))
        lane = self.router.lane
        assert lane is not None
        now = self.clock.wall_seconds()
        taken = lane.take(found, 0, len(found), self.peer, now)
        self.assertEqual(taken.count, len(properties))

    def link(self) -> list[Waiting]:
        """Link what is in the queue; return what is to wait."""
        linking, timers = self.parts.linking, self.parts.service.timers
        assert timers is not None
        found: list[Waiting] = []
        self.patch(timers, "link", lambda waiting, write_ms: found.extend(waiting))
        while linking.has_more():
            for _ in linking.link_some(timers):
                pass
        return found

    def test_alike(self) -> None:
        """What is linked is the same as if it is read; only the others are read."""
        first = self.parts.linking.queue_offset
        self.take("TIMER_DELAY_SEC\x0150\x02", "TIMER_DELAY_MS\x0170000\x02")
        self.timed(b"by the handler", TIMER_DELAY_SEC=60)
        days = self.now_ms + 60 * 3_600_000
        self.take(f"TIMER_DELIVER_MS\x01{days}\x02", "TIMER_DELAY_SEC\x0190\x02")
        metrics, read = self.parts.metrics, self.store.get
        before, counts = dict(metrics._counts), []
        self.store.get = lambda *args: counts.append(args[3]) or read(*args)
        recent = self.link()
        counted = dict(metrics._counts)
        self.assertEqual((counts, len(recent)), ([1], 5))
        metrics._counts = before
        self.parts.linking.queue_offset = first
        self.parts.linking._recent.find(first + 5, first + 5)
        self.assertEqual(recent, self.link())
        self.assertEqual(counts, [1, 192])
        self.assertEqual(counted, metrics._counts)

    def test_due_meanwhile(self) -> None:
        """What is due before it is linked is delivered, and others are linked."""
        self.take(*["TIMER_DELAY_SEC\x012\x02", "TIMER_DELAY_SEC\x0150\x02"] * 2)
        self.wait(5)
        self.assertEqual(len(self.link()), 4)
        self.assertEqual(self.bodies(), [b""] * 2)

    def test_known(self) -> None:
        """What may be delivered already is looked at closely."""
        self.take("TIMER_DELAY_SEC\x0150\x02")
        [(*_, offset, _size)] = self.parts.linking._recent.find(1, 2)
        self.parts.linking._deliveries.add(offset)
        (waiting,) = self.link()
        self.assertLess(waiting.slot_ms, self.now_ms)
        self.assertEqual(self.bodies(), [])
