"""Topics: the list, and one of them."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.listing import Listing
from rocketmq_tw.admin.results.topics import (
    Kind,
    TopicDetails,
    TopicStats,
    TopicSummary,
)
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.pages import Name, Page, PageQuery, page_of
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.api.together import known, together


class TopicsQuery(PageQuery, frozen=True):
    """
    Which topics.

    :ivar kind: those of applications, if it is not given.
    """

    kind: Kind = Kind.NORMAL


class TopicQuery(msgspec.Struct, frozen=True):
    """Which topic."""

    name: Name


class TopicPage(msgspec.Struct, frozen=True):
    """
    One topic.

    :ivar groups: the consumer groups that read it.
    :ivar failed: who could not be asked about any of this, and why.
    """

    details: TopicDetails
    stats: TopicStats
    groups: tuple[str, ...]
    failed: dict[str, str] = {}


class TopicRequests:
    """Shows topics."""

    def __init__(self, admin: AdminClient, lists: Lists) -> None:
        self._admin = admin
        self._lists = lists

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="GET",
                path="/api/topics",
                handle=self.topics,
                summary="A page of the topics.",
                query=TopicsQuery,
                result=Page[TopicSummary],
            ),
            Route(
                method="GET",
                path="/api/topic",
                handle=self.topic,
                summary="One topic: its route, its queues, who reads it.",
                query=TopicQuery,
                result=TopicPage,
            ),
        )

    async def topics(self, call: Call) -> Page[TopicSummary]:
        """Return a page of the list."""
        query: TopicsQuery = call.query
        found = await self._lists.topics.get()
        chosen = [each for each in found if each.kind is query.kind]
        return page_of(chosen, query, lambda each: each.name, found.failed)

    async def topic(self, call: Call) -> TopicPage:
        """Return one topic. :raises NotFound: there is none of this name."""
        name = call.query.name
        topics = self._admin.topics
        details, stats, groups = await together(
            topics.get(name),
            topics.stats(name),
            known(topics.groups(name), lambda failed: Listing((), failed)),
        )
        failed = {**details.failed, **stats.failed, **groups.failed}
        return TopicPage(details, stats, tuple(groups), failed)
