"""
How many brokers of a name must have a message before it is acknowledged.

=====================================================  =============================
settings                                               brokers, the master included
=====================================================  =============================
plain replication                                      ``inSyncReplicas``
``enableSlaveActingMaster``                            the same; refused if fewer
                                                       are in sync
with ``enableAutoInSyncReplicas``                      as many as are in sync, at
                                                       most ``inSyncReplicas``, at
                                                       least ``minInSyncReplicas``;
                                                       refused if fewer are in sync
=====================================================  =============================

In sync is the master itself, and each slave that lacks less than
``haMaxGapNotInSync`` bytes; with ``enableSlaveActingMaster`` at most as many as name
servers know.

Source: ``CommitLog.asyncPutMessage`` and ``calcNeedAckNums`` of RocketMQ 5.5.
"""

from __future__ import annotations

import msgspec


class Quorum(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    The rule of one master.

    :ivar replicas: ``inSyncReplicas``.
    :ivar minimum: ``minInSyncReplicas``; counts if the number is adapted.
    :ivar is_checked: whether messages are refused while too few brokers are in sync.
    :ivar is_adapted: whether it is enough that all that are in sync have a message.
    """

    replicas: int = 1
    minimum: int = 1
    is_checked: bool = False
    is_adapted: bool = False

    @property
    def most(self) -> int:
        """The most brokers that may have to have a message."""
        return max(self.replicas, self.minimum) if self._adapts else self.replicas

    def needed(self, in_sync: int) -> int:
        """
        Return how many brokers must have a message that is stored now.

        :param in_sync: how many are in sync.
        :returns: more than are in sync if the message must be refused.
        """
        if not self._adapts:
            return self.replicas
        return max(min(self.replicas, in_sync), self.minimum)

    def is_met(self, in_sync: int) -> bool:
        """Return whether a message may be stored now."""
        return not self.is_checked or self.needed(in_sync) <= in_sync

    @property
    def _adapts(self) -> bool:
        return self.is_checked and self.is_adapted
