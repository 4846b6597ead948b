"""Tests of resetting and copying the offsets of groups."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.offsets import ResetOffsetBody
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import CloneGroupOffsets, ResetOffsets
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, PullMessage
from tests.broker.cases import BrokerCase, Peer, sent
from tests.broker.doubles import client_of
from tests.store.cases import NOW


class ResetProcessorTests(BrokerCase):
    """Administrators let groups continue at other offsets."""

    def setUp(self) -> None:
        """Store three messages, half a second apart, which a group has read."""
        super().setUp()
        self.topic("T", 2)
        for _ in range(3):
            self.ask(sent("T"))
            self.clock.advance(0.5)
        self.offsets = self.tables.offsets
        self.tables.groups.find("G")
        self.offsets.commit("G", "T", 0, 3)

    def reset(self, group: str = "G", topic: str = "T", **more: Any) -> dict[int, int]:
        """Reset offsets; return them by queue id."""
        more.setdefault("timestamp", 0)
        request = ResetOffsets(topic, group, **more)
        response = self.successResultOf(maybeDeferred(self.ask, request))
        table = ResetOffsetBody.decode(response.body).offset_table
        for queue in table:
            self.assertEqual(queue, MessageQueue(topic, "broker-a", queue.queue_id))
        return {queue.queue_id: offset for queue, offset in table.items()}

    def pull(self, offset: int, group: str = "G", queue_id: int = 0) -> Any:
        """Pull as a consumer does that knows nothing of the reset."""
        request = PullMessage(group, "T", queue_id, offset, 32, SUBSCRIPTION, 0, 0, "*")
        return self.ask(request)

    def commit(self, offset: int) -> None:
        """Commit as a consumer does."""
        self.ask(UpdateConsumerOffset("G", "T", 0, offset))

    def test_by_time(self) -> None:
        """All queues continue at a time; before it is learned, commits are ignored."""
        self.assertEqual(self.reset(timestamp=int(NOW * 1000) + 500), {0: 1, 1: 0})
        self.commit(3)
        self.assertEqual(self.offsets.query("G", "T", 0), 1)
        response = self.pull(3)
        self.assertEqual(response.status, ResponseCode.PULL_OFFSET_MOVED)
        self.assertEqual(response.next_begin_offset, 1)
        self.assertEqual((response.min_offset, response.max_offset), (0, 3))

    def test_learned_once(self) -> None:
        """After a pull has learned of it, pulls and commits are as usual."""
        self.reset()
        self.assertEqual(self.pull(3, group="Other").status, 19)
        self.assertEqual(self.pull(3).next_begin_offset, 0)
        response = self.pull(0)
        self.assertEqual(response.status, 0)
        self.commit(2)
        self.assertEqual(self.offsets.query("G", "T", 0), 2)

    def test_held_pulls_learn(self) -> None:
        """A pull that waits for a message learns of it when it is read again."""
        request = PullMessage("G", "T", 0, 3, 32, SUBSCRIPTION | 2, 0, 15_000, "*")
        waiting = self.ask(request)
        self.assertNoResult(waiting)
        self.reset()
        self.clock.pump([1.0] * 20)
        self.assertEqual(self.successResultOf(waiting).next_begin_offset, 0)

    def test_to_the_end(self) -> None:
        """A time below zero skips all messages."""
        self.assertEqual(self.reset(timestamp=-1), {0: 3, 1: 0})

    def test_one_queue(self) -> None:
        """One queue continues at an offset, or at a time."""
        self.assertEqual(self.reset(queue_id=0, offset=2), {0: 2})
        self.assertEqual(self.reset(queue_id=1), {1: 0})

    def refused(self, group: str = "G", topic: str = "T", **more: Any) -> int:
        """Return the code with which a reset is refused."""
        return int(self.ask(ResetOffsets(topic, group, 0, **more)).status)

    def test_refused(self) -> None:
        """What there is not is refused, and nothing changes."""
        self.assertEqual(self.refused(topic="Gone"), 17)
        self.assertEqual(self.refused(group="Gone"), 26)
        remark = self.ask(ResetOffsets("T", "Gone", 0)).remark
        self.assertEqual(remark, "Group Gone does not exist")
        self.assertEqual(self.refused(queue_id=0, offset=4), 1)
        self.assertEqual(self.refused(queue_id=2), 29)
        self.assertEqual(self.offsets.query("G", "T", 0), 3)
        self.assertIsNone(self.tables.groups.get("Gone"))

    def test_deleted_groups(self) -> None:
        """Nothing of a reset is left when the group's offsets are removed."""
        self.reset()
        self.offsets.remove_group("G")
        self.assertEqual(len(self.offsets.resets), 0)


class CloneTests(BrokerCase):
    """The offsets of a group are copied to another."""

    def setUp(self) -> None:
        """Let a group have read two topics, and what was sent back."""
        super().setUp()
        for topic in ("T", "Other", "%RETRY%G"):
            self.topic(topic, 2)
            self.tables.offsets.commit("G", topic, 1, 7)
        self.tables.groups.find("New")

    def clone(self, **more: Any) -> dict[str, dict[int, int]]:
        """Copy, and return what the other group has."""
        request = CloneGroupOffsets("G", "New", **more)
        self.successResultOf(maybeDeferred(self.ask, request))
        return self.tables.offsets.of_group("New")

    def test_all_topics(self) -> None:
        """All topics are copied but that of the messages that were sent back."""
        self.assertEqual(self.clone(topic=""), {"T": {1: 7}, "Other": {1: 7}})

    def test_one_topic(self) -> None:
        """Only the topic asked for is copied."""
        self.assertEqual(self.clone(topic="T"), {"T": {1: 7}})

    def test_online(self) -> None:
        """What the members do not subscribe to is left out, unless asked for."""
        self.tables.clients.register_consumer(
            "G",
            client_of(Peer(), self.clock.seconds()),
            consume_type=None,
            message_model=None,
            consume_from=None,
            subscriptions=[Subscription("T", "*")],
        )
        self.assertEqual(self.clone(), {"T": {1: 7}})
        self.assertEqual(set(self.clone(offline=True)), {"T", "Other"})

    def test_unknown_group(self) -> None:
        """A group that does not exist gets no offsets."""
        response = self.ask(CloneGroupOffsets("G", "Gone"))
        self.assertEqual(response.status, 26)
