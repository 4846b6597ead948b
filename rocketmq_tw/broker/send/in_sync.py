"""
Refuses sends while too few brokers are in sync.

Installed only where that can happen: at a SYNC_MASTER with ``enableSlaveActingMaster``
(:mod:`rocketmq_tw.replication.quorum`). Nothing is stored then. A message that does not
wait to be stored (``WAIT`` is false) is accepted.

Source: ``CommitLog.asyncPutMessage`` and ``SendMessageProcessor`` of RocketMQ 5.5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from rocketmq_tw.broker.send.properties import waits_for_flush
from rocketmq_tw.broker.send.responses import Sending
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.replication.acks import SlaveAcks
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.send import SendFields

#: Handles a send.
SendHandler = Callable[[SendFields, Call], Sending]


class InSyncGuard:
    """
    Knows whether messages may be stored.

    :ivar refused: how many sends were refused.
    """

    _log = Logger()

    def __init__(self, acks: SlaveAcks) -> None:
        self._acks = acks
        self._had_enough = True
        self.refused = 0

    def guard(self, handler: SendHandler) -> SendHandler:
        """Return a handler of sends that refuses those that nobody could copy."""

        def send(request: SendFields, call: Call) -> Sending:
            if waits_for_flush(request.properties or ""):
                self._check()
            return handler(request, call)

        return send

    def _check(self) -> None:
        """Check that enough are in sync. :raises Refused: they are not."""
        if self.has_enough():
            return
        self.refused += 1
        raise Refused(ResponseCode.SYSTEM_ERROR, "in-sync replicas not enough")

    def has_enough(self) -> bool:
        """Whether enough are in sync; the log says when that changes."""
        has_enough = self._acks.has_enough
        if has_enough is not self._had_enough:
            self._had_enough = has_enough
            text = (
                "enough brokers are in sync again: sends are accepted"
                if has_enough
                else "sends are refused: {count} of the brokers of this name are in"
                " sync, fewer than inSyncReplicas or minInSyncReplicas need"
            )
            self._log.warn(text, count=self._acks.in_sync)
        return has_enough
