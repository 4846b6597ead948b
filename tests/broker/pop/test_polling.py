"""Tests of rocketmq_tw.broker.pop.polling: who is woken, and what that costs."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.broker.pop.polling import Poll, PopPolling
from rocketmq_tw.testing.timeline import Timeline
from rocketmq_tw.wire.fields import Response
from tests.broker.cases import Peer
from tests.fuzz.cost import measure
from tests.store.cases import StoreCase


class Arrivals:
    """A store that only says what arrives."""

    def __init__(self) -> None:
        self.listener: Any = None

    def add_listener(self, listener: Any) -> None:
        """Remember who listens."""
        self.listener = listener

    def remove_listener(self, listener: Any) -> None:
        """Forget it."""
        self.listener = None

    def arrive(self, topic: str, queue_id: int = 0, code: int = 0) -> None:
        """Say that a message arrived."""
        if self.listener is not None:
            self.listener(topic.encode(), queue_id, 1, code, 0)


class PollingTests(StoreCase):
    """Requests of some groups wait at some queues."""

    def setUp(self) -> None:
        """Have nobody wait."""
        super().setUp()
        self.arrivals = Arrivals()
        self.polling = PopPolling(
            store=self.arrivals,  # type: ignore[arg-type]
            clock=self.clock,
            limit=50,
            limit_per_connection=30,
            limit_per_queue=20,
        )
        self.peer = Peer()
        self.looked: list[str] = []
        self.there: list[str] = []

    def hold(self, name: str, group: str = "G", queue_id: int = -1, **more: Any) -> Any:
        """Let a request wait for 10 s, that finds something if its name is there."""

        async def attempt() -> Response | None:
            self.looked.append(name)
            return Response(remark=name) if name in self.there else None

        values: dict[str, Any] = {
            "topic": "T",
            "group": group,
            "queue_id": queue_id,
            "until": self.clock.seconds() + 10,
            "peer": self.peer,
            "matches": None,
            "attempt": attempt,
            "late": lambda: Response(remark="late"),
        }
        return self.polling.hold(Poll(**values | more))

    def looking(self, *args: Any) -> list[str]:
        """Return who looks when a message arrives."""
        self.looked.clear()
        self.arrivals.arrive(*args)
        self.clock.advance(0)
        return self.looked

    def test_one_of_each_group(self) -> None:
        """Those of all queues come first, and of the queue; no other."""
        for name, group, queue_id in (
            ("a", "G", -1),
            ("b", "G", -1),
            ("c", "G", 1),
            ("d", "G", 2),
            ("e", "H", -1),
        ):
            self.hold(name, group, queue_id)
        self.assertEqual(self.looking("T", 1), ["a", "c", "e"])
        self.assertEqual(self.looking("Other", 1), [])

    def test_retry_topics(self) -> None:
        """A message in a retry topic, of either name, is for its group only."""
        self.hold("a", "G")
        self.hold("b", "H")
        for topic in ("%RETRY%G_T", "%RETRY%G+T"):
            self.assertEqual(self.looking(topic), ["a"])

    def test_nothing_found(self) -> None:
        """A woken request that finds nothing waits further, however often."""
        waiting = self.hold("a")
        for _ in range(2000):
            self.looking("T")
        self.assertNoResult(waiting)
        self.there.append("a")
        self.looking("T")
        self.assertEqual(self.successResultOf(waiting).remark, "a")
        self.assertEqual((len(self.polling), self.polling._shares), (0, {}))
        self.assertEqual(self.polling._topics, {})

    def test_time_is_over(self) -> None:
        """It looks a last time, and says that it found nothing."""
        waiting = self.hold("a")
        self.clock.pump([0.1] * 99)
        self.assertNoResult(waiting)
        self.clock.pump([0.1] * 3)
        self.assertEqual(self.successResultOf(waiting).remark, "late")
        self.assertEqual(self.looked, ["a"])
        self.clock.pump([0.1] * 2)
        self.assertIsNone(self.arrivals.listener)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_more_messages(self) -> None:
        """Whoever leaves messages behind lets the next one look."""
        self.hold("a")
        self.polling.wake_one("T", "G", -1)
        self.polling.wake_one("T", "H", -1)
        self.clock.advance(0)
        self.assertEqual(self.looked, ["a"])

    def test_filters(self) -> None:
        """The first that matches is woken."""
        self.hold("a", matches=lambda code: code == 1)
        self.hold("b", matches=lambda code: code == 2)
        self.assertEqual(self.looking("T", 0, 2), ["b"])

    def test_limits(self) -> None:
        """Each limit is named; what is over it is counted."""
        for number in range(30):
            self.hold("x", queue_id=number % 2)
        error = self.assertRaises(TooManyHeldPulls, self.hold, "y")
        self.assertIn("maxPopPollingPerConnection", str(error))
        for _ in range(5):
            self.hold("x", queue_id=0, peer=Peer())
        error = self.assertRaises(
            TooManyHeldPulls, self.hold, "y", queue_id=0, peer=Peer()
        )
        self.assertIn("popPollingSize", str(error))
        for _ in range(15):
            self.hold("x", peer=Peer())
        error = self.assertRaises(TooManyHeldPulls, self.hold, "y", peer=Peer())
        self.assertIn("maxPopPollingSize", str(error))
        self.assertEqual(self.polling.refused, 3)

    def test_lost_connection(self) -> None:
        """Its requests are dropped, and nothing of them is left."""
        waiting = [self.hold("x", queue_id=each) for each in range(30)]
        self.polling.connection_lost(self.peer)
        self.assertEqual([self.successResultOf(each) for each in waiting], [None] * 30)
        self.assertEqual((self.polling._shares, self.polling._topics), ({}, {}))

    def test_stop(self) -> None:
        """All have their responses then, and nothing is scheduled."""
        waiting = [self.hold("x", queue_id=each) for each in range(30)]
        Timeline(self.clock).result_of(self.polling.stop())
        for each in waiting:
            self.assertEqual(self.successResultOf(each).remark, "late")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_work(self) -> None:
        """A message costs each group that waits the same, however many wait."""

        def work(groups: int) -> int:
            polling = PopPolling(
                store=self.arrivals,  # type: ignore[arg-type]
                clock=self.clock,
                limit_per_connection=100_000,
            )
            self.polling = polling
            for number in range(groups):
                self.hold("x", f"G{number}")
            cost, _ = measure(lambda: self.arrivals.arrive("T"))
            Timeline(self.clock).result_of(polling.stop())
            return cost.work

        self.assertLess(work(1000), 2 * work(10))
