"""Tests of the queues of topics."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.route import QueueData
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE
from rocketmq_tw.namesrv.errors import TableFull
from rocketmq_tw.namesrv.groups import BrokerGroup
from rocketmq_tw.namesrv.topic_queues import STEP, TopicQueues, in_steps
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire import fastjson

from .fixtures import broker, topics


class TopicQueuesTests(SynchronousTestCase):
    """Two groups, with a topic each and one of both."""

    def setUp(self) -> None:
        """Set the queues."""
        self.changed: list[str | None] = []
        self.groups = {name: BrokerGroup("C", name) for name in ("a", "b")}
        self.topics = TopicQueues(self.groups, self.changed.append)
        for name, topic in (("a", "A"), ("a", "Both"), ("b", "B"), ("b", "Both")):
            self.topics.set(self.groups[name], topic, self.data(name))

    def data(self, name: str, perm: int = PERM_READ | PERM_WRITE) -> QueueData:
        """Return the queues of a group."""
        return QueueData(name, 4, 4, perm, 0)

    def test_set(self) -> None:
        """Each change is reported, and each topic of each group counts once."""
        self.assertEqual(self.changed, ["A", "Both", "B", "Both"])
        self.topics.set(self.groups["a"], "A", self.data("a"))
        self.assertEqual((len(self.changed), self.topics.size), (4, 4))
        self.assertEqual(self.topics.queues["Both"].keys(), {"a", "b"})

    def test_discard(self) -> None:
        """The topic of the other group stays."""
        self.topics.discard(self.groups["a"], "Both")
        self.topics.discard(self.groups["a"], "A")
        self.assertEqual(
            self.topics.queues, {t: {"b": self.data("b")} for t in ("B", "Both")}
        )
        self.assertEqual((self.topics.size, self.groups["a"].topics), (2, set()))

    def test_gone(self) -> None:
        """Topics that the group has again, when it came back, are left alone."""
        gone = self.groups.pop("a")
        back = self.groups["a"] = BrokerGroup("C", "a")
        self.topics.set(back, "A", self.data("a"))
        all_at_once(self.topics.drop(gone))
        self.assertEqual(self.topics.size, 3)
        self.assertEqual(self.topics.queues["A"].keys(), {"a"})
        self.assertEqual(self.topics.queues["Both"].keys(), {"b"})

    def test_permissions(self) -> None:
        """They are changed for all topics of one group."""
        all_at_once(self.topics.set_perms(self.groups["a"], lambda _: PERM_READ))
        both = self.topics.queues["Both"]
        self.assertEqual((both["a"].perm, both["b"].perm), (PERM_READ, 6))

    def test_registered(self) -> None:
        """A registration sets its topics, and removes others if it has all."""
        group = self.groups["a"]
        registration = broker("A", "New", broker_name="a")
        all_at_once(self.topics.registering(group, registration, True, {"A", "New"}))
        self.assertEqual(group.topics, {"A", "New"})
        self.assertEqual(self.topics.size, 4)

    def test_registered_in_steps(self) -> None:
        """No step does much: for mappings, for deleted topics, for those not named."""
        names = [f"topic-{number}" for number in range(5 * STEP)]
        maps = {name: {"bname": "a", "topic": name} for name in names}
        table = msgspec.structs.replace(
            topics(*names), topic_queue_mapping_info_map=maps
        )
        group = self.groups["a"]
        for registration, whole in (
            (broker(broker_name="a", topics=table), None),
            (broker(broker_name="a", deleted_topics=tuple(names[STEP:])), None),
            (broker("A", broker_name="a"), {"A"}),
        ):
            self.changed.clear()
            largest = before = 0
            for _ in self.topics.registering(group, registration, True, whole):
                largest = max(largest, len(self.changed) - before)
                before = len(self.changed)
            largest = max(largest, len(self.changed) - before)
            self.assertLessEqual(largest, 2 * STEP)
        self.assertEqual((group.topics, self.topics.mappings), ({"A"}, {}))

    def test_mappings_are_limited(self) -> None:
        """They count as JSON, as long as there are any, and each once."""
        info = {"bname": "a", "topic": "A"}
        size = len(fastjson.dumps(info))
        group, table = self.groups["a"], topics("A")
        self.topics = TopicQueues(self.groups, self.changed.append, size)
        mapped = msgspec.structs.replace(
            table, topic_queue_mapping_info_map={"A": info}
        )
        for _ in range(2):
            steps = self.topics.registering(
                group, broker(broker_name="a", topics=mapped), True, None
            )
            all_at_once(steps)
            self.assertEqual(self.topics.mappings_size, size)
        longer = {**info, "x": 1}
        table = msgspec.structs.replace(
            table, topic_queue_mapping_info_map={"A": longer}
        )
        steps = self.topics.registering(
            group, broker(broker_name="a", topics=table), True, None
        )
        self.assertRaises(TableFull, all_at_once, steps)
        self.assertEqual(
            (self.topics.mappings["A"]["a"], self.topics.refused), (info, 1)
        )
        self.topics.discard(group, "A")
        self.assertEqual(self.topics.mappings_size, 0)

    def test_steps(self) -> None:
        """A step ends after so many items, and not behind the last."""
        for count, steps in ((0, 0), (STEP, 0), (STEP + 1, 1), (3 * STEP, 2)):
            found = list(in_steps(range(count)))
            self.assertEqual(found.count(None), steps)
            self.assertEqual(len(found) - steps, count)
