"""Tests of :mod:`rocketmq_tw.namesrv.views`."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import (
    FLAG_UNIT,
    FLAG_UNIT_SUB,
    SYNC_BROKER_MEMBER_PREFIX,
    TopicConfig,
)
from rocketmq_tw.namesrv import views
from rocketmq_tw.namesrv.live import BrokerKey
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.wire.bodies.route import STRICT_SINCE
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from tests.fuzz.cost import measure

from .fixtures import CLUSTER, MASTER, REPLICA, broker, replica


class ViewTests(SynchronousTestCase):
    """What clients see."""

    def setUp(self) -> None:
        """Make a table whose changes drop the texts."""
        self.texts = views.RouteTexts(self.find)
        self.table = RouteTable(self.texts.forget)
        self.looked_up = 0

    def find(self, topic: str) -> TopicRoute | None:
        """Count how often a route is put together."""
        self.looked_up += 1
        return views.route_of(self.table, topic)

    def test_strict_text(self) -> None:
        """New clients get strict JSON, compact and in ASCII."""
        self.table.register(broker("A", "B", cluster="Größe"), 0.0)
        self.assertEqual(
            self.texts.get("A", 401, False),
            b'{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"'
            b'broker-a","cluster":"Gr\\u00F6\\u00DFe","enableActingMaster":false}],'
            b'"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,'
            b'"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}',
        )

    def test_lenient_text(self) -> None:
        """Old ones get bare ids, unless they ask for strict JSON."""
        self.table.register(broker("A", "B"), 0.0)
        self.assertIn(b'{0:"10.0.0.1:10911"}', self.texts.get("A", 400, False) or b"")
        self.assertIn(b'{"0":"10.0.0.1:10911"}', self.texts.get("A", 0, True) or b"")

    def test_both_texts(self) -> None:
        """Clients of both ages get theirs, whoever asks first."""
        self.table.register(broker("A", "B"), 0.0)
        strict, lenient = STRICT_SINCE, STRICT_SINCE - 1
        for versions in ((strict, lenient), (lenient, strict)):
            self.texts.forget(None)
            for version in versions:
                key = b'{"0":' if version == strict else b"{0:"
                self.assertIn(key, self.texts.get("A", version, False) or b"")

    def test_one_is_discarded(self) -> None:
        """The texts of other topics stay."""
        self.table.register(broker("A", "B"), 0.0)
        for topic in ("A", "B"):
            self.texts.get(topic, 479, False)
        self.texts.forget("A")
        self.texts.get("B", 479, False)
        self.assertEqual(self.looked_up, 2)
        self.texts.get("A", 479, False)
        self.assertEqual(self.looked_up, 3)

    def test_few_are_kept(self) -> None:
        """All are discarded before they have more bytes than are kept."""
        self.table.register(broker("A", "B", "C"), 0.0)
        texts = views.RouteTexts(self.find, kept_bytes=1700)
        for topic in ("A", "B", "A", "B"):
            texts.get(topic, 479, False)
        self.assertEqual(self.looked_up, 2)
        texts.get("C", 479, False)
        self.assertEqual(self.looked_up, 3)
        texts.get("C", 479, False)
        self.assertEqual(self.looked_up, 3)
        self.assertLess(texts.size, 1700 // 2)
        texts.forget("C")
        self.assertEqual(texts.size, 0)

    def test_large_one_is_not_kept(self) -> None:
        """One that is larger than all together may be is made each time."""
        self.table.register(broker("A", "B"), 0.0)
        texts = views.RouteTexts(self.find, kept_bytes=100)
        for _ in range(2):
            self.assertIsNotNone(texts.get("A", 479, False))
        self.assertEqual((self.looked_up, texts.size), (2, 0))

    def test_text_is_kept(self) -> None:
        """A text is made once until something changes."""
        self.table.register(broker("A", "B"), 0.0)
        for _ in range(3):
            self.texts.get("A", 479, False)
        self.assertEqual(self.looked_up, 1)
        self.table.wipe_write("broker-a")
        self.assertIn(b'"perm":4', self.texts.get("A", 479, False) or b"")
        self.table.register(replica("A", "B"), 0.0)
        self.assertIn(REPLICA.encode(), self.texts.get("A", 479, False) or b"")

    def test_unknown(self) -> None:
        """Nobody's topic has no route, until someone registers it."""
        self.assertIsNone(self.texts.get("A", 479, False))
        self.table.register(broker("A", "B"), 0.0)
        self.assertIsNotNone(self.texts.get("A", 479, False))

    def test_acting_master(self) -> None:
        """A replica is listed as master where that is enabled and allowed."""
        self.table.register(replica("A", "B", acting_master=True), 0.0)
        plain = views.route_of(self.table, "A")
        acting = views.route_of(self.table, "A", acting=True)
        assert plain is not None and acting is not None
        self.assertEqual(plain.broker_datas[0].broker_addrs, {1: REPLICA})
        self.assertEqual(acting.broker_datas[0].broker_addrs, {0: REPLICA})

    def addrs(self, topic: str = "A") -> dict[int, str]:
        """Give the addresses in a route with acting masters."""
        route = views.route_of(self.table, topic, acting=True)
        assert route is not None
        return route.broker_datas[0].broker_addrs

    def test_no_acting_master(self) -> None:
        """No replica acts where there is a master, or where it does not support it."""
        self.table.register(broker("A", "B", acting_master=True), 0.0)
        self.table.wipe_write("broker-a")
        self.assertEqual(self.addrs(), {0: MASTER})
        self.table.register(replica("A", "B"), 0.0)
        self.table.unregister(BrokerKey(CLUSTER, MASTER), "broker-a")
        self.assertEqual(self.addrs(), {1: REPLICA})

    def test_acting_master_of_what_is_written_to(self) -> None:
        """No replica acts for a topic that can be written to, nor for its own."""
        own = SYNC_BROKER_MEMBER_PREFIX + "broker-a"
        self.table.register(replica("A", own, acting_master=True), 0.0)
        self.assertEqual(self.addrs(own), {1: REPLICA})
        self.assertEqual(self.addrs(), {0: REPLICA})
        self.table.add_write("broker-a")
        self.assertEqual(self.addrs(), {1: REPLICA})

    def test_members_of_two_clusters(self) -> None:
        """A name that stands in two clusters has a route all the same."""
        self.table.register(broker("A", "B"), 0.0)
        self.table.register(replica("A", "B", cluster="Other"), 0.0)
        route = views.route_of(self.table, "A")
        assert route is not None
        addrs = route.broker_datas[0].broker_addrs
        self.assertEqual(addrs, {0: MASTER, 1: REPLICA})

    def test_mapping(self) -> None:
        """A static topic's route has its mapping."""
        info = {"bname": "broker-a", "topic": "A"}
        table = TopicConfigAndMappingTable(
            {"A": TopicConfig("A"), "B": TopicConfig("B")},
            topic_queue_mapping_info_map={"A": info},
        )
        self.table.register(broker(topics=table), 0.0)
        route = views.route_of(self.table, "A")
        assert route is not None
        self.assertEqual(route.topic_queue_mapping_by_broker, {"broker-a": info})

    def test_filter_servers(self) -> None:
        """The filter servers of a broker are listed by its address."""
        self.table.register(broker("A", "B", filter_servers=("f:1",)), 0.0)
        route = views.route_of(self.table, "A")
        assert route is not None
        self.assertEqual(route.filter_server_table, {MASTER: ("f:1",)})

    def test_zone(self) -> None:
        """Other zones are left out, but for brokers without master."""
        self.table.register(broker("A", "B", zone_name="East"), 0.0)
        west = broker("A", "B", broker_name="b", broker_addr="b:1", zone_name="west")
        self.table.register(west, 0.0)
        lone = broker(broker_name="c", broker_addr="c:1", broker_id=1)
        self.table.register(lone, 0.0)
        queues = views.route_of(self.table, "A").queue_datas  # type: ignore[union-attr]
        self.table.add_topic("A", [msgspec.structs.replace(queues[0], broker_name="c")])
        route = views.in_zone(self.find("A"), "east")  # type: ignore[arg-type]
        names = [data.broker_name for data in route.broker_datas]
        self.assertEqual(names, ["broker-a", "c"])
        self.assertEqual([data.broker_name for data in route.queue_datas], names)

    def test_filter_servers_of_a_zone(self) -> None:
        """Those of other zones are left out, and those of no zone."""
        for name, zone in (("e", "east"), ("w", "west"), ("n", None)):
            one = broker(
                *("A", "B"),
                broker_name=name,
                broker_addr=f"{name}:1",
                zone_name=zone,
                filter_servers=(f"{name}:2",),
            )
            self.table.register(one, 0.0)
        route = views.in_zone(self.find("A"), "east")  # type: ignore[arg-type]
        self.assertEqual(route.filter_server_table, {"e:1": ("e:2",)})

    def test_lists(self) -> None:
        """Topics have a cluster; cluster and broker names are topics too."""
        self.table.register(broker("A", "B"), 0.0)
        self.assertTrue(views.of_cluster(self.table, "DefaultCluster")("A"))
        self.assertFalse(views.of_cluster(self.table, "DefaultCluster")("X"))
        self.assertFalse(views.of_cluster(self.table, "X")("A"))
        system = views.system_topics(self.table)
        self.assertEqual(system.topic_list, ("DefaultCluster", "broker-a"))
        self.assertEqual(system.broker_addr, MASTER)
        later = broker("A", "B", broker_name="z", broker_addr=REPLICA)
        self.table.register(later, 0.0)
        self.assertEqual(views.system_topics(self.table).broker_addr, MASTER)

    def test_cost_of_a_cluster(self) -> None:
        """Brokers of other clusters are hardly looked at, and few of its own."""
        for number in range(300):
            name = f"b-{number}"
            self.table.register(
                broker("A", "B", "C", broker_name=name, broker_addr=f"{name}:1"), 0.0
            )
        for cluster, work in ((CLUSTER, 100), ("other", 4 * 3 * 300)):
            holds = views.of_cluster(self.table, cluster)
            cost, _ = measure(lambda holds=holds: [holds(name) for name in "ABC"])
            self.assertLess(cost.work, work)

    def test_unit_lists(self) -> None:
        """Topics are listed by their flags."""
        both = FLAG_UNIT | FLAG_UNIT_SUB
        flags = {"plain": 0, "unit": FLAG_UNIT, "sub": FLAG_UNIT_SUB, "both": both}
        configs = {n: TopicConfig(n, topic_sys_flag=f) for n, f in flags.items()}
        self.table.register(broker(topics=TopicConfigAndMappingTable(configs)), 0.0)
        tests = [
            views.flagged(self.table, FLAG_UNIT),
            views.flagged(self.table, FLAG_UNIT_SUB),
            views.flagged(self.table, FLAG_UNIT_SUB, FLAG_UNIT),
        ]
        names = ("both", "plain", "sub", "unit", "unknown")
        self.assertEqual(
            [[name for name in names if test(name)] for test in tests],
            [["both", "unit"], ["both", "sub"], ["sub"]],
        )
