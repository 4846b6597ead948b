"""Messages: by time, by key, by id, as they come; and sending one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import msgspec

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.results.messages import FoundMessage, Sent, Track
from rocketmq_tw.console.api.live_tail import LiveTail, TailNotice
from rocketmq_tw.console.api.pages import Name
from rocketmq_tw.console.api.routes import Call, Route
from rocketmq_tw.console.api.rows import MessageRow, row_of
from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.model.errors import RocketMQError

#: A message of 4 MiB in Base64, with its properties.
_LARGEST_SEND = 6 << 20

Time = Annotated[datetime, msgspec.Meta(tz=True)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Expression = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Cursor = Annotated[str, msgspec.Meta(max_length=3000)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Text = Annotated[str, msgspec.Meta(max_length=4096)]


class TimeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which messages of a topic.

    :ivar begin: stored at this time or later.
    :ivar end: stored before this time.
    :ivar cursor: of the page before this one.
    """

    topic: Name
    begin: Time
    end: Time | None = None
    cursor: Cursor | None = None
    limit: Limit = 25


class KeyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of a topic with a key."""

    topic: Name
    key: Key
    limit: Limit = 50


class IdQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    One message.

    :ivar id: of either kind; that of a producer needs the topic, too.
    """

    id: Id
    topic: Name | None = None


class TailQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which messages are to be shown as they come.

    :ivar expression: ``*``, or tags separated by ``||``.
    """

    topic: Name
    expression: Expression = "*"


class MessagePage(msgspec.Struct, frozen=True):
    """
    Some messages, oldest first.

    :ivar cursor: gets the messages after these; None if there are no more.
    """

    items: tuple[MessageRow, ...]
    cursor: str | None = None
    failed: dict[str, str] = {}


class MessageDetails(msgspec.Struct, frozen=True):
    """
    A whole message.

    :ivar tracks: what each group that reads the topic has done with it.
    :ivar untracked: why that is not known; empty if it is.
    """

    message: FoundMessage
    tracks: tuple[Track, ...]
    untracked: str = ""


class ToSend(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    A message to send.

    :ivar body: the bytes, in Base64.
    :ivar delay: seconds after which it is delivered.
    """

    topic: Name
    body: bytes
    tag: Text | None = None
    keys: tuple[Text, ...] = ()
    properties: dict[Text, Text] = {}
    delay: Annotated[float, msgspec.Meta(ge=0, le=40 * 86_400)] | None = None


class MessageRequests:
    """Shows messages, and sends one."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            Route(
                method="GET",
                path="/api/messages",
                handle=self.by_time,
                summary="Messages of a topic from a time on, in pages.",
                query=TimeQuery,
                result=MessagePage,
            ),
            Route(
                method="GET",
                path="/api/messages/by-key",
                handle=self.by_key,
                summary="The messages of a topic with a key.",
                query=KeyQuery,
                result=MessagePage,
            ),
            Route(
                method="GET",
                path="/api/message",
                handle=self.by_id,
                summary="One message, and what groups have done with it.",
                query=IdQuery,
                result=MessageDetails,
            ),
            Route(
                method="POST",
                path="/api/message",
                handle=self.send,
                summary="Send a message to a topic that exists.",
                body=ToSend,
                result=Sent,
                largest=_LARGEST_SEND,
            ),
            Route(
                method="GET",
                path="/api/tail",
                handle=self.tail,
                summary="The messages of a topic as they come, one a line. Other lines"
                " say which queues cannot be read now: the first one, when it has"
                " begun, and one for each change. An error is the last line.",
                query=TailQuery,
                result=MessageRow,
                notice=TailNotice,
                is_stream=True,
            ),
        )

    async def by_time(self, call: Call) -> MessagePage:
        """Return a page of messages."""
        query: TimeQuery = call.query
        page = await self._admin.messages.by_time(
            query.topic, query.begin, query.end, query.limit, query.cursor
        )
        return MessagePage(tuple(map(row_of, page.messages)), page.cursor, page.failed)

    async def by_key(self, call: Call) -> MessagePage:
        """Return the messages with a key."""
        query: KeyQuery = call.query
        found = await self._admin.messages.by_key(
            query.topic, query.key, limit=query.limit
        )
        return MessagePage(tuple(map(row_of, found.messages)), None, found.failed)

    async def by_id(self, call: Call) -> MessageDetails:
        """Return one message. :raises NotFound: there is none of this id."""
        query: IdQuery = call.query
        message = await self._admin.messages.get(query.id, query.topic)
        try:
            tracks = await self._admin.messages.track(message)
        except RocketMQError as error:
            return MessageDetails(message, (), str(error))
        return MessageDetails(message, tracks)

    async def send(self, call: Call) -> Sent:
        """Send a message. :raises HttpError: it has no body."""
        wanted: ToSend = call.body
        if not wanted.body:
            raise HttpError(400, "a message needs a body")
        return await self._admin.messages.send(
            wanted.topic,
            wanted.body,
            tag=wanted.tag,
            keys=wanted.keys,
            properties=wanted.properties,
            delay=wanted.delay,
        )

    async def tail(self, call: Call) -> AsyncIterator[MessageRow | TailNotice]:
        """Return what gives messages as they come. :raises NotFound: no such topic."""
        query: TailQuery = call.query
        return await LiveTail(self._admin, query.topic, query.expression).open()
