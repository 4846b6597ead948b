"""
What one name server does not know yet of a broker's topics.

After a connection is made that is the whole table, in pieces that cost either end a few
milliseconds; afterwards what has changed. Changes go before the remaining pieces.

A name server knows a table by its version. Release 4.9 ignores a registration with the
version that it knows, and later ones take only new topics from it. So the true version
goes with the last of what a name server lacks; each earlier registration has a version
of its own, with a counter below zero, which no table ever has.

A right that the broker lacks is taken from all topics.

A name server that has the whole table is sent it again periodically under the true
version: it then adds the topics that somebody removed there, and changes no others.

Source: ``registerIncrementBrokerData`` and ``enableSplitRegistration`` of
``BrokerController`` of RocketMQ 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import PERM_READ, PERM_WRITE, TopicConfig
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.bodies.topics import (
    TopicConfigAndMappingTable,
    encode_entry,
    with_entries,
)

#: The size, in bytes of JSON, at which a registration ends: some 1,400 topics.
PIECE = 256 << 10
#: The size, in bytes of JSON, of a topic whose name has 20 characters.
_TYPICAL_TOPIC = 184


class Part(StrEnum):
    """Which part of a table a registration has; without one it is the whole."""

    FIRST = "first"
    NEXT = "next"
    LAST = "last"
    CHANGES = "changes"


class Piece(msgspec.Struct, frozen=True):
    """
    The topics of one registration.

    :ivar body: encoded.
    :ivar part: which part of the table it is; None for the whole.
    :ivar has_changes: whether it contains the last of all changes so far.
    """

    body: bytes
    part: Part | None
    has_changes: bool


class Unregistered:
    """
    What one name server lacks.

    :param size: see :data:`PIECE`.
    """

    def __init__(self, topics: TopicTable, size: int = PIECE) -> None:
        self._topics = topics
        self._size = size
        # Whether the whole table is to be registered, and nothing of it was yet.
        self._is_due = False
        # The names of the topics that are left of the whole.
        self._left: deque[str] = deque()
        # Whether the name server knows what is left, and gets it only to be sure.
        self._is_repeat = False
        # The names of topics that were changed or deleted.
        self._changed: dict[str, None] = {}
        self._interim = 0

    @property
    def has_more(self) -> bool:
        """Whether something is to be registered."""
        return self._is_due or bool(self._left or self._changed)

    @property
    def has_changes(self) -> bool:
        """Whether topics have changed that were not registered since."""
        return bool(self._changed)

    @property
    def lacks_table(self) -> bool:
        """Whether the name server does not know the whole table."""
        return not self._is_repeat and (self._is_due or bool(self._left))

    @property
    def is_large(self) -> bool:
        """Whether the whole table takes several registrations, by its length."""
        return len(self._topics.table) * _TYPICAL_TOPIC > self._size

    def restart(self) -> None:
        """Register the whole table: the name server may know nothing of it."""
        self._is_due, self._is_repeat = True, False
        self._left.clear()

    def repeat(self) -> None:
        """Register the whole table, which the name server knows, once more."""
        if not self._is_due and not self._left:
            self._is_due, self._is_repeat = True, True

    def change(self, name: str) -> None:
        """Register a topic that was changed or deleted."""
        self._changed[name] = None

    def change_all(self) -> None:
        """Register all topics, as all have changed."""
        self._changed |= dict.fromkeys(self._topics.table)

    def next(self) -> Piece:
        """Return what to register next; something has to be left."""
        if self._is_due:
            return self._first_of_all()
        if self._changed:
            return self._changes()
        entries, _ = self._take(self._left)
        part = Part.NEXT if self._left else Part.LAST
        return self._made(entries, (), Part.CHANGES if self._is_repeat else part)

    def _first_of_all(self) -> Piece:
        """Return the whole table, or what one registration may have of it."""
        self._is_due = False
        self._left.extend(self._topics.table)
        entries, _ = self._take(self._left)
        if not self._left:
            self._changed.clear()
            return self._made(entries, (), None)
        part = Part.CHANGES if self._is_repeat else Part.FIRST
        return self._made(entries, (), part)

    def _changes(self) -> Piece:
        """Return what has changed, or what one registration may have of it."""
        names = deque(self._changed)
        entries, deleted = self._take(names)
        self._changed = dict.fromkeys(names)
        return self._made(entries, deleted, Part.CHANGES)

    def _take(self, names: deque[str]) -> tuple[list[bytes], list[str]]:
        """
        Take names until the registration is large enough.

        :returns: the encoded topics, and the names that are not in the table.
        """
        entries: list[bytes] = []
        deleted: list[str] = []
        size = 0
        while names and size < self._size:
            name = names.popleft()
            config = self._topics.table.get(name)
            if config is None:
                deleted.append(name)
                size += len(name)
            else:
                entries.append(encode_entry(self._visible(config)))
                size += len(entries[-1])
        return entries, deleted

    def _visible(self, config: TopicConfig) -> TopicConfig:
        """Return a topic with the broker's permission applied."""
        permission = self._topics.permission
        if permission & PERM_READ and permission & PERM_WRITE:
            return config
        perm = config.perm & permission
        return msgspec.structs.replace(config, perm=perm)

    def _made(
        self, entries: list[bytes], deleted: Sequence[str], part: Part | None
    ) -> Piece:
        """Return a registration with the version that it must have."""
        version = self._topics.data_version
        if self.lacks_table or self._changed:
            self._interim -= 1
            version = msgspec.structs.replace(version, counter=self._interim)
        table = TopicConfigAndMappingTable({}, version, mapping_data_version=version)
        body = RegisterBrokerBody(table, deleted_topics=tuple(deleted) or None)
        return Piece(with_entries(body.encode(), entries), part, not self._changed)
