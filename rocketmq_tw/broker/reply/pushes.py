"""
The replies that were pushed to clients which have not confirmed them yet.

Each is kept until the client responds, for ten seconds at most. A client that is silent
cannot keep the replies of others from being pushed: each connection has a limit of its
own.

Source: ``ReplyMessageProcessor.pushReplyMessage`` of RocketMQ 5, where each waits in a
thread.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.reply import PushReplyMessage

#: Seconds that a client has to confirm a reply.
CONFIRMATION = 10.0


class ReplyPushes:
    """
    Pushes replies.

    :param limit: how many may wait to be confirmed.
    :param limit_of_one: how many of one connection.
    :ivar waiting: how many wait now.
    :ivar refused: how many were not pushed because of the limits.
    """

    def __init__(self, *, limit: int, limit_of_one: int) -> None:
        self._limit = limit
        self._limit_of_one = limit_of_one
        #: How many wait, of the connections with any; together :attr:`waiting`.
        self._of_one: dict[Peer, int] = {}
        self.waiting = 0
        self.refused = 0

    def push(
        self, peer: Peer, client_id: str, request: PushReplyMessage
    ) -> Deferred[str | None]:
        """
        Push a reply to a client.

        :returns: fires with why the client has not taken it; None if it has.
        """
        failed = f"push reply message to {log_safe(client_id)}fail."
        if not peer.is_connected:
            return succeed(f"{failed} Its connection is closed.")
        if peer.is_write_blocked:
            return succeed(f"{failed} It does not read what it was sent.")
        of_one = self._of_one.get(peer, 0)
        if of_one >= self._limit_of_one or self.waiting >= self._limit:
            self.refused += 1
            return succeed(f"{failed} {self._why(of_one)}")
        self._of_one[peer] = of_one + 1
        self.waiting += 1
        # A client that waits for one reply has it at once; one that waits for many has
        # those of this reactor iteration together, which takes one write.
        pushed = peer.call(request, CONFIRMATION, batched=of_one > 0)

        def confirmed(result: Response | Failure) -> str | None:
            self._end(peer)
            if isinstance(result, Failure):
                return f"{failed} {result.getErrorMessage()}"
            return None

        return pushed.addBoth(confirmed)

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
