"""
Sends whose bodies take long to compress: a thread does it, one after another.

Who sends in order expects that messages are stored as they were passed to ``send``. So
what is sent in order while such a body is compressed waits behind it, whatever its
size; other messages do not.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.client.errors import QueueFull, SendCancelled
from rocketmq_tw.client.producer.attempt import call_one_way
from rocketmq_tw.client.producer.in_flight import InFlight
from rocketmq_tw.client.producer.message import Preparation, Prepared
from rocketmq_tw.client.producer.selectors import Choice
from rocketmq_tw.client.producer.sends import ONE_WAY, Sends
from rocketmq_tw.model.message import Message
from rocketmq_tw.remoting.waiters import Waiters
from rocketmq_tw.threads import RunInThread

#: A body as it is sent, and its flags.
Compressed = tuple[bytes, int]


class LargeSend(msgspec.Struct, frozen=True):
    """
    A message that waits for a thread, or behind one that does.

    :ivar one_way: whether it has no response.
    :ivar prepared: a batch, whose first message this is, as it is sent.
    """

    preparation: Preparation
    sends: Sends
    message: Message
    choice: Choice | None
    one_way: bool = False
    prepared: Prepared | None = None

    @property
    def is_large(self) -> bool:
        """Whether its own body is to be compressed."""
        return self.prepared is None and self.preparation.is_large(self.message)

    @property
    def size(self) -> int:
        """Bytes of memory that it uses while it waits."""
        return len(self.message.body) if self.prepared is None else self.prepared.size

    def compress(self) -> Compressed:
        """Compress its body; called in a thread."""
        return self.preparation.compress(self.message.body)

    def begin(self, compressed: Compressed | None, left: float) -> Deferred[Any]:
        """
        Send it.

        :param compressed: its body as it is sent; None if that is small.
        :param left: seconds.
        """
        prepared = self.prepared or self.preparation.one(self.message, compressed)
        if self.one_way:
            return self.sends.start(prepared, self.choice, left, ONE_WAY, call_one_way)
        return self.sends.send(prepared, self.choice, left)


class LargeBodies:
    """
    The sends of one producer that wait for a thread.

    :param in_flight: where they count as in flight already, so that those beyond its
        limits fail; None lets them wait, as all do that are beyond.
    :param limit: how many may wait.
    """

    def __init__(
        self,
        run_in_thread: RunInThread,
        clock: IReactorTime,
        in_flight: InFlight | None = None,
        limit: int = 65536,
    ) -> None:
        self._run_in_thread = run_in_thread
        self._clock = clock
        self._in_flight = in_flight
        self._limit = limit
        #: In the order of the calls; the body of the first is being compressed.
        self._waiting: deque[_Waiting] = deque()
        #: Whether the first is being gone on with: a result may add another.
        self._is_going_on = False
        self._idle = Waiters()

    @property
    def is_busy(self) -> bool:
        """Whether a body is being compressed."""
        return bool(self._waiting)

    def add(self, send: LargeSend, timeout: float) -> Deferred[Any]:
        """
        Compress a body and send it, after those that wait already.

        :returns: fires as the send does.
        :raises QueueFull: too many wait, or are in flight.
        """
        if len(self._waiting) >= self._limit:
            why = f"{len(self._waiting)} messages wait for one that is compressed"
            raise QueueFull(why)
        if self._in_flight is not None:
            self._in_flight.check(send.size)
            self._in_flight.take(send.size)
        waiting = _Waiting(send, self._clock.seconds() + timeout)
        self._waiting.append(waiting)
        if not self._is_going_on:
            self._next()
        return waiting.result

    def when_idle(self) -> Deferred[None]:
        """Fires when nothing waits."""
        return self._idle.add() if self._waiting else succeed(None)

    def cancel(self) -> None:
        """Cancel all that wait."""
        for waiting in list(self._waiting):
            waiting.result.cancel()

    def _next(self) -> None:
        """Go on with the first that waits."""
        self._is_going_on = True
        while self._waiting:
            waiting = self._waiting[0]
            if waiting.send.is_large and not waiting.result.called:
                self._compress(waiting)
                return
            self._waiting.popleft()
            self._begin(waiting, None)
        self._is_going_on = False
        self._idle.fire()

    def _compress(self, waiting: _Waiting) -> None:
        """Compress a body in a thread."""
        made: list[Compressed] = []
        done = self._run_in_thread(lambda: made.append(waiting.send.compress()))

        def compressed(_result: Any) -> None:
            self._waiting.popleft()
            # If there is no thread any more, or no memory, it is sent as it is.
            plain = (waiting.send.message.body, 0)
            self._begin(waiting, made[0] if made else plain)
            self._next()

        done.addBoth(compressed)

    def _begin(self, waiting: _Waiting, compressed: Compressed | None) -> None:
        """Send a message, unless its sender has cancelled."""
        if self._in_flight is not None:
            # It takes a permit of its own, for what it is compressed.
            self._in_flight.release(waiting.send.size)
        if not waiting.result.called:
            left = waiting.deadline - self._clock.seconds()
            waiting.begin(compressed, left)


class _Waiting:
    """A send that waits."""

    __slots__ = ("_sending", "deadline", "result", "send")

    def __init__(self, send: LargeSend, deadline: float) -> None:
        self.send = send
        self.deadline = deadline
        self._sending: Deferred[Any] | None = None
        self.result: Deferred[Any] = Deferred(self._cancelled)

    def begin(self, compressed: Compressed | None, left: float) -> None:
        """Send it; the result is that of the send."""
        try:
            self._sending = self.send.begin(compressed, left)
        except Exception:
            self.result.errback()
            return
        self._sending.addBoth(self._done)

    def _done(self, outcome: Any) -> None:
        """Pass on the result."""
        if not self.result.called:
            if isinstance(outcome, Failure):
                self.result.errback(outcome)
            else:
                self.result.callback(outcome)

    def _cancelled(self, result: Deferred[Any]) -> None:
        """Cancel the send; it fails with how that ended."""
        if self._sending is not None:
            self._sending.cancel()
        else:
            result.errback(SendCancelled(maybe_sent=False))
