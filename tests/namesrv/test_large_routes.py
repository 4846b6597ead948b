"""Tests of routes that many brokers hold."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.route import BrokerData, QueueData, TopicRoute
from rocketmq_tw.namesrv.large_routes import MANY, encode_in_steps
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire.bodies.route import (
    STRICT_SINCE,
    decode_route,
    encode_route_for,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.route import GetRoute

from .fixtures import Served, broker

COUNT = 2 * MANY + 50
NAMES = [f"broker-{number:05d}" for number in range(COUNT)]


def route(count: int, **more: Any) -> TopicRoute:
    """Make a route of many brokers."""
    names = NAMES[:count]
    return TopicRoute(
        broker_datas=tuple(
            BrokerData("Größe", name, {0: f"{name}:1", 1: f"{name}:2"})
            for name in names
        ),
        queue_datas=tuple(QueueData(name, 4, 4, 6) for name in names),
        **more,
    )


class EncodeTests(SynchronousTestCase):
    """The texts are those that are made at once."""

    def test_form(self) -> None:
        """With and without each member, in both forms."""
        servers = {f"{name}:1": ("f:1", "f:2") for name in NAMES}
        mappings = {name: {"bname": name, "currIdMap": {"0": 0}} for name in NAMES}
        for given in (
            TopicRoute(),
            route(1),
            route(COUNT),
            route(COUNT, order_topic_conf='"brokerDatas":[]'),
            route(COUNT, filter_server_table=servers),
            route(3, topic_queue_mapping_by_broker=mappings),
            route(3, topic_queue_mapping_by_broker={}),
        ):
            for version in (STRICT_SINCE - 1, STRICT_SINCE):
                steps = encode_in_steps(given, version >= STRICT_SINCE)
                expected = encode_route_for(given, version)
                self.assertEqual(all_at_once(steps), expected)

    def test_steps(self) -> None:
        """Each encodes so many brokers."""
        steps = list(encode_in_steps(route(COUNT), strict=True))
        self.assertGreaterEqual(len(steps), 2 * (COUNT // MANY))


class ServedTests(Served):
    """A topic of many brokers at a running name server."""

    def setUp(self) -> None:
        """Register the brokers."""
        super().setUp()
        self.table = self.service.table
        for name in NAMES:
            self.table.register(self.broker(name), 0.0)

    def broker(self, name: str, **more: Any) -> Any:
        """Make a registration."""
        return broker("A", "B", broker_name=name, broker_addr=f"{name}:1", **more)

    def names(self, **more: Any) -> list[str]:
        """Ask for the route, and return the names of its brokers."""
        found = decode_route(self.ask(GetRoute("A", **more)).body)
        queues = [data.broker_name for data in found.queue_datas]
        self.assertEqual([data.broker_name for data in found.broker_datas], queues)
        return queues

    def test_all(self) -> None:
        """They are all there, at the first request and from the text that is kept."""
        for _ in range(2):
            self.assertEqual(self.names(), NAMES)
        self.assertIsNotNone(self.service._texts.known("A", True))
        self.table.register(self.broker("c"), 0.0)
        self.assertEqual(self.names(), [*NAMES, "c"])

    def test_zone(self) -> None:
        """Only those of a zone are sent to who asks for it."""
        for name in NAMES[:3]:
            self.table.register(self.broker(name, zone_name="east", version=2), 0.0)
        self.assertEqual(self.names(zone_mode="true", zone_name="east"), NAMES[:3])

    def test_changed_meanwhile(self) -> None:
        """A broker that goes between two steps is left out; the text is not kept."""
        steps = self.service._lookups._encoding("A", True)
        next(steps)
        for live in list(self.table.live)[-10:]:
            self.table.unregister(live.key, live.broker_name)
        found = decode_route(all_at_once(steps))
        self.assertEqual(len(found.broker_datas), COUNT - 10)
        self.assertEqual(len(found.queue_datas), COUNT - 10)
        self.assertIsNone(self.service._texts.known("A", True))

    def test_gone_before(self) -> None:
        """A topic of a zone that nobody holds does not exist."""
        request = GetRoute("C", zone_mode="true", zone_name="east")
        self.assertEqual(self.refused(request)[0], ResponseCode.TOPIC_NOT_EXIST)
