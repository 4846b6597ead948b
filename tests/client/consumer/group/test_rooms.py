"""Fixed queues, and machine rooms; Java's answers are in ``test_allocation``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.group.allocation import (
    StrategyFailed,
    allocate,
    average,
)
from rocketmq_tw.client.consumer.group.rooms import (
    by_config,
    machine_room,
    machine_room_nearby,
)
from rocketmq_tw.model.queue import MessageQueue
from tests.client.fakes import queues

EAST = queues("T", 3, "east@a")
WEST = queues("T", 3, "west@b")


class RoomTests(SynchronousTestCase):
    """Two brokers in two rooms."""

    def test_by_config(self) -> None:
        """The queues are fixed; those of other topics are left out."""
        strategy = by_config([EAST[0], MessageQueue("Other", "east@a", 0)])
        self.assertEqual(allocate(strategy, "z", EAST, ["a", "z"]), {EAST[0]})

    def test_machine_room(self) -> None:
        """Only the queues of these rooms are allocated."""
        strategy = machine_room({"west"})
        self.assertEqual(allocate(strategy, "a", EAST + WEST, ["a"]), set(WEST))

    def test_nearby(self) -> None:
        """Members get the queues of their room, and those of rooms without any."""
        strategy = machine_room_nearby(
            average,
            lambda queue: queue.broker_name.split("@")[0],
            lambda client_id: client_id.split("@")[0],
        )
        both = allocate(strategy, "east@1", EAST + WEST, ["east@1", "west@1"])
        self.assertEqual(both, set(EAST))
        alone = allocate(strategy, "east@1", EAST + WEST, ["east@1", "east@2"])
        self.assertEqual(len(alone), 4)

    def test_no_room(self) -> None:
        """A broker without a room is an error, and queues are kept."""
        strategy = machine_room_nearby(average, lambda _: "", lambda _: "east")
        error = self.assertRaises(StrategyFailed, allocate, strategy, "a", EAST, ["a"])
        self.assertIn("no machine room", str(error))
