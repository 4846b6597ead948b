"""What a send needs to know of its topic."""

from __future__ import annotations

from rocketmq_tw.broker.send.retries import RetryRules
from rocketmq_tw.broker.send.targets import Target, Targets
from rocketmq_tw.remoting.errors import Refused
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent
from tests.broker.doubles import call_from


class TargetsTests(BrokerCase):
    """Finding targets, and keeping them."""

    def start(self) -> None:
        """Make the targets of the broker's topics."""
        super().start()
        tables = self.tables
        retries = RetryRules(
            topics=tables.topics,
            groups=tables.groups,
            is_locked=tables.locks.is_locked,
            progress=tables.progress,
        )
        self.targets = Targets(
            config=self.broker.config, topics=tables.topics, retries=retries
        )

    def find(self, topic: str = TOPIC, **fields: object) -> Target:
        """Find a target."""
        return self.targets.find(sent(topic, **fields), call_from(self.peer, 0.0))

    def test_queues(self) -> None:
        """Ids below the larger number are legal, those to write are chosen from."""
        self.topic(queues=4)
        self.assertEqual(self.find(), Target(TOPIC.encode(), 4, 4))

    def test_kept_until_the_topic_changes(self) -> None:
        """A target is kept until its own topic is changed or deleted."""
        self.topic(queues=4)
        target = self.find()
        self.topic("Other")
        self.assertIs(self.targets.known[TOPIC], target)
        self.topic(queues=8)
        self.assertEqual(self.targets.known, {})
        self.find()
        self.tables.topics.delete(TOPIC)
        self.assertEqual(self.targets.known, {})

    def test_retries_are_not_kept(self) -> None:
        """Where a retried message goes depends on the message."""
        self.assertFalse(self.find(f"%RETRY%{GROUP}").is_dead_letter)
        dead = self.find(f"%RETRY%{GROUP}", reconsume_times=99)
        self.assertEqual((dead.topic, dead.is_dead_letter), (b"%DLQ%GroupTest", True))
        self.assertEqual(self.targets.known, {})


class ChooseQueueTests(BrokerCase):
    """Queue ids that cannot be taken as they are."""

    def test_left_to_the_broker(self) -> None:
        """A negative id, and any for a dead letter, is chosen among those to write."""
        self.assertIn(Target(b"T", 8, 2).choose_queue(-1), (0, 1))
        self.assertEqual(Target(b"T", 1, 1, True).choose_queue(7), 0)

    def test_refused(self) -> None:
        """An id that is not there is refused, and any where no queue is written."""
        for target, queue_id in ((Target(b"T", 4, 4), 4), (Target(b"T", 4, 0), -1)):
            error = self.assertRaises(Refused, target.choose_queue, queue_id)
            self.assertIn(f"queueId[{queue_id}]", error.remark)
