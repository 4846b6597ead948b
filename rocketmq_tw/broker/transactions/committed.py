"""
Looks whether the message of a half message is stored already.

The index finds it by its unique key. A client may give one key to many messages: they
are looked at page by page, the latest first, and not behind the half message.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.broker.transactions.stored import HalfMessage
from rocketmq_tw.model import sysflag
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.store.interfaces import IMessageStore, KeyQuery
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.record import as_stored, decode

_LATEST_MS = (1 << 63) - 1


class CommittedLookup:
    """
    Looks in a store.

    :ivar unknown: how many messages too many others had the key of.
    """

    _log = Logger()

    def __init__(self, store: IMessageStore) -> None:
        self._store = store
        self.unknown = 0

    def is_stored(self, half: HalfMessage) -> Deferred[bool]:
        """
        Look for a message.

        Fails with Refused while the index is behind. Without an index nobody knows:
        the message is stored then, as Apache RocketMQ does.
        """
        return Deferred.fromCoroutine(self._is_stored(half))

    async def _is_stored(self, half: HalfMessage) -> bool:
        at = half.message.commit_log_offset
        before: int | None = None
        while True:
            found = await self._store.query(_query(half, before))
            if found.records:
                return True
            if found.is_behind:
                # Its producer is asked again; to store it may be to store it twice.
                raise Refused(
                    ResponseCode.SYSTEM_BUSY,
                    "the transaction is not ended yet, try again: whether its message"
                    f" is stored is not known, as {found.gap}",
                )
            stopped = found.stopped_at
            if stopped is None or stopped <= at:
                return False
            if before is not None and stopped >= before:
                break
            before = stopped
        self.unknown += 1
        self._log.warn(
            "the message of half message {offset} is stored, perhaps once more: too"
            " many others have its key to look at those before {before} in the commit"
            " log",
            offset=half.message.queue_offset,
            before=before,
        )
        return False


def _query(half: HalfMessage, before: int | None) -> KeyQuery:
    """Return the query for a message, before an offset of the commit log."""
    at = half.message.commit_log_offset
    return KeyQuery(
        topic=half.topic,
        key=half.unique_key,
        max_count=1,
        begin_ms=0,
        end_ms=_LATEST_MS,
        is_unique=True,
        matches=lambda record: _is_committed(record, at),
        before=before,
    )


def _is_committed(record: bytes, half_at: int) -> bool:
    """Return whether a record is the message of a half message that was committed."""
    message = decode(record, inflate=as_stored)
    kind = message.sys_flag & sysflag.TRANSACTION_MASK
    return kind == sysflag.COMMIT and message.prepared_transaction_offset == half_at
