"""
Tables and lists of consumer groups.

Source: ``SubscriptionGroupWrapper``, ``SubscriptionGroupList``, ``GroupList`` and
``QuerySubscriptionResponseBody`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.dataversion import DataVersion


class SubscriptionGroupTable(Body, frozen=True):
    """All groups of a broker: ``subscriptionGroup.json``, the response to code 201."""

    subscription_group_table: dict[str, SubscriptionGroup] = {}
    #: Maps group to topic to bits; bit 4 forbids reading.
    forbidden_table: dict[str, dict[str, int]] = {}
    data_version: DataVersion = DataVersion()


class SubscriptionGroupList(Body, frozen=True):
    """The body of UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225)."""

    group_config_list: tuple[SubscriptionGroup, ...] = ()


class DeletedGroups(Body, frozen=True):
    """The body of DELETE_SUBSCRIPTION_GROUP_LIST (5003)."""

    group_name_list: tuple[str, ...] = ()
    clean_offset: bool = False


class GroupForbidden(Body, frozen=True):
    """The response to UPDATE_AND_GET_GROUP_FORBIDDEN (353)."""

    group: str = ""
    readable: bool = True
    topic: str = ""


class GroupList(Body, frozen=True):
    """Names of groups."""

    group_list: tuple[str, ...] = ()


class QuerySubscriptionResponseBody(Body, frozen=True):
    """The response to QUERY_SUBSCRIPTION_BY_CONSUMER (345)."""

    group: str | None = None
    topic: str | None = None
    #: Absent if no member is connected that subscribes to the topic.
    subscription_data: Subscription | None = None
