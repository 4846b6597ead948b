"""
Pages of a table, as slaves and tools ask for topics and groups.

A page begins at a number, in the order of names, and belongs to a version of the table.
After a change of the table the first page comes again, with the new version.

A slave of Apache RocketMQ stops when it has all entries but one, and then deletes that
one. So a page takes the last entry with it if that would be alone on the next page.

Source: ``TopicConfigManager.subTopicConfigTable``, ``SubscriptionGroupManager`` and
``BrokerOuterAPI.getAllTopicConfig`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.errors import BadField

#: How many entries a page has at most, and one more.
PAGE = 2000
#: Bytes of entries on a page; it has fewer entries if they have more.
MAX_BYTES = 4 << 20
#: Characters of a version.
_MAX_VERSION = 1000


class Part(msgspec.Struct, frozen=True):
    """
    A part of a table.

    :ivar names: of its entries, in order.
    :ivar behind: how many entries come after it.
    """

    names: list[str]
    behind: int

    def fitting(self, entries: list[bytes]) -> list[bytes]:
        """Return as many of the part's encoded entries as one page may have."""
        size = 0
        for count, entry in enumerate(entries):
            size += len(entry) + 1
            if size > MAX_BYTES and count:
                alone = self.behind + len(entries) - count == 1 and count > 1
                return entries[: count - alone]
        return entries


class Pages:
    """
    Cuts one table into pages.

    :param table: returns it.
    :param version: returns its version, another object after each change.
    """

    # _names are those of the table at _version, sorted.

    def __init__(
        self, table: Callable[[], Mapping[str, Any]], version: Callable[[], DataVersion]
    ) -> None:
        self._table = table
        self._version_now = version
        self._version: DataVersion | None = None
        self._names: list[str] = []

    def page(
        self, start: int | None, version: str | None, count: int | None
    ) -> Part | None:
        """
        Return the names that may be on a page, at least one if there are any.

        :param start: None, as a ``count`` of None or 0, asks for the whole table, as
            versions before 5.5 do; the result is None then.
        :param version: of the pages before, as JSON; if the table has another one now,
            the page is the first.
        :raises BadField: the version is not one.
        """
        if start is None or not count:
            return None
        known = _decode(version)
        now = self._version_now()
        if now is not self._version:
            self._version, self._names = now, sorted(self._table())
        start = max(0, start)
        if start and known != now:
            start = 0
        end = start + min(max(1, count), PAGE)
        if end == len(self._names) - 1:
            end += 1
        return Part(self._names[start:end], max(0, len(self._names) - end))


def _decode(text: str | None) -> DataVersion | None:
    """Decode a version. :raises BadField: the text is not one."""
    if not text:
        return None
    if len(text) > _MAX_VERSION:
        raise BadField("dataVersion", f"{len(text)} characters", "a version")
    return DataVersion.decode(text.encode())
