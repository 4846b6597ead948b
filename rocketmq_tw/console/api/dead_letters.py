"""Dead letters: whose, which, and sending them again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.messages import DeadLetterQueue, Resent
from rocketmq_tw.console.api.dead_letter_search import (
    DeadLetterPage,
    DeadLetterSearch,
    DeadLettersQuery,
)
from rocketmq_tw.console.api.messages import Id
from rocketmq_tw.console.api.pages import Name, Page, PageQuery, page_of
from rocketmq_tw.console.api.routes import Call, Route

#: Dead letters that are sent again by one request; each takes a round trip or two.
_MOST = 100


class ResendWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Which dead letters are to be sent again.

    :ivar ids: their offset ids.
    """

    group: Name
    ids: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1, max_length=_MOST)]


class DeadLetterRequests:
    """Shows dead letters, and sends them again."""

    def __init__(self, clock: IReactorTime, admin: AdminClient) -> None:
        self._admin = admin
        self._search = DeadLetterSearch(clock, admin)

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
                summary="The dead letters of a group, or some of them, in pages.",
                query=DeadLettersQuery,
                result=DeadLetterPage,
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

    async def messages(self, call: Call) -> DeadLetterPage:
        """Return some of the dead letters of a group."""
        return await self._search.find(call.query)

    async def resend(self, call: Call) -> Resent:
        """Send some again."""
        wanted: ResendWanted = call.body
        return await self._admin.dead_letters.resend(wanted.group, wanted.ids)
