"""
Asks for all pages of a table of a slave's master.

Releases before 5.4 have no pages, and respond with the whole table. A table that is
changed meanwhile is asked for again from the first page on.

Source: ``BrokerOuterAPI.getAllTopicConfig`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec

from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField

V = TypeVar("V")

#: How many entries are asked for at once, and how many pages there may be.
PAGE, MAX_PAGES = 2000, 500


class Page(msgspec.Struct, Generic[V], frozen=True, kw_only=True):
    """
    A page of a table, or all of them.

    :ivar total: how many entries the table has; None from a master without pages.
    :ivar forbidden: what groups must not read, of a table of groups.
    """

    table: dict[str, V]
    version: DataVersion
    total: int | None
    forbidden: dict[str, dict[str, int]] = {}


#: Asks for the page that begins with an entry, and belongs to a version.
AskForPage = Callable[[int, str], Awaitable[Page[V]]]


async def all_pages(
    ask: AskForPage[V], *, member: str, known: DataVersion, limit: int
) -> Page[V] | None:
    """
    Return all entries of a table.

    :param member: the name of the table in the body, for errors.
    :param known: the version that the slave has.
    :param limit: how many entries there may be.
    :returns: None if the table has that version: its first page is enough to know.
    :raises BadField: the table changes all the time, or has too many entries.
    """
    table: dict[str, V] = {}
    forbidden: dict[str, dict[str, int]] = {}
    version = known
    for _ in range(MAX_PAGES):
        page = await ask(len(table), version.encode().decode())
        if page.version == known:
            return None
        if page.version != version:
            table, forbidden, version = {}, {}, page.version
        table |= page.table
        forbidden |= page.forbidden
        if page.total is None or len(table) >= page.total:
            return Page(
                table=table, version=version, total=page.total, forbidden=forbidden
            )
        if not page.table or len(table) > limit:
            break
    raise BadField(member, f"{len(table)} entries", "all, and fewer")
