"""
Where a slave begins: it compares its log with its master's, and an empty one begins.

A master takes a report of 0 as a wish for its last file. So a slave without messages,
which wants all of them, reports where the master's log begins; if that is 0, it fetches
the first record like any message and reports the end of it.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.replication.prefix import Bounds, MasterLog, OwnLog, check_prefix
from rocketmq_tw.store.replica import ReplicaLog


class NoFirstRecord(RocketMQError):
    """The master does not give its first record."""


class OwnStore(Protocol):
    """The slave's own messages."""

    def record_at(
        self, commit_log_offset: int
    ) -> bytes | None | Deferred[bytes | None]:
        """Return the record at an offset."""

    def flush(self) -> Deferred[None]:
        """Flush everything to disk."""


class Beginning:
    """
    Makes a slave's log ready to continue its master's.

    :param from_last_file: an empty log begins with the master's last file, else with
        its first.
    """

    def __init__(
        self, *, store: OwnStore, replica: ReplicaLog, from_last_file: bool
    ) -> None:
        self._store = store
        self._replica = replica
        self._from_last_file = from_last_file

    async def compare(self, master: MasterLog) -> bool:
        """
        Compare the logs, and let an empty one begin.

        :returns: whether it may begin with any file.
        :raises CannotFollow: it is not the beginning of the master's.
        :raises DamagedTransfer: no file of the slave's size begins there.
        """
        self._replica.drop_part()
        own = await self._own_log()
        bounds = await check_prefix(own, master)
        if not own.is_empty:
            # Only what is on disk is reported, with SYNC_FLUSH.
            await self._store.flush()
            return False
        if self._from_last_file:
            return True
        await self._begin_with_first(bounds, master)
        return False

    async def _own_log(self) -> OwnLog:
        replica = self._replica
        if replica.is_empty:
            return OwnLog(is_empty=True, end=0, last_offset=0, last_record=None)
        last = self._store.record_at(replica.last_offset)
        record = await last if isinstance(last, Deferred) else last
        return OwnLog(
            is_empty=False,
            end=replica.end,
            last_offset=replica.last_offset,
            last_record=record,
        )

    async def _begin_with_first(self, bounds: Bounds, master: MasterLog) -> None:
        """Let an empty log begin where the master's does."""
        replica = self._replica
        replica.begin_at(bounds.begin)
        if bounds.begin or bounds.end == 0:
            return
        record = await master.record_at(0)
        if record is None:
            raise NoFirstRecord("the master has no message at offset 0")
        replica.append(0, record)
