"""Timed messages by the lane of sends, which does as the handler does."""

from __future__ import annotations

from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.wire.command import decode
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.recall import decode_handle
from tests.broker.cases import TOPIC, sent
from tests.broker.send.ways import frame_of, through_connections
from tests.broker.timer import test_opening, test_rolls, test_sends, test_service
from tests.broker.timer.cases import TimerCase

# Every test of timed messages, by a connection with a lane.
globals().update(
    through_connections(test_opening, test_rolls, test_sends, test_service)
)


def taken(case: TimerCase, *texts: str) -> Taken:
    """Let the lane take sends with properties."""
    frames = [
        frame_of(310, to_ext(sent(properties=f"UNIQ_KEY\x01k\x02{text}")))
        for text in texts
    ]
    found = FrameDecoder().feed(b"".join(frames))
    lane = case.router.lane
    assert lane is not None
    return lane.take(found, 0, len(found), case.peer, case.clock.wall_seconds())


class TimedLaneTests(TimerCase):
    """Timed messages between plain ones."""

    def take(self, *texts: str) -> int:
        """Let the lane take sends with properties; return how many it takes."""
        self.taken = taken(self, *texts)
        return self.taken.count

    def test_not_the_first(self) -> None:
        """The first goes by the handler, which makes all that is needed."""
        self.ask(sent(properties="UNIQ_KEY\x01k\x02"))
        delayed = "TIMER_DELAY_SEC\x012\x02"
        self.assertEqual(self.take("", delayed), 1)
        self.timed(TIMER_DELAY_SEC=2)
        self.assertEqual(self.take("", delayed, delayed, ""), 4)

    def test_delivered(self) -> None:
        """They wait, are linked without any other send, and come in their queue."""
        self.ask(sent(properties="UNIQ_KEY\x01k\x02"))
        self.timed(b"first", TIMER_DELAY_SEC=1)
        self.wait(3)
        self.take("TIMER_DELAY_SEC\x012\x02")
        self.wait(1.8)
        self.assertEqual(self.bodies(), [b"Hello", b"first"])
        self.wait(0.5)
        self.assertEqual(self.bodies(), [b"Hello", b"first", b""])

    def test_response(self) -> None:
        """It has the queue that was asked for, and what recalls the message."""
        self.timed(b"first", queue_id=3, TIMER_DELAY_SEC=1)
        self.take("TIMER_DELAY_SEC\x012\x02")
        (frame,) = FrameDecoder().feed(self.taken.responses)
        fields = decode(*frame).fields
        self.assertEqual((fields["queueId"], fields["queueOffset"]), ("0", "1"))
        topic, broker_name, time, key = decode_handle(fields["recallHandle"])
        expected = TOPIC, self.broker.config.broker_name, "k"
        self.assertEqual((topic, broker_name, key), expected)
        self.assertEqual(int(time) % 1000, 1)

    def test_full_slot(self) -> None:
        """What would be refused is left to the handler, which refuses it."""
        self.timed(b"first", TIMER_DELAY_SEC=1)
        self.broker.timed_sends.is_full = lambda slot_ms, limit: True
        self.assertEqual(self.take("TIMER_DELAY_SEC\x012\x02"), 0)


class ClusterNameTests(TimerCase):
    """Names of clusters may have a percent sign, as those of topics."""

    settings = {**TimerCase.settings, "broker_cluster_name": "50%stable"}

    def test_delivered(self) -> None:
        """Messages have the name as it is."""
        self.timed(b"first", TIMER_DELAY_SEC=2)
        self.assertEqual(taken(self, "TIMER_DELAY_SEC\x012\x02").count, 1)
        self.wait(3)
        names = [each.properties["CLUSTER"] for each in self.messages(TOPIC)]
        self.assertEqual(names, ["50%stable"] * 2)
