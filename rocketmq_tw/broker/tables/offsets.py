"""
Consumer offsets: for each group and queue, the next queue offset to read.

An offset below zero means that the group never committed one, in the file as in a
request: Node's client commits -1 for a queue that it has not read from yet.

Source: ``ConsumerOffsetManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.errors import TooManyOffsets
from rocketmq_tw.broker.tables.checks import check_offsets, usable
from rocketmq_tw.broker.tables.document import Document
from rocketmq_tw.broker.tables.encoded_offsets import EncodedOffsets
from rocketmq_tw.broker.tables.resets import PendingResets
from rocketmq_tw.clock import wall_time
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.entries import fill
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable

#: The table's version is incremented after this many commits that change an offset.
VERSION_STEP = 500
#: How many offsets of another broker are taken over in one step.
ADOPTED = 2000
_NO_OFFSETS = b'"offsetTable":{}'


class ConsumerOffsets:
    """
    The offsets of all groups, kept in ``consumerOffset.json``.

    A timer writes them, not each commit: after a crash some groups read the last
    messages again.

    :param clock: provides the time in the table's version.
    :param limit: how many offsets are kept, of all groups and queues.
    :ivar refused: how many were not kept because of the limit.
    :ivar table: maps (topic, group) to queue id to offset.
    :ivar shape: changes where an offset is added or removed.
    :ivar resets: those that consumers have to learn of.
    :ivar before_write: called before the file is written by a timer, which waits for
        the Deferred: until what the offsets rely on is on disk.
    """

    _log = Logger()

    def __init__(
        self, file: JsonFile, *, clock: IReactorTime, limit: int = 500_000
    ) -> None:
        self.limit = limit
        self.before_write: Callable[[], Deferred[Any] | None] = lambda: None
        self.resets = PendingResets(limit)
        self._count = self.shape = 0
        self.refused = 0
        self._file = file
        self._document = Document(
            file,
            self.encode,
            clock.callLater,
            steps=self.encode_in_steps,
            by_timer=True,
            before_write=lambda: self.before_write(),
        )
        self._wall_time = wall_time(clock)
        self._commits = 0
        self.table: dict[tuple[str, str], dict[int, int]] = {}
        self._encoded = EncodedOffsets(self.table)
        self.data_version = DataVersion()

    def load(self) -> None:
        """
        Read the file. Blocks.

        :raises DamagedDocument: neither the file nor its backup is a table of offsets.
        """
        stored = self._file.load_as(ConsumerOffsetTable.decode)
        if stored is None:
            return
        self.data_version = stored.data_version or DataVersion()
        table = usable(self._file.path, stored.offset_table, check_offsets)
        for key, offsets in table.items():
            topic, _, group = key.partition("@")
            committed = {queue: at for queue, at in offsets.items() if at >= 0}
            if committed:
                self.table[topic, group] = committed
        self._count = sum(map(len, self.table.values()))

    def save(self) -> None:
        """
        Write the file if anything was committed since the last write. Blocks.

        :raises OSError: it could not be written; the next call retries.
        """
        self._document.save()

    def save_in_steps(self) -> None:
        """
        Like :meth:`save`, but encode a part in each reactor iteration.

        What is committed meanwhile may be in the file or not; the next call writes it.
        """
        self._document.write()

    def commit(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """
        Store how far a group has read a queue, even if that is less than before.

        :param offset: the next queue offset to read; below zero, the group has not
            committed one from now on.
        :raises TooManyOffsets: the queue has none of the group, and no more are kept.
        """
        if offset < 0:
            self._forget(group, topic, queue_id)
            return
        key = topic, group
        offsets = self.table.get(key)
        if offsets is None or queue_id not in offsets:
            offsets = self._add_entry(group, topic)
        elif offsets[queue_id] == offset:
            return  # as most pulls do that find nothing
        offsets[queue_id] = offset
        # As in _changed: this is on the path of pulls.
        self._encoded.changed(key)
        self._document.dirty = True
        self._commits += 1
        if self._commits % VERSION_STEP == 0:
            self._count_up()

    def reset(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """
        Let a group continue from an offset, whatever its members are doing.

        :raises TooManyOffsets: no more are kept.
        """
        self.commit(group, topic, queue_id, offset)
        self.resets.add(group, topic, queue_id, offset)

    def adopt(
        self,
        table: Mapping[str, Mapping[int, int]],
        version: DataVersion | None,
        *,
        back: bool = True,
    ) -> Iterator[None]:
        """
        Take over the offsets of another broker of this name, in steps; others stay.

        :param table: maps ``topic@group`` to queue id to offset.
        :param back: also take over those that are behind the ones here.
        :raises TooManyOffsets: no more are kept.
        """
        count = 0
        for key, offsets in table.items():
            topic, _, group = key.partition("@")
            for queue_id, offset in offsets.items():
                known = -1 if back else self.query(group, topic, queue_id)
                if offset > (-1 if known is None else known):
                    self.commit(group, topic, queue_id, offset)
                count += 1
                if count % ADOPTED == 0:
                    yield
        if version is not None:
            self.data_version = version

    def _add_entry(self, group: str, topic: str) -> dict[int, int]:
        """Return the offsets that one more is to be added to."""
        if self._count >= self.limit:
            self.refused += 1
            raise TooManyOffsets(self.limit)
        self._count += 1
        self.shape += 1
        return self.table.setdefault((topic, group), {})

    def __len__(self) -> int:
        """Return how many offsets are kept, of all groups and queues."""
        return self._count

    def query(self, group: str, topic: str, queue_id: int) -> int | None:
        """Return how far a group has read a queue; None if it never committed."""
        offsets = self.table.get((topic, group))
        return None if offsets is None else offsets.get(queue_id)

    def bound(self, max_offset: Callable[[str, int], int]) -> None:
        """
        Reset offsets behind the end of their queue to that end.

        They occur after a power cut that lost messages; the group would miss the next
        ones. Empty queues are ignored: their messages may be stored in a form not
        supported here.
        """
        count, first = 0, ""
        for (topic, group), offsets in self.table.items():
            for queue_id, offset in offsets.items():
                end = max_offset(topic, queue_id)
                if 0 < end < offset:
                    count += 1
                    first = first or (
                        f"{group} had read {topic}/{queue_id} up to {offset}; the queue"
                        f" ends at {end}"
                    )
                    self.commit(group, topic, queue_id, end)
        if count:
            self._log.warn(
                "{count} offsets were behind the ends of their queues; the first:"
                " {first}",
                count=count,
                first=first,
            )

    def of_group(self, group: str) -> dict[str, dict[int, int]]:
        """Return a group's offsets: topic to queue id to offset."""
        return {topic: each for (topic, g), each in self.table.items() if g == group}

    def remove_group(self, group: str) -> None:
        """Remove all offsets of a group."""
        self._remove([key for key in self.table if key[1] == group])

    def remove_topic(self, topic: str) -> None:
        """Remove all groups' offsets in a topic."""
        self._remove([key for key in self.table if key[0] == topic])

    def encode(self) -> bytes:
        """Encode the table for ``consumerOffset.json`` and for request code 43."""
        return all_at_once(self.encode_in_steps())

    def encode_in_steps(self) -> Steps[bytes]:
        """Do as :meth:`encode`, some thousand offsets at each step."""
        entries = yield from self._encoded.in_steps()
        empty = fastjson.dumps(ConsumerOffsetTable({}, self.data_version))
        return fill(empty, _NO_OFFSETS, entries)

    def take_changed(self) -> set[int] | None:
        """
        Return in which blocks of keys an offset may have changed since the last call.

        There is one who calls it; :func:`.block_of` finds the block of a key.

        :returns: None if all may have.
        """
        return self._encoded.take_changed()

    def _forget(self, group: str, topic: str, queue_id: int) -> None:
        """Remove the offset of one queue, if there is one."""
        offsets = self.table.get((topic, group), {})
        if offsets.pop(queue_id, None) is None:
            return
        self._changed((topic, group))
        self._count -= 1
        self.shape += 1
        if not offsets:
            del self.table[topic, group]

    def _remove(self, keys: list[tuple[str, str]]) -> None:
        """Remove entries of the table."""
        for key in keys:
            self._count -= len(self.table.pop(key))
            self.resets.forget(*key)
            self._changed(key)
        self.shape += 1
        if keys:
            self._count_up()

    def _changed(self, key: tuple[str, str]) -> None:
        """Have an entry encoded again, when a timer has the table written."""
        self._encoded.changed(key)
        self._document.dirty = True

    def _count_up(self) -> None:
        """Increment the version."""
        now_ms = int(self._wall_time() * 1000)
        self.data_version = self.data_version.next(now_ms)
