"""
Requests to a name server about routes and topics.

Source: ``GetRouteInfoRequestHeader``, ``GetTopicsByClusterRequestHeader``,
``DeleteTopicFromNamesrvRequestHeader``, ``RegisterTopicRequestHeader``,
``GetBrokerMemberGroupRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class GetRoute(Request[Response]):
    """Ask which brokers hold a topic; the body is a ``TopicRouteData``."""

    code: ClassVar[int] = RequestCode.GET_ROUTEINFO_BY_TOPIC
    topic: str
    accept_standard_json_only: bool | None = None
    #: ``true`` to get only brokers in the zone, and those without a master.
    zone_mode: str | None = msgspec.field(name="__ZONE_MODE", default=None)
    zone_name: str | None = msgspec.field(name="__ZONE_NAME", default=None)


class GetClusterInfo(Request[Response]):
    """Ask for all clusters and brokers; the body is a ``ClusterInfo``."""

    code: ClassVar[int] = RequestCode.GET_BROKER_CLUSTER_INFO


class GetAllTopics(Request[Response]):
    """Ask for the names of all topics; the body is a ``TopicList``."""

    code: ClassVar[int] = RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER


class GetSystemTopics(Request[Response]):
    """Ask for the names of clusters and brokers, which are system topics."""

    code: ClassVar[int] = RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS


class GetTopicsByCluster(Request[Response]):
    """Ask for the topics of one cluster."""

    code: ClassVar[int] = RequestCode.GET_TOPICS_BY_CLUSTER
    cluster: str


class GetUnitTopics(Request[Response]):
    """Ask for the unit topics."""

    code: ClassVar[int] = RequestCode.GET_UNIT_TOPIC_LIST


class GetUnitSubTopics(Request[Response]):
    """Ask for the topics with unit subscriptions."""

    code: ClassVar[int] = RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST


class GetUnitSubUnunitTopics(Request[Response]):
    """Ask for the topics with unit subscriptions that are not unit topics."""

    code: ClassVar[int] = RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST


class DeleteTopicInNamesrv(Request[Response]):
    """Delete a topic, in one cluster or in all."""

    code: ClassVar[int] = RequestCode.DELETE_TOPIC_IN_NAMESRV
    topic: str
    cluster_name: str | None = None


class RegisterTopicInNamesrv(Request[Response]):
    """Add a topic for its brokers (5.x static topics); the body is a route."""

    code: ClassVar[int] = RequestCode.REGISTER_TOPIC_IN_NAMESRV
    topic: str


class GetBrokerMemberGroup(Request[Response]):
    """Ask for the addresses of all brokers of one name."""

    code: ClassVar[int] = RequestCode.GET_BROKER_MEMBER_GROUP
    cluster_name: str
    broker_name: str
