"""Tests of rocketmq_tw.wire.bodies.route."""

from __future__ import annotations

import json

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.wire.bodies import route
from tests.wire.bodies.test_golden import ROUTE, ROUTE_TEXT


class RouteTests(SynchronousTestCase):
    """A route has two texts, chosen by the asker's version."""

    def test_lenient_text(self) -> None:
        """Older clients get bare ids."""
        self.assertEqual(route.encode_route_lenient(ROUTE).decode(), ROUTE_TEXT)

    def test_strict_text(self) -> None:
        """Newer ones get quoted ids, no space and ASCII only."""
        strict = ROUTE_TEXT.replace("0:", '"0":', 1).replace(',1:"', ',"1":"')
        self.assertEqual(route.encode_route(ROUTE).decode(), strict)
        named = msgspec.structs.replace(ROUTE, order_topic_conf="主")
        self.assertIn(b'"orderTopicConf":"\\u4E3B"', route.encode_route(named))

    def test_the_version_decides(self) -> None:
        """From 4.9.4 on, or on demand, the text is strict."""
        strict = route.encode_route(ROUTE)
        self.assertEqual(route.encode_route_for(ROUTE, 401), strict)
        self.assertEqual(route.encode_route_for(ROUTE, 317, strict_only=True), strict)
        lenient = route.encode_route_lenient(ROUTE)
        self.assertEqual(route.encode_route_for(ROUTE, 399), lenient)

    def test_both_texts_are_read(self) -> None:
        """Whatever the text, the route is the same."""
        self.assertEqual(route.decode_route(ROUTE_TEXT.encode()), ROUTE)
        self.assertEqual(route.decode_route(route.encode_route(ROUTE)), ROUTE)

    def test_routes_of_4_9(self) -> None:
        """Keys that 4.9 does not have are defaults."""
        text = json.dumps({"brokerDatas": None, "queueDatas": [{"brokerName": "b"}]})
        read = route.decode_route(text.encode())
        self.assertEqual(read.broker_datas, ())
        self.assertEqual(read.queue_datas[0].perm, 0)
        self.assertEqual(route.decode_route(b"{}"), TopicRoute())

    def test_static_topics_are_kept(self) -> None:
        """The mapping of static topics is passed on as it came."""
        text = b'{"topicQueueMappingByBroker":{"b":{"currIdMap":{0:1},"epoch":1}}}'
        self.assertEqual(
            route.decode_route(text).topic_queue_mapping_by_broker,
            {"b": {"currIdMap": {"0": 1}, "epoch": 1}},
        )
