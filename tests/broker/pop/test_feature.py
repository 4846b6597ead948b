"""Tests of rocketmq_tw.broker.pop.feature: pop as its users meet it."""

from __future__ import annotations

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.model.message import FIRST_POP_TIME, ORIGIN_GROUP
from rocketmq_tw.wire.requests.consumer import ResetOffsets
from tests.broker.cases import GROUP, TOPIC, pulled
from tests.broker.pop.cases import PopCase, acknowledged, changed, popped


class PopTests(PopCase):
    """Messages are handed out, acknowledged, and come again."""

    def test_handed_out_once(self) -> None:
        """Nobody else gets what was handed out."""
        self.fill(b"a", b"b")
        self.assertEqual(set(self.receipts()), {b"a", b"b"})
        response = self.now(popped())
        self.assertEqual((response.status, response.body), (210, b""))

    def test_acknowledged_never_comes_again(self) -> None:
        """The others come again once their time is over, from the retry topic."""
        self.fill(b"a", b"b")
        receipts = self.receipts()
        response = self.now(acknowledged(receipts[b"a"]))
        self.assertEqual((response.status, response.remark), (0, None))
        self.pass_time(9.9)
        self.assertEqual(self.receipts(), {})
        self.pass_time(0.4)
        again = self.receipts()
        self.assertEqual(set(again), {b"b"})
        self.assertEqual(again[b"b"].retry, 1)
        self.now(acknowledged(again[b"b"]))
        self.pass_time(30)
        self.assertEqual(self.receipts(), {})
        self.assertEqual(len(self.pop.journal.in_flight), 0)

    def test_copies(self) -> None:
        """A copy counts its delivery, and says when it was popped first and by whom."""
        self.fill(b"a", tag="T")
        pop_time = self.receipts()[b"a"].pop_time_ms
        self.pass_time(10.3)
        (copy,) = self.retries()
        self.assertEqual((copy.body, copy.tag, copy.reconsume_times), (b"a", "T", 1))
        self.assertEqual(copy.properties[FIRST_POP_TIME], str(pop_time))
        self.assertEqual(copy.properties[ORIGIN_GROUP], GROUP)
        self.receipts()
        self.pass_time(10.3)
        self.assertEqual([each.reconsume_times for each in self.retries()], [1, 2])
        again = self.retries()[1]
        self.assertEqual(again.properties[FIRST_POP_TIME], str(pop_time))

    def test_changed_time(self) -> None:
        """A message with more time comes later; its old receipt is of no use."""
        self.fill(b"a", b"b")
        receipt = self.receipts()[b"a"]
        response = self.now(changed(receipt, 30_000))
        self.assertEqual((response.status, response.invisible_time), (0, 30_000))
        self.pass_time(10.3)
        self.assertEqual(set(self.receipts(invisible_time=60_000)), {b"b"})
        response = self.now(acknowledged(receipt))
        self.assertIn("not in flight", response.remark)
        self.pass_time(20)
        self.assertEqual(set(self.receipts()), {b"a"})

    def test_suspended(self) -> None:
        """A message that is given back suspended does not count a delivery."""
        self.fill(b"a")
        receipt = self.receipts()[b"a"]
        self.now(changed(receipt, 0, suspend=True))
        self.pass_time(0.3)
        self.assertEqual(self.retries()[0].reconsume_times, 0)

    def test_groups_do_not_share(self) -> None:
        """Each group gets all messages."""
        self.fill(b"a")
        self.assertEqual(set(self.receipts()), {b"a"})
        self.assertEqual(set(self.receipts(consumer_group="Other")), {b"a"})

    def test_stop_and_start(self) -> None:
        """What was in flight is so after a stop; receipts are still good."""
        self.fill(b"a", b"b")
        receipts = self.receipts()
        self.restart()
        self.assertEqual(self.receipts(), {})
        self.now(acknowledged(receipts[b"a"]))
        self.pass_time(10.3)
        self.assertEqual(set(self.receipts()), {b"b"})

    def test_gone_topic(self) -> None:
        """What is in flight of a deleted topic or group is dropped."""
        self.fill(b"a")
        self.receipts()
        self.tables.topics.delete(TOPIC)
        self.pass_time(10.3)
        self.assertEqual(len(self.pop.journal.in_flight), 0)
        self.assertEqual(self.retries(), [])

    def test_invisible_times_out_of_range(self) -> None:
        """Below zero is over at once, the longest never; both survive a restart."""
        lowest, longest = -(1 << 63), (1 << 63) - 1
        self.fill(b"a", b"b")
        self.assertEqual(
            set(self.receipts(max_msg_nums=1, invisible_time=lowest)), {b"a"}
        )
        self.assertEqual(set(self.receipts(invisible_time=longest)), {b"b"})
        self.restart()
        self.pass_time(1)
        again = self.receipts()
        self.assertEqual(set(again), {b"a"})
        self.now(acknowledged(again[b"a"]))
        self.pass_time(86_400)
        self.assertEqual(self.receipts(), {})
        self.assertEqual(len(self.pop.journal.in_flight), 1)

    def test_invisible_times_in_order(self) -> None:
        """The same, of a queue that is blocked meanwhile."""
        lowest, longest = -(1 << 63), (1 << 63) - 1
        self.fill(b"a", b"b")
        for _ in range(2):
            found = self.receipts(order=True, invisible_time=lowest)
            self.assertEqual(set(found), {b"a", b"b"})
        self.assertEqual(len(self.receipts(order=True, invisible_time=longest)), 2)
        self.pass_time(11)
        self.restart()
        self.pass_time(3600)
        self.assertEqual(self.receipts(order=True), {})

    def test_reset(self) -> None:
        """A pop learns of a reset, so that no pull goes back there later."""
        self.fill(b"a", b"b")
        self.receipts()
        self.reset(0)
        self.clock.advance(0.001)
        self.assertEqual(set(self.receipts()), {b"a", b"b"})
        self.assertEqual(len(self.tables.offsets.resets), 0)
        self.assertEqual(self.ask(pulled(queue_offset=2)).status, 19)

    def test_reset_to_the_end(self) -> None:
        """Likewise if nothing is left to be popped."""
        self.fill(b"a")
        self.reset(-1)
        self.assertEqual(self.receipts(), {})
        self.assertEqual(len(self.tables.offsets.resets), 0)

    def test_reset_in_order(self) -> None:
        """The queue is free, as what was in flight there does not count any more."""
        self.fill(b"a", b"b")
        self.receipts(order=True, max_msg_nums=1)
        self.assertEqual(self.receipts(order=True), {})
        self.reset(0)
        self.clock.advance(0.001)
        self.assertEqual(set(self.receipts(order=True)), {b"a", b"b"})

    def reset(self, timestamp: int) -> None:
        """Let the group go on from a time."""
        self.tables.groups.find(GROUP)
        asked = maybeDeferred(self.ask, ResetOffsets(TOPIC, GROUP, timestamp))
        self.assertEqual(self.successResultOf(asked).status, 0)


class ThresholdTests(PopCase):
    """A broker that limits how many messages of a queue are in flight."""

    settings = {
        "enable_pop_message_threshold": True,
        "pop_inflight_message_threshold": 2,
    }

    def test_queue_with_too_many(self) -> None:
        """It is left out until some are acknowledged, or due; others are not."""
        self.fill(b"a", b"b", b"c", b"d")
        first = self.receipts(max_msg_nums=3)
        self.fill(b"e", queue_id=1)
        self.assertEqual(set(self.receipts()), {b"e"})
        self.now(acknowledged(first[b"a"]))
        self.assertEqual(set(self.receipts()), {b"d"})

    def test_after_a_restart(self) -> None:
        """What is in flight is counted from the revive log; what is due is not."""
        self.fill(b"a", b"b", b"c", b"d")
        self.receipts(max_msg_nums=3)
        self.restart()
        self.assertEqual(self.receipts(), {})
        self.pass_time(11)
        self.assertEqual(set(self.receipts()), {b"a", b"b", b"c", b"d"})
