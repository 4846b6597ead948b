"""Consumer groups: the list, one of them, and resets of its offsets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.groups import (
    GroupDetails,
    GroupLag,
    GroupSummary,
    Member,
    ResetDone,
    ResetPlan,
)
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.pages import Name, Page, PageQuery, page_of
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.api.together import known, together
from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.console.history.sampler import Sampler

#: A plan names each queue: some 200 bytes for one.
_LARGEST_PLAN = 4 << 20


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
    """
    One group: its settings, lag and members.

    :ivar failed: who could not be asked about any of this, and why.
    """

    details: GroupDetails
    lag: GroupLag
    members: tuple[Member, ...]
    failed: dict[str, str] = {}


class ResetWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Where a group is to continue.

    :ivar to: ``earliest``, ``latest``, or a time in ISO 8601.
    """

    group: Name
    topic: Name
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class GroupRequests:
    """Shows groups, and resets their offsets."""

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
            Route(
                method="POST",
                path="/api/group/plan-reset",
                handle=self.plan_reset,
                summary="What a reset of offsets would do; nothing is changed.",
                body=ResetWanted,
                result=ResetPlan,
            ),
            Route(
                method="POST",
                path="/api/group/reset",
                handle=self.reset,
                summary="Reset offsets as a plan says.",
                body=ResetPlan,
                result=ResetDone,
                largest=_LARGEST_PLAN,
            ),
        )

    async def groups(self, call: Call) -> Page[GroupRow]:
        """Return a page of the list."""
        query: GroupsQuery = call.query
        found = await self._lists.groups.get()
        chosen = [each for each in found if query.system or not each.is_system]
        page = page_of(chosen, query, lambda each: each.name, found.failed)
        lags = self._sampler.lags
        rows = tuple(GroupRow(each, lags.last(each.name)) for each in page.items)
        return Page(rows, page.total, page.offset, page.failed)

    async def group(self, call: Call) -> GroupPage:
        """Return one group. :raises NotFound: there is none of this name."""
        groups, name = self._admin.groups, call.query.name
        details, lag, members = await together(
            known(groups.get(name), lambda why: GroupDetails(name, (), (), why)),
            known(groups.lag(name), lambda why: _no_lag(name, why)),
            known(groups.members(name), lambda why: Listing((), why)),
        )
        failed = {**details.failed, **lag.failed, **members.failed}
        return GroupPage(details, lag, tuple(members), failed)

    async def plan_reset(self, call: Call) -> ResetPlan:
        """Return what a reset would do."""
        wanted: ResetWanted = call.body
        to = _target(wanted.to)
        return await self._admin.groups.plan_reset(wanted.group, wanted.topic, to)

    async def reset(self, call: Call) -> ResetDone:
        """Do what a plan says."""
        return await self._admin.groups.reset(call.body)


def _no_lag(group: str, failed: dict[str, str]) -> GroupLag:
    """Return what is shown of the lag of a group if nobody says what it is."""
    return GroupLag(group, (), 0, 0, 0.0, 0, failed)


def _target(text: str) -> datetime | str:
    """Return where to continue. :raises HttpError: it is nothing of the kind."""
    if text in ("earliest", "latest"):
        return text
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        why = "expected earliest, latest, or a time such as 2026-01-31T12:00:00Z"
        raise HttpError(400, f'"to" cannot be used: {why}')
    return found
