"""
Requests about the topics of a broker.

Source: ``CreateTopicRequestHeader``, ``DeleteTopicRequestHeader``,
``GetTopicConfigRequestHeader``, ``GetTopicStatsInfoRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class CreateTopic(Request[Response], kw_only=True):
    """Create or change a topic."""

    code: ClassVar[int] = RequestCode.UPDATE_AND_CREATE_TOPIC
    topic: str
    default_topic: str | None = None
    read_queue_nums: int
    write_queue_nums: int
    perm: int
    topic_filter_type: str | None = None
    topic_sys_flag: int | None = None
    order: bool | None = None
    attributes: str | None = None
    force: bool | None = None


class DeleteTopic(Request[Response]):
    """Delete a topic and its queues."""

    code: ClassVar[int] = RequestCode.DELETE_TOPIC_IN_BROKER
    topic: str


class GetAllTopicConfig(Request[Response]):
    """Ask for the table of topics; the body is a ``TopicConfigSerializeWrapper``."""

    code: ClassVar[int] = RequestCode.GET_ALL_TOPIC_CONFIG


class GetTopicConfig(Request[Response]):
    """Ask for one topic's settings; the body is a ``TopicConfig``."""

    code: ClassVar[int] = RequestCode.GET_TOPIC_CONFIG
    topic: str


class GetTopicStats(Request[Response]):
    """Ask for the offsets of a topic's queues; the body is a ``TopicStatsTable``."""

    code: ClassVar[int] = RequestCode.GET_TOPIC_STATS_INFO
    topic: str


class GetBrokerSystemTopics(Request[Response]):
    """Ask for the names of a broker's system topics."""

    code: ClassVar[int] = RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER
