"""Dead letters: whose, which, and sending them again."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.messages import (
    DeadLetterQueue,
    FoundMessage,
    Resent,
)
from rocketmq_tw.console.api.messages import Cursor, Id, Limit, MessagePage, Time
from rocketmq_tw.console.api.pages import Name, Page, PageQuery, page_of
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.api.rows import row_of
from rocketmq_tw.model.message import DLQ_ORIGIN_TOPIC, RETRY_TOPIC

#: Dead letters that are sent again by one request; each takes a round trip or two.
_MOST = 100


class DeadLettersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which dead letters of a group.

    :ivar begin: those that came at this time or later; the oldest, if not given.
    """

    group: Name
    begin: Time | None = None
    end: Time | None = None
    cursor: Cursor | None = None
    limit: Limit = 25


class ResendWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Which dead letters are to be sent again.

    :ivar ids: their offset ids.
    """

    group: Name
    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=_MOST)]


class DeadLetterRequests:
    """Shows dead letters, and sends them again."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="GET",
                path="/api/dead-letters",
                handle=self.groups,
                summary="A page of the groups that have dead letters.",
                query=PageQuery,
                result=Page[DeadLetterQueue],
            ),
            Route(
                method="GET",
                path="/api/dead-letters/messages",
                handle=self.messages,
                summary="The dead letters of a group, in pages.",
                query=DeadLettersQuery,
                result=MessagePage,
            ),
            Route(
                method="POST",
                path="/api/dead-letters/resend",
                handle=self.resend,
                summary="Send dead letters again, to the topics in which they were.",
                body=ResendWanted,
                result=Resent,
            ),
        )

    async def groups(self, call: Call) -> Page[DeadLetterQueue]:
        """Return the groups that have dead letters."""
        found = await self._admin.dead_letters.list()
        return page_of(found.queues, call.query, lambda each: each.group, found.failed)

    async def messages(self, call: Call) -> MessagePage:
        """Return a page of the dead letters of a group."""
        query: DeadLettersQuery = call.query
        page = await self._admin.dead_letters.browse(
            query.group, query.begin, query.end, query.limit, query.cursor
        )
        rows = tuple(row_of(each, _origin(each)) for each in page.messages)
        return MessagePage(rows, page.cursor, page.failed)

    async def resend(self, call: Call) -> Resent:
        """Send some again."""
        wanted: ResendWanted = call.body
        return await self._admin.dead_letters.resend(wanted.group, wanted.ids)


def _origin(letter: FoundMessage) -> str | None:
    """Return the topic in which a dead letter was."""
    kept = letter.properties
    return kept.get(RETRY_TOPIC) or kept.get(DLQ_ORIGIN_TOPIC)
