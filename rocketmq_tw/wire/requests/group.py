"""
Requests about the consumer groups of a broker.

Source: ``DeleteSubscriptionGroupRequestHeader``,
``GetAllSubscriptionGroupRequestHeader`` and
``GetSubscriptionGroupConfigRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class UpdateGroup(Request[Response]):
    """Create or change a group; the body is a ``SubscriptionGroupConfig``."""

    code: ClassVar[int] = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP


class UpdateGroups(Request[Response]):
    """Create or change groups; the body is a ``SubscriptionGroupList``."""

    code: ClassVar[int] = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST


class GroupTableResponse(Response):
    """How many groups there are in all; None from releases before 5.4."""

    total_group_num: int | None = None


class GetAllGroups(Request[GroupTableResponse]):
    """
    Ask for the table of groups; the body is a ``SubscriptionGroupWrapper``.

    With fields only a page of it is asked for, as releases from 5.4 on do. Others
    ignore the fields, and respond with the whole table.

    :ivar group_seq: the number of the first group, in the order of their names.
    :ivar data_version: of the pages before, as JSON; a page of another version is the
        first one.
    :ivar max_group_num: how many groups the page may have.
    """

    code: ClassVar[int] = RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG
    group_seq: int | None = None
    data_version: str | None = None
    max_group_num: int | None = None


class GetGroup(Request[Response]):
    """Ask for one group's settings."""

    code: ClassVar[int] = RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG
    group: str


class QueryGroupsOfTopic(Request[Response]):
    """Ask which groups consume a topic; the body is a ``GroupList``."""

    code: ClassVar[int] = RequestCode.QUERY_TOPIC_CONSUME_BY_WHO
    topic: str


class QueryTopicsOfGroup(Request[Response]):
    """Ask in which topics a group has offsets; the body is a ``TopicList``."""

    code: ClassVar[int] = RequestCode.QUERY_TOPICS_BY_CONSUMER
    group: str


class QuerySubscription(Request[Response]):
    """
    Ask for the subscription of a group to a topic.

    The body is a ``QuerySubscriptionResponseBody``.
    """

    code: ClassVar[int] = RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER
    group: str
    topic: str | None = None


class UpdateForbidden(Request[Response]):
    """
    Allow or forbid that a group reads a topic; the body is a ``GroupForbidden``.

    :ivar readable: None changes nothing.
    """

    code: ClassVar[int] = RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN
    group: str
    topic: str
    readable: bool | None = None


class DeleteGroup(Request[Response]):
    """Delete a group; 4.9 and 5.x have different names for the same flag."""

    code: ClassVar[int] = RequestCode.DELETE_SUBSCRIPTIONGROUP
    group_name: str
    clean_offset: bool | None = None
    remove_offset: bool | None = None


class DeleteGroups(Request[Response]):
    """Delete groups; the body is a ``DeleteSubscriptionGroupListRequestBody``."""

    code: ClassVar[int] = RequestCode.DELETE_SUBSCRIPTION_GROUP_LIST
