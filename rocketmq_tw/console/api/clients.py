"""The connected clients: the list, and what a consumer says of itself."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.clients import ClientSummary, RunningInfo
from rocketmq_tw.console.api.lists import Lists
from rocketmq_tw.console.api.pages import Name, Page, PageQuery, page_of
from rocketmq_tw.console.api.routes import Call, Route


class ClientQuery(msgspec.Struct, frozen=True):
    """
    Which consumer.

    :ivar id: of its client.
    """

    group: Name
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class ClientRequests:
    """Shows clients."""

    def __init__(self, admin: AdminClient, lists: Lists) -> None:
        self._admin = admin
        self._lists = lists

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="GET",
                path="/api/clients",
                handle=self.clients,
                summary="A page of the connected producers and consumers.",
                query=PageQuery,
                result=Page[ClientSummary],
            ),
            Route(
                method="GET",
                path="/api/client",
                handle=self.client,
                summary="What a consumer says of itself.",
                query=ClientQuery,
                result=RunningInfo,
            ),
        )

    async def clients(self, call: Call) -> Page[ClientSummary]:
        """Return a page of the list."""
        found = await self._lists.clients.get()
        return page_of(found.clients, call.query, _text, found.failed)

    async def client(self, call: Call) -> RunningInfo:
        """Ask one. :raises NotFound: it is not connected."""
        query: ClientQuery = call.query
        return await self._admin.clients.get(query.group, query.id)


def _text(client: ClientSummary) -> str:
    """Return what a search looks at."""
    words = (client.client_id, client.address, *client.produces, *client.consumes)
    return "\n".join(words)
