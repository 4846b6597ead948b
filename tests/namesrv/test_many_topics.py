"""Tests of brokers with many topics: what holds between two steps of the work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.errors import TableFull
from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.namesrv.topic_queues import STEP
from rocketmq_tw.namesrv.views import route_of
from rocketmq_tw.wire.bodies.dataversion import DataVersion

from .fixtures import (
    CLUSTER,
    MASTER,
    REPLICA,
    Served,
    broker,
    registration,
    replica,
)

KEY = BrokerKey(CLUSTER, MASTER)
COUNT = 2 * STEP + 500
NAMES = [f"T{number:05d}" for number in range(COUNT)]


class StepsTests(SynchronousTestCase):
    """A table whose work is done step by step."""

    def setUp(self) -> None:
        """Make the table; work that it starts by itself is kept."""
        self.works: list[Iterator[None]] = []
        self.table = RouteTable(
            lambda topic: None, lambda name, steps: self.works.append(steps)
        )

    def known(self) -> int:
        """Count the topics that have a route."""
        return sum(route_of(self.table, name) is not None for name in NAMES)

    def version(self) -> DataVersion:
        """Return the version of the broker's topics that is known."""
        live = self.table.live.get(KEY)
        assert live is not None
        return live.version

    def test_first_registration(self) -> None:
        """Topics appear step by step; the version counts when all are there."""
        steps = self.table.registering(broker(*NAMES), 0.0)
        for done in (1, 2):
            next(steps)
            self.assertEqual(self.known(), done * STEP)
            self.assertEqual(self.version(), DataVersion(-1, -1))
        self.assertEqual(list(steps), [])
        self.assertEqual(self.known(), COUNT)
        self.assertEqual(self.version(), DataVersion(1700, 1))

    def test_change(self) -> None:
        """All topics keep a route meanwhile, the old one or the new one."""
        self.table.register(broker(*NAMES), 0.0)
        steps = self.table.registering(broker(*NAMES, "New", version=2), 1.0)
        for _ in steps:
            self.assertEqual(self.known(), COUNT)
            self.assertEqual(self.version(), DataVersion(1700, 1))
        self.assertEqual(self.version(), DataVersion(1700, 2))

    def test_lost_meanwhile(self) -> None:
        """A broker that is lost between two steps leaves nothing."""
        steps = self.table.registering(broker(*NAMES), 0.0)
        next(steps)
        self.table.unregister(KEY, "broker-a")
        self.assertEqual(list(steps), [])
        for work in self.works:
            list(work)
        self.assertEqual((self.table.queues, self.table.groups), ({}, {}))

    def test_gone(self) -> None:
        """No route leads to a broker that is gone, before its queues are removed."""
        self.table.register(broker(*NAMES), 0.0)
        self.table.unregister(KEY, "broker-a")
        self.assertEqual((self.known(), self.table.size), (0, 0))
        [work] = self.works
        self.assertEqual(len(list(work)), 2)
        self.assertEqual(self.table.queues, {})

    def test_came_back(self) -> None:
        """What a broker registered again is not removed with what it had before."""
        self.table.register(broker(*NAMES), 0.0)
        self.table.unregister(KEY, "broker-a")
        self.table.register(broker(*NAMES[:10]), 1.0)
        self.assertEqual(self.known(), 10)
        list(self.works[0])
        self.assertEqual(sorted(self.table.queues), NAMES[:10])

    def test_permissions(self) -> None:
        """They are changed in steps, and no more once the broker is gone."""
        self.table.register(broker(*NAMES), 0.0)
        self.assertEqual(self.table.wipe_write("broker-a"), COUNT)
        [work] = self.works
        next(work)
        perms = [self.table.queues[name]["broker-a"].perm for name in NAMES]
        self.assertEqual(perms.count(4), STEP)
        self.table.unregister(KEY, "broker-a")
        self.assertEqual(list(work), [])

    def parts(self, *parts: tuple[str | None, list[str]]) -> set[str]:
        """Register parts of a table, of which others are forgotten; return what is."""
        for version, (part, names) in enumerate(parts, 2):
            made = broker(*names, version=version, part=part)
            self.table.register(made, 0.0, forget=True)
        return set(self.table.queues)

    def test_parts(self) -> None:
        """Topics that no part of the table has are removed with the last part."""
        self.table.register(broker("A", "B", "C", "Old"), 0.0)
        first, changes, last = ["A", "B"], ["New"], ["C"]
        self.assertIn("Old", self.parts(("first", first), ("changes", changes)))
        self.assertEqual(self.parts(("last", last)), {"A", "B", "C", "New"})

    def test_changes_remove_nothing(self) -> None:
        """Only deleted topics are removed when changes are registered."""
        self.table.register(broker("A", "B", "C"), 0.0)
        self.assertEqual(self.parts(("changes", ["D"])), set("ABCD"))
        gone = broker(version=9, part="changes", deleted_topics=("A", "X"))
        self.table.register(gone, 0.0, forget=True)
        self.assertEqual(set(self.table.queues), set("BCD"))

    def test_deleted(self) -> None:
        """A topic that a broker has deleted loses its route there."""
        self.table.register(broker("A", "B"), 0.0)
        other = {"broker_name": "b", "broker_addr": REPLICA}
        self.table.register(broker("A", "B", **other), 0.0)
        gone = broker(version=9, part="changes", deleted_topics=("A",))
        self.table.register(gone, 0.0)
        self.assertEqual(list(self.table.queues_of("A")), ["b"])


class LimitTests(SynchronousTestCase):
    """Limits of topics and brokers."""

    def setUp(self) -> None:
        """Make a table for four topics and two brokers."""
        self.table = RouteTable(lambda topic: None, max_topics=4, max_brokers=2)
        self.table.register(broker("A", "B", "C"), 0.0)

    def refused(self, setting: str, registered: Any) -> None:
        """Expect a registration to exceed a limit."""
        error = self.assertRaises(TableFull, self.table.register, registered, 0.0)
        self.assertIn(setting, str(error))

    def test_topics(self) -> None:
        """A registration with too many topics changes nothing, whose ever it is."""
        self.refused("maxTopics (4)", broker("A", "D", "E", version=2))
        other = {"broker_name": "b", "broker_addr": REPLICA}
        self.refused("maxTopics (4)", broker("A", "B", **other))
        self.assertEqual(self.table.size, 3)
        self.table.register(broker("A", "B", "C", "D", version=2), 0.0)
        self.table.register(broker("A", "B", "C", version=3), 0.0)
        self.assertEqual(self.table.refused, 2)

    def test_brokers(self) -> None:
        """One broker more than the limit is refused; the others may register."""
        self.table.register(replica("A", "B"), 0.0)
        more = {"broker_id": 2, "broker_addr": "10.0.0.3:10911"}
        self.refused("maxBrokers (2)", replica("A", "B", **more))
        self.table.register(broker("A", "B", "C", version=2), 0.0)


class ServedTests(Served):
    """A broker with many topics at a running name server."""

    def test_order(self) -> None:
        """A small registration behind a large one counts last."""
        large = self.pool.call(self.node.address, registration(*NAMES))
        small = self.pool.call(self.node.address, registration("A", "B", zone_name="z"))
        self.cluster.advance()
        self.successResultOf(large)
        self.successResultOf(small)
        self.assertEqual(self.service.table.groups["broker-a"].zone_name, "z")
        self.assertEqual(self.service.table.size, COUNT + 2)
