"""
Requests about the consumer groups of a broker.

Source: ``DeleteSubscriptionGroupRequestHeader``,
``GetSubscriptionGroupConfigRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class UpdateGroup(Request[Response]):
    """Create or change a group; the body is a ``SubscriptionGroupConfig``."""

    code: ClassVar[int] = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP


class GetAllGroups(Request[Response]):
    """Ask for the table of groups."""

    code: ClassVar[int] = RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG


class GetGroup(Request[Response]):
    """Ask for one group's settings."""

    code: ClassVar[int] = RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG
    group: str


class DeleteGroup(Request[Response]):
    """Delete a group; 4.9 and 5.x have different names for the same flag."""

    code: ClassVar[int] = RequestCode.DELETE_SUBSCRIPTIONGROUP
    group_name: str
    clean_offset: bool | None = None
    remove_offset: bool | None = None
