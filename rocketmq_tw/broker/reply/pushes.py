"""
The replies that were pushed to clients which have not confirmed them yet.

Each is kept until the client responds, for ten seconds at most. A client that is silent
cannot keep the replies of others from being pushed: each connection has a limit of its
own.

Source: ``ReplyMessageProcessor.pushReplyMessage`` of RocketMQ 5, where each waits in a
thread.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.errors import no_response
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.reply import PushReplyMessage

#: Seconds that a client has to confirm a reply.
CONFIRMATION = 10.0


class ReplyPushes:
    """
    Pushes replies.

    All have the same time, so one timer is enough, for the oldest.

    :param limit: how many may wait to be confirmed.
    :param limit_of_one: how many of one connection.
    :ivar waiting: how many wait now.
    :ivar refused: how many were not pushed because of the limits.
    """

    def __init__(self, clock: IReactorTime, *, limit: int, limit_of_one: int) -> None:
        self._clock = clock
        self._limit = limit
        self._limit_of_one = limit_of_one
        #: How many wait, of the connections with any; together :attr:`waiting`.
        self._of_one: dict[Peer, int] = {}
        #: When each is given up, the oldest first. While there is one there is a timer,
        #: which fires no later than that.
        self._deadlines: dict[Deferred[Any], float] = {}
        self._timer: IDelayedCall | None = None
        self.waiting = 0
        self.refused = 0

    def push(
        self, peer: Peer, client_id: str, request: PushReplyMessage
    ) -> Deferred[str | None]:
        """
        Push a reply to a client.

        :returns: fires with why the client has not taken it; None if it has.
        """
        if not peer.is_connected:
            return succeed(_failed(client_id, "Its connection is closed."))
        if peer.is_write_blocked:
            return succeed(_failed(client_id, "It does not read what it was sent."))
        of_one = self._of_one.get(peer, 0)
        if of_one >= self._limit_of_one or self.waiting >= self._limit:
            self.refused += 1
            return succeed(_failed(client_id, self._why(of_one)))
        self._of_one[peer] = of_one + 1
        self.waiting += 1
        # A client that waits for one reply has it at once; one that waits for many has
        # those of this reactor iteration together, which takes one write.
        pushed = peer.call(request, None, batched=of_one > 0)
        self._deadlines[pushed] = self._clock.seconds() + CONFIRMATION
        if self._timer is None:
            self._timer = self._clock.callLater(CONFIRMATION, self._expire)

        def confirmed(result: Response | Failure) -> str | None:
            self._end(peer)
            self._deadlines.pop(pushed, None)
            if not isinstance(result, Failure):
                return None
            if result.check(CancelledError):
                late = no_response(peer.address, PushReplyMessage, CONFIRMATION)
                return _failed(client_id, str(late))
            return _failed(client_id, result.getErrorMessage())

        return pushed.addBoth(confirmed)

    def stop(self) -> None:
        """Stop the timer: the connections are closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        """Wait no more for those whose time is over."""
        # The timer is kept until the end: what is pushed meanwhile sets no other.
        deadlines, now = self._deadlines, self._clock.seconds()
        while deadlines:
            pushed, deadline = next(iter(deadlines.items()))
            if deadline > now:
                self._timer = self._clock.callLater(deadline - now, self._expire)
                return
            del deadlines[pushed]
            pushed.cancel()
        self._timer = None

    def _why(self, of_one: int) -> str:
        """Return which limit is reached."""
        if of_one >= self._limit_of_one:
            return (
                f"It has not confirmed {of_one} replies, as many as"
                " maxReplyPushesPerConnection lets wait."
            )
        return f"{self.waiting} replies wait, as many as maxReplyPushes lets."

    def _end(self, peer: Peer) -> None:
        """One of a connection does not wait any more."""
        self.waiting -= 1
        left = self._of_one[peer] - 1
        if left:
            self._of_one[peer] = left
        else:
            del self._of_one[peer]


def _failed(client_id: str, why: str) -> str:
    """Return the remark for a responder; it begins as Apache RocketMQ's."""
    return f"push reply message to {log_safe(client_id)}fail. {why}"
