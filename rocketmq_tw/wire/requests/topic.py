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


class CreateTopics(Request[Response]):
    """Create or change topics; the body is a ``CreateTopicListRequestBody``."""

    code: ClassVar[int] = RequestCode.UPDATE_AND_CREATE_TOPIC_LIST


class DeleteTopic(Request[Response]):
    """Delete a topic and its queues."""

    code: ClassVar[int] = RequestCode.DELETE_TOPIC_IN_BROKER
    topic: str


class DeleteTopics(Request[Response]):
    """Delete topics and their queues; the body is a ``DeleteTopicListRequestBody``."""

    code: ClassVar[int] = RequestCode.DELETE_TOPIC_IN_BROKER_LIST


class TopicConfigResponse(Response):
    """How many topics there are in all; None from releases before 5.4."""

    total_topic_num: int | None = None


class GetAllTopicConfig(Request[TopicConfigResponse]):
    """
    Ask for the table of topics; the body is a ``TopicConfigSerializeWrapper``.

    With fields only a page of it is asked for, as releases from 5.4 on do. Others
    ignore the fields, and respond with the whole table.

    :ivar topic_seq: the number of the first topic, in the order of their names.
    :ivar data_version: of the pages before, as JSON; a page of another version is the
        first one.
    :ivar max_topic_num: how many topics the page may have.
    """

    code: ClassVar[int] = RequestCode.GET_ALL_TOPIC_CONFIG
    topic_seq: int | None = None
    data_version: str | None = None
    max_topic_num: int | None = None


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
