"""Consumer groups: the list, and one of them."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.groups import (
    GroupDetails,
    GroupLag,
    GroupSummary,
    Member,
)
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.pages import Name, Page, PageQuery, page_of
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.api.together import together
from rocketmq_tw.console.history.sampler import Sampler


class GroupsQuery(PageQuery, frozen=True):
    """
    Which groups.

    :ivar system: also those that brokers have for themselves.
    """

    system: bool = False


class GroupRow(msgspec.Struct, frozen=True):
    """
    One group of the list.

    :ivar lag: of the last sample; None if there is none yet.
    """

    group: GroupSummary
    lag: float | None


class GroupQuery(msgspec.Struct, frozen=True):
    """Which group."""

    name: Name


class GroupPage(msgspec.Struct, frozen=True):
    """One group: its settings, lag and members."""

    details: GroupDetails
    lag: GroupLag
    members: tuple[Member, ...]


class GroupRequests:
    """Shows groups."""

    def __init__(self, admin: AdminClient, lists: Lists, sampler: Sampler) -> None:
        self._admin = admin
        self._lists = lists
        self._sampler = sampler

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="GET",
                path="/api/groups",
                handle=self.groups,
                summary="A page of the consumer groups.",
                query=GroupsQuery,
                result=Page[GroupRow],
            ),
            Route(
                method="GET",
                path="/api/group",
                handle=self.group,
                summary="One group: its settings, its lag in each queue, its members.",
                query=GroupQuery,
                result=GroupPage,
            ),
        )

    async def groups(self, call: Call) -> Page[GroupRow]:
        """Return a page of the list."""
        query: GroupsQuery = call.query
        found = await self._lists.groups.get()
        chosen = [each for each in found if query.system or not each.is_system]
        page = page_of(chosen, query, lambda each: each.name)
        lags = self._sampler.lags
        rows = tuple(GroupRow(each, lags.last(each.name)) for each in page.items)
        return Page(rows, page.total, page.offset)

    async def group(self, call: Call) -> GroupPage:
        """Return one group. :raises NotFound: there is none of this name."""
        groups, name = self._admin.groups, call.query.name
        details, lag, members = await together(
            groups.get(name), groups.lag(name), groups.members(name)
        )
        return GroupPage(details, lag, members)
