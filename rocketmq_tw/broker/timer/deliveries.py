"""
What was delivered since the last check point, so that a restart repeats nothing.

Copies of timed messages say which record they were made from
(:mod:`rocketmq_tw.broker.timer.copies`). The check point says from where in the commit
log there may be copies of messages that it does not count as delivered, usually those
of one second; that part is read once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from twisted.logger import Logger

from rocketmq_tw.broker.timer.copies import source_of
from rocketmq_tw.broker.timer.copy_keys import CopyKeys
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.interfaces import IMessageStore

#: Records that are read in one step: some 2 ms.
_AT_ONCE = 256
#: Records that rolled which are kept at most.
MAX_SUPERSEDED = 500_000


class Deliveries:
    """
    The commit log offsets of records that were delivered.

    Eight bytes for each that was found in the log.

    :ivar until_ms: when the last of them was delivered; so its slot is before that.
    :ivar keys: what another broker has delivered.
    :ivar superseded_over: how many records that rolled were not kept.
    :ivar start: where in the commit log those were found, or are to be found again;
        None if there are none any more.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._found = array("q")
        self._added: set[int] = set()
        self._superseded: set[int] = set()
        self.keys = CopyKeys()
        self.superseded_over = 0
        self.start: int | None = None
        self.until_ms = 0

    def __len__(self) -> int:
        found = len(self._found) + len(self.keys)
        return found + len(self._added) + len(self._superseded)

    def __contains__(self, offset: int) -> bool:
        if offset in self._added or offset in self._superseded:
            return True
        if not self._found:
            return False
        at = bisect_left(self._found, offset)
        return at < len(self._found) and self._found[at] == offset

    def add(self, offset: int) -> None:
        """Add a record that was delivered just now, but is not linked yet."""
        self._added.add(offset)

    def discard(self, offsets: Iterable[int]) -> None:
        """Forget records that were added: they are linked."""
        if self._added:
            self._added.difference_update(offsets)

    def supersede(self, offset: int) -> None:
        """Add a record that is linked, but rolled: a copy of it waits."""
        if len(self._superseded) < MAX_SUPERSEDED:
            self._superseded.add(offset)
            return
        if not self.superseded_over:
            self._log.warn(
                "more than {most} timed messages rolled before this broker has read"
                " their queue: some of the others come twice",
                most=MAX_SUPERSEDED,
            )
        self.superseded_over += 1

    def forget(self) -> None:
        """Forget what was found in the log: the check point counts it."""
        self._found = array("q")
        self.keys = CopyKeys()
        self.start = None

    def read(self, store: IMessageStore, start: int, file_size: int) -> Steps[None]:
        """
        Read the commit log from an offset on.

        :param file_size: of the commit log's files: each may end with filler.
        """
        found: list[int] = []
        at, count = max(start, store.commit_log_min), 0
        end = store.commit_log_max
        while at < end:
            record = yield from result_of(store.record_at(at))
            if record is None:
                at += file_size - at % file_size
            else:
                source = source_of(record)
                if source is not None:
                    if source.offset is not None:
                        found.append(source.offset)
                    else:
                        self.keys.add(source.topic, source.unique_key, source.out_ms)
                    self.until_ms = max(self.until_ms, source.copied_ms)
                at += len(record)
            count += 1
            if count % _AT_ONCE == 0:
                yield None
        self._found = array("q", sorted(found))
        self.start = start
