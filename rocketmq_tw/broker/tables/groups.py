"""
The consumer groups of a broker: their settings, and the topics they must not read.

Source: ``SubscriptionGroupManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.errors import GroupNotExist, TooManyForbidden, TooManyGroups
from rocketmq_tw.broker.tables.checks import check_group, usable
from rocketmq_tw.broker.tables.document import Document, Schedule
from rocketmq_tw.clock import wall_time
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import IllegalGroup
from rocketmq_tw.model.group import (
    PREDEFINED_GROUPS,
    SYSTEM_GROUP_PREFIX,
    SubscriptionGroup,
)
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.entries import encode_entry, fill
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable

__all__ = ["GroupNotExist", "GroupTable"]

#: The value in ``forbidden_table`` that forbids reading.
READ_FORBIDDEN = 4
#: How many groups are encoded in one step: some 1.5 ms.
_AT_ONCE = 100
#: How many are compared in one step.
SLICE = 1000
_NO_GROUPS = b'"subscriptionGroupTable":{}'


class GroupTable:
    """
    All consumer groups of one broker, kept in ``subscriptionGroup.json``.

    :param clock: provides the time in the table's version.
    :param schedule: see :class:`~rocketmq_tw.broker.tables.document.Document`.
    :param auto_create: whether a group is created when a request first names it.
    :param create_system: likewise for system groups (``CID_RMQ_SYS_...``).
    :param limit: with so many groups none is created any more.
    :param max_forbidden: how many entries the second table may have.
    :ivar refused: how many were not created because of the limit.
    :ivar forbidden_refused: likewise of that table.
    :ivar table: the groups by name; change it through the methods only.
    :ivar forbidden_table: group to topic to bits (``READ_FORBIDDEN``).
    :ivar data_version: changes with every change.
    """

    def __init__(
        self,
        file: JsonFile,
        *,
        clock: IReactorTime,
        schedule: Schedule | None = None,
        auto_create: bool = True,
        create_system: bool = True,
        limit: int = 20_000,
        max_forbidden: int = 10_000,
    ) -> None:
        self._file = file
        self._wall_time = wall_time(clock)
        self.auto_create = auto_create
        self._create_system = create_system
        self.limit = limit
        self.refused = 0
        self.max_forbidden = max_forbidden
        self.forbidden_refused = 0
        self._document = Document(
            file, self.encode, schedule, steps=self.encode_in_steps
        )
        #: Entries as they are encoded, until they change.
        self._encoded: dict[str, bytes] = {}
        self.table: dict[str, SubscriptionGroup] = {}
        self.forbidden_table: dict[str, dict[str, int]] = {}
        self.data_version = DataVersion()

    def load(self) -> None:
        """
        Read the file, and add the groups that every broker has. Blocks.

        :raises DamagedDocument: neither the file nor its backup is a table of groups.
        """
        kind = SubscriptionGroupTable
        stored = self._file.load_as(kind.decode) or kind()
        defaults = {name: SubscriptionGroup(name) for name in PREDEFINED_GROUPS}
        groups = usable(self._file.path, stored.subscription_group_table, check_group)
        self.table = {**defaults, **groups}
        self._encoded = {}
        self.forbidden_table = dict(stored.forbidden_table)
        self.data_version = stored.data_version
        if self.table != stored.subscription_group_table:
            self._changed()

    def save(self) -> None:
        """Write the file now if it is outdated. :raises OSError: that failed."""
        self._document.save()

    def get(self, group: str) -> SubscriptionGroup | None:
        """Return a group, or None; never creates it."""
        return self.table.get(group)

    def find(self, group: str) -> SubscriptionGroup | None:
        """
        Return a group, creating it if that is allowed and its name is legal.

        None if it does not exist and was not created.

        Source: ``SubscriptionGroupManager.findSubscriptionGroupConfig``.
        """
        found = self.table.get(group)
        if found is not None or not self._may_create(group):
            return found
        if self._is_at_limit:
            self.refused += 1
            return None
        created = SubscriptionGroup(group)
        self.put(created)
        return created

    def require(self, group: str) -> SubscriptionGroup:
        """
        Like :meth:`find`, for a group that must exist.

        :raises GroupNotExist: it does not, and must not be created.
        """
        found = self.find(group)
        if found is None:
            if self._is_at_limit and self._may_create(group):
                raise TooManyGroups(group, self.limit)
            raise GroupNotExist(group)
        return found

    def may_read(self, group: str, topic: str) -> bool:
        """Return whether the group is not forbidden to read the topic."""
        if not self.forbidden_table:
            return True
        bits = self.forbidden_table.get(group, {}).get(topic, 0)
        return not bits & READ_FORBIDDEN

    @property
    def forbidden(self) -> int:
        """Return how many topics are in the second table, of all groups."""
        return sum(map(len, self.forbidden_table.values()))

    def forbid(self, group: str, topic: str, forbidden: bool) -> None:
        """
        Forbid a group to read a topic, or allow it again.

        :raises TooManyForbidden: there are too many entries already.
        """
        bits = self.forbidden_table.get(group, {}).get(topic, 0)
        wanted = bits | READ_FORBIDDEN if forbidden else bits & ~READ_FORBIDDEN
        if wanted == bits:
            return
        if forbidden and not bits and self.forbidden >= self.max_forbidden:
            self.forbidden_refused += 1
            raise TooManyForbidden(self.max_forbidden)
        topics = {**self.forbidden_table.get(group, {}), topic: wanted}
        if not wanted:
            del topics[topic]
        self.forbidden_table[group] = topics
        if not topics:
            del self.forbidden_table[group]
        self._changed()

    def put(self, group: SubscriptionGroup) -> None:
        """Create or change a group; an equal one is not written again."""
        known = self.table.get(group.group_name)
        if known == group:
            return
        if known is None and self._is_at_limit:
            self.refused += 1
            raise TooManyGroups(group.group_name, self.limit)
        self.table[group.group_name] = group
        self._encoded.pop(group.group_name, None)
        self._changed()

    def delete(self, group: str) -> bool:
        """Delete a group but not its offsets. :returns: whether it existed."""
        forbidden = self.forbidden_table.pop(group, None)
        self._encoded.pop(group, None)
        if self.table.pop(group, None) is None and forbidden is None:
            return False
        self._changed()
        return True

    def encode(self) -> bytes:
        """Encode the table for ``subscriptionGroup.json`` and for request code 201."""
        return all_at_once(self.encode_in_steps())

    def encode_in_steps(self) -> Steps[bytes]:
        """Do as :meth:`encode`; a step encodes some of the groups that changed."""
        yield from self._encode_new(list(self.table))
        empty = fastjson.dumps(
            SubscriptionGroupTable({}, self.forbidden_table, self.data_version)
        )
        return fill(empty, _NO_GROUPS, self._entries(self.table))

    def encode_some(
        self, names: Sequence[str], fitting: Callable[[list[bytes]], list[bytes]]
    ) -> Steps[bytes]:
        """
        Encode some groups, with the version that the table has before the first step.

        :param fitting: returns those of their entries that are to be in the result.
        """
        version, forbidden = self.data_version, self.forbidden_table
        yield from self._encode_new(names)
        some = {name: forbidden[name] for name in names if name in forbidden}
        empty = fastjson.dumps(SubscriptionGroupTable({}, some, version))
        here = [name for name in names if name in self.table]
        return fill(empty, _NO_GROUPS, fitting(self._entries(here)))

    def _encode_new(self, names: Iterable[str]) -> Steps[None]:
        """Encode those of some groups that changed, in steps."""
        encoded, count = self._encoded, 0
        for name in names:
            if name not in encoded and name in self.table:
                encoded[name] = encode_entry(name, self.table[name])
                count += 1
                if count % _AT_ONCE == 0:
                    yield None

    def _entries(self, names: Iterable[str]) -> list[bytes]:
        """Return groups encoded; what changed between two steps is encoded now."""
        encoded, table = self._encoded, self.table
        return [encoded.get(name) or encode_entry(name, table[name]) for name in names]

    def adopt(
        self,
        table: dict[str, SubscriptionGroup],
        forbidden: dict[str, dict[str, int]],
        version: DataVersion,
    ) -> Iterator[None]:
        """
        Have the groups and the version of a slave's master.

        They are compared in steps, and adopted in the last one.
        """
        equal: dict[str, SubscriptionGroup] = {}
        for count, (name, group) in enumerate(table.items(), 1):
            known = self.table.get(name)
            if known is not None and known == group:
                equal[name] = known
            if count % SLICE == 0:
                yield
        # In place: a document may be in the making.
        for name in list(self._encoded):
            known = equal.get(name)
            if known is None or known is not self.table.get(name):
                del self._encoded[name]
        self.table, self.forbidden_table = table, forbidden
        self.data_version = version
        self._document.changed()

    @property
    def _is_at_limit(self) -> bool:
        """Return whether no more groups may be created."""
        return len(self.table) >= self.limit

    def _may_create(self, group: str) -> bool:
        """Return whether a group may be created by being named in a request."""
        system = self._create_system and group.startswith(SYSTEM_GROUP_PREFIX)
        if not self.auto_create and not system:
            return False
        try:
            check_group_name(group)
        except IllegalGroup:
            return False
        return True

    def _changed(self) -> None:
        """Increment the version and schedule a write."""
        now_ms = int(self._wall_time() * 1000)
        self.data_version = self.data_version.next(now_ms)
        self._document.changed()
