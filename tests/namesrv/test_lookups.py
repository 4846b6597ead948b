"""Tests of :mod:`rocketmq_tw.namesrv.lookups`."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.model.route import QueueData, TopicRoute
from rocketmq_tw.wire.bodies.cluster import ClusterInfo
from rocketmq_tw.wire.bodies.route import decode_route, encode_route
from rocketmq_tw.wire.bodies.topics import TopicList
from rocketmq_tw.wire.requests.kvconfig import DeleteKVConfig, PutKVConfig
from rocketmq_tw.wire.requests.registration import WipeWritePermission
from rocketmq_tw.wire.requests.route import (
    DeleteTopicInNamesrv,
    GetAllTopics,
    GetClusterInfo,
    GetRoute,
    GetSystemTopics,
    GetTopicsByCluster,
    GetUnitSubTopics,
    GetUnitSubUnunitTopics,
    GetUnitTopics,
    RegisterTopicInNamesrv,
)

from .fixtures import CLUSTER, MASTER, Served


class LookupTests(Served):
    """Requests of clients."""

    def route(self, topic: str = "A", **more: Any) -> TopicRoute:
        """Ask for a route."""
        return decode_route(self.ask(GetRoute(topic, **more)).body)

    def listed(self, request: Any) -> tuple[str, ...]:
        """Ask for a list of topics."""
        return TopicList.decode(self.ask(request).body).topic_list

    def test_route(self) -> None:
        """A topic's route names its brokers and queues."""
        self.register("A", "B")
        route = self.route()
        self.assertEqual(route.broker_datas[0].broker_addrs, {0: MASTER})
        self.assertEqual(route.queue_datas, (QueueData("broker-a", 8, 8, 6),))
        self.assertIsNone(route.order_topic_conf)

    def test_no_route(self) -> None:
        """Nobody's topic does not exist."""
        code, remark = self.refused(GetRoute("A"))
        self.assertEqual(code, 17)
        self.assertIn("No topic route info in name server for the topic: A", remark)
        self.config.order_message_enable = True
        self.assertEqual(self.refused(GetRoute("A"))[0], 17)

    def test_not_ready(self) -> None:
        """For a while after the start no routes are given, if that is wanted."""
        self.register("A", "B")
        self.config.need_wait_for_service = True
        self.assertEqual(self.refused(GetRoute("A")), (1, "name server not ready"))
        self.clock.advance(45)
        self.route()

    def test_order(self) -> None:
        """Routes have the order configuration if that is enabled, and its changes."""
        self.register("A", "B")
        self.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "A", "broker-a:1"))
        self.assertIsNone(self.route().order_topic_conf)
        self.ask(DeleteKVConfig("ORDER_TOPIC_CONFIG", "A"))
        self.config.order_message_enable = True
        self.assertIsNone(self.route().order_topic_conf)
        self.ask(PutKVConfig("ORDER_TOPIC_CONFIG", "A", "broker-a:4"))
        self.assertEqual(self.route().order_topic_conf, "broker-a:4")
        self.ask(DeleteKVConfig("ORDER_TOPIC_CONFIG", "A"))
        self.assertIsNone(self.route().order_topic_conf)

    def test_zone(self) -> None:
        """A client can ask for the brokers of its zone."""
        self.register("A", "B", zone_name="east")
        far = self.route(zone_mode="true", zone_name="west")
        self.assertEqual(far.broker_datas, ())
        near = self.route(zone_mode="true", zone_name="east")
        self.assertEqual(len(near.broker_datas), 1)
        self.assertEqual(len(self.route(zone_name="west").broker_datas), 1)
        self.assertEqual(len(self.route(zone_mode="true").broker_datas), 1)
        far = self.route(zone_mode="false", zone_name="west")
        self.assertEqual(len(far.broker_datas), 1)

    def test_changes(self) -> None:
        """A route that was sent before is made again once it changed."""
        self.register("A", "B")
        self.assertEqual(self.route().queue_datas[0].perm, 6)
        self.ask(WipeWritePermission("broker-a"))
        self.assertEqual(self.route().queue_datas[0].perm, 4)

    def test_clusters(self) -> None:
        """Clusters and brokers are listed."""
        self.register("A", "B")
        info = ClusterInfo.decode(self.ask(GetClusterInfo()).body)
        self.assertEqual(list(info.broker_addr_table), ["broker-a"])

    def test_lists(self) -> None:
        """Topics are listed in all ways."""
        self.register("A", "B")
        self.assertEqual(self.listed(GetAllTopics()), ("A", "B"))
        self.assertEqual(self.listed(GetTopicsByCluster(CLUSTER)), ("A", "B"))
        self.assertEqual(self.listed(GetSystemTopics()), (CLUSTER, "broker-a"))
        for unit in (GetUnitTopics, GetUnitSubTopics, GetUnitSubUnunitTopics):
            self.assertEqual(self.listed(unit()), ())

    def test_lists_disabled(self) -> None:
        """Lists can be turned off."""
        self.config.enable_all_topic_list = self.config.enable_topic_list = False
        for request in (GetAllTopics(), GetTopicsByCluster(CLUSTER), GetUnitTopics()):
            self.assertEqual(self.refused(request), (1, "disable"))

    def test_delete_topic(self) -> None:
        """A topic is removed; one that nobody has is no error."""
        self.register("A", "B")
        self.ask(DeleteTopicInNamesrv("A", CLUSTER))
        self.ask(DeleteTopicInNamesrv("unknown"))
        self.assertEqual(self.listed(GetAllTopics()), ("B",))

    def test_register_topic(self) -> None:
        """A topic can be added for brokers that are known."""
        self.register("A", "B")
        route = TopicRoute(queue_datas=(QueueData("broker-a", 1, 1, 6),))
        self.ask(RegisterTopicInNamesrv("S", body=encode_route(route)))
        self.assertEqual(self.route("S").queue_datas[0].read_queue_nums, 1)
        self.ask(RegisterTopicInNamesrv("T"))
        self.assertEqual(self.refused(GetRoute("T"))[0], 17)
