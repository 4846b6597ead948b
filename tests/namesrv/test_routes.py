"""Tests of :mod:`rocketmq_tw.namesrv.routes` and :mod:`rocketmq_tw.namesrv.live`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.route import QueueData
from rocketmq_tw.namesrv.errors import RegistrationRefused, TableFull
from rocketmq_tw.namesrv.live import BrokerKey, LiveBroker
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.namesrv.topic_queues import STEP
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from tests.fuzz.cost import measure

from .fixtures import CLUSTER, MASTER, REPLICA, broker, replica, topics

KEY = BrokerKey(CLUSTER, MASTER)


def gone(steps: Iterator[LiveBroker | None]) -> list[LiveBroker]:
    """Take all steps, and return the brokers that are removed."""
    return [live for live in steps if live is not None]


class RouteTableTests(SynchronousTestCase):
    """Brokers come and go, and their topics with them."""

    def setUp(self) -> None:
        """Make an empty table that notes what changes."""
        self.changed: list[str | None] = []
        self.table = RouteTable(self.changed.append)

    def perm(self, topic: str = "A") -> int:
        """Look at the permissions of broker-a's queues."""
        return self.table.queues[topic]["broker-a"].perm

    def test_register(self) -> None:
        """The topics of a new master are known, and all routes have changed."""
        self.table.register(broker("A", "B"), 0.0)
        self.assertEqual(
            self.table.queues["A"], {"broker-a": QueueData("broker-a", 8, 8, 6)}
        )
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: MASTER})
        self.assertEqual(self.changed, [None, "A", "B"])

    def test_single_topic_refused(self) -> None:
        """A broker that is not known may not begin with a single topic."""
        self.assertRaises(RegistrationRefused, self.table.register, broker("A"), 0.0)
        self.assertEqual((self.table.groups, self.table.queues), ({}, {}))
        self.assertIsNone(self.table.live.get(KEY))

    def test_single_topic_added(self) -> None:
        """One that is known adds a topic by naming only that; the others stay."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(broker("C", version=2), 0.0)
        self.assertEqual(sorted(self.table.queues), ["A", "B", "C"])

    def test_no_topics(self) -> None:
        """A broker may have no topics yet."""
        self.table.register(broker(), 0.0)
        self.assertIn("broker-a", self.table.groups)

    def test_nothing_new(self) -> None:
        """The same again changes nothing."""
        self.table.register(broker("A", "B"), 0.0)
        self.changed.clear()
        self.table.register(broker("A", "B"), 30.0)
        self.assertEqual(self.changed, [])
        self.table.register(broker("A", "B", version=2), 60.0)
        self.assertEqual(self.changed, [])

    def test_equal_queues_are_kept_once(self) -> None:
        """Topics with the same queues share one value, as there may be many."""
        self.table.register(broker("A", "B"), 0.0)
        first, second = (self.table.queues[name]["broker-a"] for name in "AB")
        self.assertIs(first, second)

    def test_same_version_is_not_taken(self) -> None:
        """Known topics are looked at only when the version has changed."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.wipe_write("broker-a")
        self.table.register(broker("A", "B"), 1.0)
        self.assertEqual(self.perm(), 4)
        self.table.register(broker("A", "B", version=2), 2.0)
        self.assertEqual(self.perm(), 6)

    def test_forget(self) -> None:
        """Topics that are no longer named can be dropped."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(broker("B", "C", version=2), 0.0, forget=True)
        self.assertEqual(sorted(self.table.queues), ["B", "C"])
        self.assertEqual(self.table.groups["broker-a"].topics, {"B", "C"})
        self.assertEqual(self.table.wipe_write("broker-a"), 2)

    def test_mappings(self) -> None:
        """Mappings of static topics are kept as they came, and go with the broker."""
        info = {"bname": "broker-a", "topic": "A", "totalQueues": 2}
        configs = topics("A", "B").topic_config_table
        table = TopicConfigAndMappingTable(
            configs, topic_queue_mapping_info_map={"A": info}
        )
        self.table.register(broker(topics=table), 0.0)
        self.assertEqual(self.table.mappings, {"A": {"broker-a": info}})
        self.table.unregister(KEY, "broker-a")
        self.assertEqual(self.table.mappings, {})

    def test_replica(self) -> None:
        """A replica is listed; its topics do not count."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(replica("C", "D"), 0.0)
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: MASTER, 1: REPLICA})
        self.assertNotIn("C", self.table.queues)

    def test_acting_master(self) -> None:
        """The topics of the lowest replica count if it knows it may act, to be read."""
        self.table.register(replica("A", "B", acting_master=True), 0.0)
        self.assertEqual(self.perm(), 4)

    def test_prime_replica(self) -> None:
        """One that knows, but may not, is believed as it is."""
        self.table.register(replica("A", "B", acting_master=False), 0.0)
        self.assertEqual(self.perm(), 6)

    def test_master_leaves_acting_replica(self) -> None:
        """With the master gone, its topics can only be read; its return undoes that."""
        self.table.register(broker("A", "B", acting_master=True), 0.0)
        self.table.register(replica("A", "B", acting_master=True), 0.0)
        self.table.unregister(KEY, "broker-a")
        self.assertEqual(self.perm(), 4)
        self.table.register(broker("A", "B", acting_master=True), 0.0)
        self.assertEqual(self.perm(), 6)

    def test_promoted(self) -> None:
        """A broker is listed under one id only."""
        self.table.register(replica("A", "B"), 0.0)
        self.table.register(broker("A", "B", broker_addr=REPLICA), 0.0)
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: REPLICA})

    def test_id_taken_over(self) -> None:
        """A second master takes the first one's place; the loss of that is nothing."""
        self.table.register(broker("A", "B", connection="first"), 0.0)
        self.table.register(broker("A", "B", broker_addr=REPLICA), 0.0)
        self.changed.clear()
        gone(self.table.connection_lost("first"))
        self.assertEqual(self.changed, [])
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: REPLICA})
        self.assertIn("A", self.table.queues)

    def test_older_state_ignored(self) -> None:
        """A master of an older epoch does not take the place of a newer one."""
        self.table.register(broker("A", "B", state=2), 0.0)
        self.table.register(broker("A", "B", state=1, broker_addr=REPLICA), 0.0)
        self.assertEqual(self.table.groups["broker-a"].addrs, {0: MASTER})
        self.assertIsNone(self.table.live.get(BrokerKey(CLUSTER, REPLICA)))

    def test_renamed(self) -> None:
        """A broker that comes back by another name is known by that alone."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(broker("A", "B", broker_name="broker-z"), 0.0)
        self.assertEqual(list(self.table.groups), ["broker-z"])
        self.assertEqual(list(self.table.queues["A"]), ["broker-z"])

    def test_renamed_with_a_single_topic(self) -> None:
        """A refused registration leaves the broker that has the address as it is."""
        self.table.register(broker("A", "B"), 0.0)
        named = broker("C", broker_name="broker-z")
        self.assertRaises(RegistrationRefused, self.table.register, named, 0.0)
        self.assertEqual(list(self.table.groups), ["broker-a"])
        self.assertEqual(sorted(self.table.queues), ["A", "B"])

    def test_unregister(self) -> None:
        """The last of a name takes its topics along."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(replica("A", "B"), 0.0)
        self.assertTrue(self.table.unregister(KEY, "broker-a"))
        self.assertIn("A", self.table.queues)
        self.assertTrue(self.table.unregister(BrokerKey(CLUSTER, REPLICA), "broker-a"))
        self.assertEqual((self.table.groups, self.table.queues), ({}, {}))
        self.assertFalse(self.table.unregister(KEY, "broker-a"))

    def test_connection_lost(self) -> None:
        """All brokers that came by a connection go with it, and no others."""
        self.table.register(broker("A", "B", connection=1), 0.0)
        other = broker(
            "A", "B", connection=1, broker_name="broker-b", broker_addr=REPLICA
        )
        self.table.register(other, 0.0)
        third = broker("A", "B", connection=2, broker_name="c", broker_addr="c:1")
        self.table.register(third, 0.0)
        self.assertEqual(len(gone(self.table.connection_lost(1))), 2)
        self.assertEqual(list(self.table.groups), ["c"])
        self.assertEqual(gone(self.table.connection_lost(1)), [])

    def many(self, count: int) -> None:
        """Register brokers over one connection."""
        for n in range(count):
            named = broker(
                "A", "B", connection=1, broker_name=f"b-{n}", broker_addr=f"h:{n}"
            )
            self.table.register(named, 0.0)

    def test_many_lost(self) -> None:
        """Thousands go in steps; one that comes back meanwhile stays."""
        self.many(3000)
        steps, counts = self.table.connection_lost(1), [0]
        for live in steps:
            if live is not None:
                counts[-1] += 1
                continue
            counts.append(0)
            if len(counts) == 2:
                back = broker(
                    "A", "B", connection=2, broker_name="b-999", broker_addr="h:999"
                )
                self.table.register(back, 0.0)
        self.assertEqual(list(self.table.groups), ["b-999"])
        self.assertLessEqual(max(counts), STEP // 10)
        self.assertEqual(sum(counts), 2999)

    def test_size(self) -> None:
        """The number of topics is right whatever happens to brokers and topics."""
        second = broker("A", "C", broker_name="b", broker_addr=REPLICA)
        for work, size in (
            (lambda: self.table.register(broker("A", "B"), 0.0), 2),
            (lambda: self.table.register(broker("A", "B", version=2), 0.0), 2),
            (lambda: self.table.register(second, 0.0), 4),
            (lambda: self.table.delete_topic("A"), 2),
            (lambda: self.table.register(broker("A", version=3), 0.0, True), 2),
            (lambda: self.table.delete_topic("none"), 2),
            (lambda: self.table.unregister(KEY, "broker-a"), 1),
            (lambda: self.table.unregister(KEY, "broker-a"), 1),
        ):
            work()
            self.assertEqual(self.table.size, size)
            groups = self.table.groups.values()
            self.assertEqual(sum(len(group.topics) for group in groups), size)

    def test_counted_in_steps(self) -> None:
        """Whether topics are new is counted in steps, where they might be too many."""
        names = [f"topic-{number}" for number in range(3 * STEP)]
        table = RouteTable(self.changed.append, max_topics=3 * STEP)
        table.register(broker(*names), 0.0)
        known = table.live.get(KEY)
        steps = table.registering(broker(*names, version=2), 0.0)
        for _ in range(2):
            next(steps)
            self.assertIs(table.live.get(KEY), known)
        all_at_once(steps)
        self.assertIsNot(table.live.get(KEY), known)
        self.assertRaises(TableFull, table.register, broker(*names, "new"), 0.0)

    def test_cost_of_brokers(self) -> None:
        """What a broker costs that comes and goes does not grow with their number."""
        costs = []
        for count in (100, 400):
            come, _ = measure(partial(self.many, count))
            go, _ = measure(lambda: gone(self.table.connection_lost(1)))
            costs.append((come.work + go.work) / count)
        self.assertEqual((self.table.groups, self.table.size), ({}, 0))
        self.assertLess(costs[1], costs[0] * 1.2)

    def test_reconnected(self) -> None:
        """The loss of a connection that a broker no longer uses is nothing."""
        self.table.register(broker("A", "B", connection=1, fingerprint=7), 0.0)
        self.table.live.renew(KEY, 7, 2, 1.0)
        self.assertEqual(gone(self.table.connection_lost(1)), [])
        self.assertEqual(len(gone(self.table.connection_lost(2))), 1)

    def test_expire(self) -> None:
        """A broker is removed when no request came for longer than it allows."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(replica("A", "B", timeout=10.0), 0.0)
        self.assertEqual(gone(self.table.expire(10.0)), [])
        [live] = gone(self.table.expire(10.1))
        self.assertEqual(live.key, BrokerKey(CLUSTER, REPLICA))
        self.table.live.touch(KEY, 100.0)
        self.assertEqual(gone(self.table.expire(220.0)), [])
        self.assertEqual(len(gone(self.table.expire(220.1))), 1)
        self.assertEqual(self.table.queues, {})

    def test_delete_topic(self) -> None:
        """A topic is removed in one cluster or in all."""
        self.table.register(broker("A", "B"), 0.0)
        other = broker("A", "B", cluster="Other", broker_name="b", broker_addr=REPLICA)
        self.table.register(other, 0.0)
        self.changed.clear()
        self.table.delete_topic("A", "Other")
        self.assertEqual(self.changed, ["A"])
        self.assertEqual(list(self.table.queues["A"]), ["broker-a"])
        self.table.delete_topic("A")
        self.assertNotIn("A", self.table.queues)

    def test_delete_topic_of_a_broker_that_is_gone(self) -> None:
        """Its queues are still being removed, in steps: no harm is done."""
        later: list[Steps[None]] = []
        table = RouteTable(self.changed.append, lambda _, steps: later.append(steps))
        table.register(broker("A", "B"), 0.0)
        other = broker("A", "B", broker_name="b", broker_addr=REPLICA)
        table.register(other, 0.0)
        table.unregister(KEY, "broker-a")
        table.delete_topic("A")
        self.assertEqual(table.queues_of("A"), {})
        for steps in later:
            all_at_once(steps)
        self.assertEqual((list(table.queues), table.size), (["B"], 1))

    def test_deleted_topic_comes_back(self) -> None:
        """A broker that still has the topic registers it, even with nothing new."""
        self.table.register(broker("A", "B", fingerprint=7), 0.0)
        self.table.delete_topic("A")
        self.assertIsNone(self.table.live.renew(KEY, 7, None, 1.0))
        self.table.register(broker("A", "B"), 1.0)
        self.assertIn("A", self.table.queues)

    def test_renew(self) -> None:
        """The same registration again keeps the entry alive; another does not."""
        self.table.register(broker("A", "B", fingerprint=7), 0.0)
        self.assertIsNotNone(self.table.live.renew(KEY, 7, None, 50.0))
        self.assertIsNone(self.table.live.renew(KEY, 8, None, 90.0))
        self.assertEqual(gone(self.table.expire(170.0)), [])
        self.assertEqual(len(gone(self.table.expire(170.1))), 1)

    def test_group_change_needs_full_registration(self) -> None:
        """After a change in its group a broker is looked at in full."""
        self.table.register(broker("A", "B", fingerprint=7), 0.0)
        self.table.register(replica("A", "B", fingerprint=8), 0.0)
        self.assertIsNone(self.table.live.renew(KEY, 7, None, 1.0))

    def test_write_permission(self) -> None:
        """It is cleared and set for all topics of a broker."""
        self.table.register(broker("A", "B"), 0.0)
        self.assertEqual(self.table.wipe_write("broker-a"), 2)
        self.assertEqual(self.perm("B"), 4)
        self.assertEqual(self.table.add_write("broker-a"), 2)
        self.assertEqual(self.perm("B"), 6)
        self.assertEqual(self.table.wipe_write("nobody"), 0)
        self.assertEqual(self.table.add_write("nobody"), 0)

    def test_add_topic(self) -> None:
        """Queues of known brokers can be added; of others nothing is."""
        self.table.register(broker("A", "B"), 0.0)
        known, unknown = QueueData("broker-a", 1, 1, 6), QueueData("x", 1, 1, 6)
        self.assertFalse(self.table.add_topic("S", [known, unknown]))
        self.assertNotIn("S", self.table.queues)
        self.assertTrue(self.table.add_topic("S", [known]))
        self.assertIn("S", self.table.queues)
