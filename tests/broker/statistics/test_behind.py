"""Tests of how far groups are behind in queues."""

from __future__ import annotations

from tests.broker.cases import GROUP, TOPIC, pulled, sent
from tests.broker.statistics.test_processor import ViewCase

KEY = f"0@{TOPIC}@{GROUP}"
SIZE, TIME = "GROUP_GET_FALL_SIZE", "GROUP_GET_FALL_TIME"


class BehindTests(ViewCase):
    """It is looked up, and shown as what the last minute has."""

    def test_behind(self) -> None:
        """From the next message on, and since the last one that was sent."""
        for _ in range(4):
            self.ask(sent())
            self.clock.advance(2.0)
        self.ask(pulled(max_msg_nums=3))
        size = self.store.commit_log_max // 4
        self.assertEqual(self.view(SIZE, KEY), [size, 0, 0])
        self.assertEqual(self.view(TIME, KEY), [4000, 0, 0])
        self.ask(pulled(queue_offset=3))
        self.assertEqual(self.view(SIZE, KEY), [0, 0, 0])
        self.assertEqual(self.view(TIME, KEY), [0, 0, 0])

    def test_unknown(self) -> None:
        """Of a queue of which the group was sent nothing."""
        self.ask(sent())
        self.unknown(SIZE, KEY)
        self.ask(pulled())
        self.unknown(SIZE, f"1@{TOPIC}@{GROUP}")
        self.unknown(TIME, f"{TOPIC}@{GROUP}")
        self.unknown(TIME, "")
        self.unknown("GROUP_GET_FALL_BACK", KEY)
