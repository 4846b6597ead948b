"""
Handles requests of clients and administrators about routes, clusters and topics.

Source: ``ClientRequestProcessor`` and ``DefaultRequestProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import FLAG_UNIT, FLAG_UNIT_SUB
from rocketmq_tw.namesrv import views
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.kvconfig import ORDER_TOPIC_CONFIG, KVConfig
from rocketmq_tw.namesrv.large_routes import MANY, encode_in_steps
from rocketmq_tw.namesrv.lists import Lists
from rocketmq_tw.namesrv.routes import RouteTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.route import STRICT_SINCE
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.request_json import decode_request
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

#: A response that may be made in steps.
Listed: TypeAlias = Response | Deferred[Response | None]


class Lookups:
    """
    Handles requests about routes, clusters and topics.

    :param texts: the cache of encoded routes.
    :param lists: makes the responses that list topics or brokers.
    :param started_at: when the server started, in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        config: NamesrvConfig,
        table: RouteTable,
        kvconfig: KVConfig,
        texts: views.RouteTexts,
        lists: Lists,
        started_at: float,
    ) -> None:
        self._config = config
        self._table = table
        self._kvconfig = kvconfig
        self._texts = texts
        self._lists = lists
        self._started_at = started_at

    def install(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetRoute, self.route)
        router.on(GetClusterInfo, self.cluster_info)
        router.on(GetAllTopics, self.all_topics)
        router.on(GetSystemTopics, self.system_topics)
        router.on(GetTopicsByCluster, self.topics_of_cluster)
        router.on(GetUnitTopics, self.unit_topics)
        router.on(GetUnitSubTopics, self.unit_sub_topics)
        router.on(GetUnitSubUnunitTopics, self.unit_sub_ununit_topics)
        router.on(DeleteTopicInNamesrv, self.delete_topic)
        router.on(RegisterTopicInNamesrv, self.register_topic)

    def find(self, topic: str) -> TopicRoute | None:
        """
        Return the route of a topic, with its order configuration if that is enabled.
        """
        return all_at_once(self._finding(topic))

    def _finding(self, topic: str) -> Steps[TopicRoute | None]:
        """Do as :meth:`find`, in steps."""
        acting = self._config.support_acting_master
        route = yield from views.route_in_steps(self._table, topic, acting)
        if route is not None and self._config.order_message_enable:
            order = self._kvconfig.get(ORDER_TOPIC_CONFIG, topic)
            route = msgspec.structs.replace(route, order_topic_conf=order)
        return route

    def route(self, request: GetRoute, call: Call) -> Listed:
        """Return the route of a topic, in the form of JSON that the client can read."""
        if self._config.need_wait_for_service:
            ready_at = self._started_at + self._config.wait_seconds_for_service
            if call.peer.last_seen < ready_at:
                raise Refused(ResponseCode.SYSTEM_ERROR, "name server not ready")
        topic, version = request.topic, call.header.version
        strict = bool(request.accept_standard_json_only) or version >= STRICT_SINCE
        count = len(self._table.queues.get(topic, ()))
        if (request.zone_mode or "").lower() == "true" and request.zone_name:
            steps = self._encoding_zone(topic, request.zone_name)
            return self._lists.respond(call, steps, count)
        if count > MANY and self._texts.known(topic, strict) is None:
            return self._lists.respond(call, self._encoding(topic, strict), count)
        text = self._texts.get(topic, version, strict)
        if text is None:
            raise _no_route(topic)
        return Response(body=text)

    def _encoding(self, topic: str, strict: bool) -> Steps[bytes]:
        """Encode a route of many brokers, and keep it unless it has changed."""
        changes = self._texts.changes
        route = yield from self._finding(topic)
        if route is None:
            raise _no_route(topic)
        text = yield from encode_in_steps(route, strict)
        if self._texts.changes == changes:
            self._texts.keep(topic, strict, text)
        return text

    def _encoding_zone(self, topic: str, zone: str) -> Steps[bytes]:
        """Encode the brokers of a zone, in the lenient form as Apache RocketMQ."""
        route = yield from self._finding(topic)
        if route is None:
            raise _no_route(topic)
        return (yield from encode_in_steps(views.in_zone(route, zone), strict=False))

    def cluster_info(self, request: GetClusterInfo, call: Call) -> Listed:
        """Return all clusters and brokers."""
        return self._lists.brokers(call)

    def all_topics(self, request: GetAllTopics, call: Call) -> Listed:
        """Return all topics."""
        if not self._config.enable_all_topic_list:
            raise Refused(ResponseCode.SYSTEM_ERROR, "disable")
        return self._lists.topics(call)

    def system_topics(self, request: GetSystemTopics, call: Call) -> Response:
        """Return the topics named after clusters and brokers."""
        return Response(body=views.system_topics(self._table).encode())

    def topics_of_cluster(self, request: GetTopicsByCluster, call: Call) -> Listed:
        """Return the topics of one cluster."""
        return self._listed(call, views.of_cluster(self._table, request.cluster))

    def unit_topics(self, request: GetUnitTopics, call: Call) -> Listed:
        """Return the unit topics."""
        return self._listed(call, views.flagged(self._table, FLAG_UNIT))

    def unit_sub_topics(self, request: GetUnitSubTopics, call: Call) -> Listed:
        """Return the topics with unit subscriptions."""
        return self._listed(call, views.flagged(self._table, FLAG_UNIT_SUB))

    def unit_sub_ununit_topics(
        self, request: GetUnitSubUnunitTopics, call: Call
    ) -> Listed:
        """Return the topics with unit subscriptions that are not unit topics."""
        return self._listed(call, views.flagged(self._table, FLAG_UNIT_SUB, FLAG_UNIT))

    def delete_topic(self, request: DeleteTopicInNamesrv, call: Call) -> Response:
        """Remove a topic."""
        self._table.delete_topic(request.topic, request.cluster_name)
        return Response()

    def register_topic(self, request: RegisterTopicInNamesrv, call: Call) -> Response:
        """Add a topic; one that names unknown brokers is ignored, as in Java."""
        if request.body:
            self._table.add_topic(
                request.topic, decode_request(request.body, TopicRoute).queue_datas
            )
        return Response()

    def _listed(self, call: Call, is_wanted: Callable[[str], bool]) -> Listed:
        """Return the list, if lists are enabled."""
        if not self._config.enable_topic_list:
            raise Refused(ResponseCode.SYSTEM_ERROR, "disable")
        return self._lists.topics(call, is_wanted)


def _no_route(topic: str) -> Refused:
    """Return the error for a topic that no broker holds."""
    return Refused(
        ResponseCode.TOPIC_NOT_EXIST,
        f"No topic route info in name server for the topic: {topic}; no broker that is"
        " alive has registered it",
    )
