"""
Delivers pulled messages to the application, when it polls.

Queues take turns, so that a long one does not delay the others. Asking for more means
that what came before has been dealt with.

Source: ``DefaultLitePullConsumerImpl.poll`` of RocketMQ 5, which returns messages of
one queue at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.client.consumer.lite.cursors import Cursor, Cursors
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.client.errors import NotRunning, StateError
from rocketmq_tw.model.message import StoredMessage


class _Poll(msgspec.Struct, eq=False):
    """A poll that waits for messages."""

    limit: int
    result: Deferred[list[StoredMessage]]
    timer: IDelayedCall | None = None


class Delivery:
    """
    The messages that wait for a poll, or the poll that waits for messages.

    :param delivered: called with the messages of each queue that a poll returns; None
        calls nothing.
    :ivar is_closed: True when no more messages are delivered.
    """

    def __init__(
        self,
        clock: IReactorTime,
        cursors: Cursors,
        delivered: Callable[[list[StoredMessage]], None] | None = None,
    ) -> None:
        self._clock = clock
        self._cursors = cursors
        self._delivered = delivered
        #: The queues that have messages, in the order of their turns.
        self._ready: dict[Cursor, None] = {}
        self._poll: _Poll | None = None
        self.is_closed = False

    def add(self, messages: ProcessQueue, _new: list[StoredMessage]) -> None:
        """Called when messages of a queue were pulled."""
        cursor = self._cursors.find(messages.queue)
        if cursor is not None and cursor.messages is messages:
            self._ready[cursor] = None
            self.wake()

    def discard(self, messages: ProcessQueue) -> None:
        """Forget a queue that was released."""
        cursor = self._cursors.find(messages.queue)
        if cursor is not None and cursor.messages is messages:
            self._ready.pop(cursor, None)
        self._cursors.forget(messages)

    def wake(self) -> None:
        """Respond to the poll that waits, if there are messages for it."""
        poll = self._poll
        if poll is not None and not self.is_closed:
            messages = self._take(poll.limit)
            if messages:
                self._finish(poll, messages)

    def close(self) -> None:
        """Deliver no more messages; a poll that waits gets none."""
        self.is_closed = True
        if self._poll is not None:
            self._finish(self._poll, [])

    # -- polls

    def poll(self, limit: int, timeout: float | None) -> Deferred[list[StoredMessage]]:
        """
        Return messages, at most ``limit``; what came before has been dealt with.

        :param timeout: seconds until it fires with no messages; None waits for them.
        :returns: cancelling it leaves the messages here.
            Fails with :class:`NotRunning` once this is closed, and
            :class:`StateError` if another poll waits.
        """
        if self._poll is not None:
            return fail(StateError("another poll waits for messages"))
        self._cursors.confirm()
        if self.is_closed:
            return fail(NotRunning("the consumer was stopped"))
        messages = self._take(limit)
        if messages or (timeout is not None and timeout <= 0):
            return succeed(messages)
        poll = _Poll(limit, Deferred(self._cancelled))
        if timeout is not None:
            poll.timer = self._clock.callLater(timeout, self._finish, poll, [])
        self._poll = poll
        return poll.result

    def poll_or_end(self, limit: int) -> Deferred[list[StoredMessage]]:
        """Poll without a timeout; once this is closed, it returns no messages."""
        if self.is_closed:
            self._cursors.confirm()
            return succeed([])
        return self.poll(limit, None)

    def put_back(self) -> None:
        """Undo the last poll, whose messages were not received."""
        for cursor in self._cursors.put_back():
            if len(cursor.messages):
                self._ready[cursor] = None

    def _take(self, limit: int) -> list[StoredMessage]:
        """Take messages of the queues whose turn it is."""
        taken: list[StoredMessage] = []
        ready = self._ready
        for cursor in list(ready) if len(ready) > 1 else tuple(ready):
            if len(taken) >= limit:
                break
            if not cursor.is_open:
                continue
            messages = self._cursors.take(cursor, limit - len(taken))
            if messages and self._delivered is not None:
                self._delivered(messages)
            taken += messages
            del ready[cursor]
            if len(cursor.messages):
                # Its next turn comes after the others'.
                ready[cursor] = None
        return taken

    def _finish(self, poll: _Poll, messages: list[StoredMessage]) -> None:
        """Fire the Deferred of a poll."""
        self._forget(poll)
        poll.result.callback(messages)

    def _cancelled(self, result: Deferred[Any]) -> None:
        """Forget a poll that its caller has cancelled."""
        if self._poll is not None:
            self._forget(self._poll)
        result.errback(CancelledError())

    def _forget(self, poll: _Poll) -> None:
        """Forget the poll that waits."""
        self._poll = None
        if poll.timer is not None and poll.timer.active():
            poll.timer.cancel()
