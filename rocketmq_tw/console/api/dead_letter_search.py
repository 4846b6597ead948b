"""
Search among all dead letters of a group.

The index of brokers finds a key or an id at once, if the message is in it. It need not
be: an index may be off, or deleted. So all dead letters are looked at, too, some for
each request: a response has what was found in its part, and a cursor for the next part.
Who has seen enough, or goes away, asks for no more.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.admin.client import AdminClient
from rocketmq_tw.admin.errors import AdminError
from rocketmq_tw.admin.results.messages import FoundMessage
from rocketmq_tw.console.api.messages import Cursor, Id, Key, Limit, MessagePage, Time
from rocketmq_tw.console.api.pages import Name, Search, words_of
from rocketmq_tw.console.api.rows import MessageRow, row_of
from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.model.message import (
    DLQ_ORIGIN_MESSAGE_ID,
    DLQ_ORIGIN_TOPIC,
    ORIGIN_MESSAGE_ID,
    RETRY_TOPIC,
)
from rocketmq_tw.model.topic import dlq_topic

#: Dead letters that one request looks at, at most, and for how many seconds.
MOST_LOOKED_AT = 2000
_LONGEST = 2.0
#: Dead letters that are asked for at once, while few of them are found: small pages
#: take half as long again.
_AT_ONCE = 256
#: Searches at once: each keeps a broker busy.
MOST_SEARCHES = 4


class DeadLettersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which dead letters of a group.

    :ivar begin: those that came at this time or later; the oldest, if not given.
    :ivar end: those that came at this time or earlier.
    :ivar key: only those with this key.
    :ivar id: only this one, by the id of its producer or by its offset id.
    :ivar search: only those with all of these words in what a list shows of them.
    :ivar cursor: of the response before this one.
    """

    group: Name
    begin: Time | None = None
    end: Time | None = None
    key: Key | None = None
    id: Id | None = None
    search: Search = ""
    cursor: Cursor | None = None
    limit: Limit = 25


class DeadLetterPage(MessagePage, frozen=True):
    """
    Dead letters, oldest first. What an index has found comes before the first of them,
    beyond the limit, and comes again in its place.

    :ivar looked_at: how many were looked at to find these.
    :ivar reached: when the last of those came.
    """

    looked_at: int = 0
    reached: datetime | None = None


class DeadLetterSearch:
    """Looks at dead letters, for all who search."""

    def __init__(self, clock: IReactorTime, admin: AdminClient) -> None:
        self._clock = clock
        self._admin = admin
        # At most MOST_SEARCHES.
        self._running = 0

    async def find(self, query: DeadLettersQuery) -> DeadLetterPage:
        """
        Return the dead letters in the next part of all.

        :raises HttpError: there are too many searches already.
        :raises NotFound: there is no such group.
        """
        words = words_of(query.search)
        if not (words or query.key or query.id):
            return await self._look(query, words)
        if self._running >= MOST_SEARCHES:
            why = f"there are {MOST_SEARCHES} searches already, as many as may be"
            raise HttpError(429, why)
        self._running += 1
        try:
            known = [] if query.cursor else await self._indexed(query)
            page = await self._look(query, words)
            rows = [row for row in map(_row, known) if _has(row, words)]
            return replace(page, items=(*rows, *page.items))
        finally:
            self._running -= 1

    async def _look(
        self, query: DeadLettersQuery, words: frozenset[str]
    ) -> DeadLetterPage:
        """Look at the next part."""
        rows: list[MessageRow] = []
        failed: dict[str, str] = {}
        cursor, looked_at, reached = query.cursor, 0, None
        until = self._clock.seconds() + _LONGEST
        is_sparse = bool(words or query.key or query.id)
        # Half full is enough: many small pages would take longer.
        while len(rows) <= query.limit // 2 and looked_at < MOST_LOOKED_AT:
            size = query.limit - len(rows)
            if is_sparse:
                size = max(size, min(_AT_ONCE, MOST_LOOKED_AT - looked_at))
            page = await self._admin.dead_letters.browse(
                query.group, query.begin, query.end, size, cursor
            )
            chosen = [
                row
                for letter in page.messages
                if _is_wanted(letter, query) and _has(row := _row(letter), words)
            ]
            if len(rows) + len(chosen) > query.limit:
                # More than fit: the same part again, in pages that fit for sure.
                is_sparse = False
                continue
            rows += chosen
            looked_at += len(page.messages)
            reached = page.messages[-1].stored if page.messages else reached
            failed.update(page.failed)
            cursor = page.cursor
            if cursor is None or self._clock.seconds() >= until:
                break
        return DeadLetterPage(tuple(rows), cursor, failed, looked_at, reached)

    async def _indexed(self, query: DeadLettersQuery) -> list[FoundMessage]:
        """Return what brokers find by a key or an id at once."""
        messages, topic = self._admin.messages, dlq_topic(query.group)
        found: list[FoundMessage] = []
        try:
            if query.id:
                found = [await messages.get(query.id, topic)]
            elif query.key:
                span = {"begin": query.begin, "end": query.end}
                by_key = await messages.by_key(
                    topic, query.key, limit=query.limit, **span
                )
                found = list(by_key.messages)
        except AdminError:
            # Not in the index, or nobody looks into one. Whatever else is wrong is so
            # for those who look at all, too.
            return []
        return [
            each
            for each in found
            if each.topic == topic and _is_wanted(each, query) and _is_in(each, query)
        ]


def origin_of(letter: FoundMessage) -> str | None:
    """Return the topic in which a dead letter was."""
    kept = letter.properties
    return kept.get(RETRY_TOPIC) or kept.get(DLQ_ORIGIN_TOPIC)


def _row(letter: FoundMessage) -> MessageRow:
    """Return what a list shows of a dead letter."""
    return row_of(letter, origin_of(letter))


def _is_wanted(letter: FoundMessage, query: DeadLettersQuery) -> bool:
    """Whether a dead letter has the key and the id."""
    kept = letter.properties
    ids = (
        letter.message_id,
        letter.offset_id,
        kept.get(ORIGIN_MESSAGE_ID),
        kept.get(DLQ_ORIGIN_MESSAGE_ID),
    )
    return (not query.key or query.key in letter.keys) and (
        not query.id or query.id in ids
    )


def _is_in(letter: FoundMessage, query: DeadLettersQuery) -> bool:
    """Whether a dead letter came in the span of time."""
    stored = letter.stored
    if stored is None:
        return True
    return (query.begin is None or query.begin <= stored) and (
        query.end is None or stored <= query.end
    )


def _has(row: MessageRow, words: frozenset[str]) -> bool:
    """Whether all words are in what a list shows of a message."""
    if not words:
        return True
    parts = (row.message_id, row.offset_id, row.tag, *row.keys, row.origin, row.preview)
    text = "\n".join(filter(None, parts)).lower()
    return all(word in text for word in words)
