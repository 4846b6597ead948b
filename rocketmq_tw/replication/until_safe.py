"""Single messages that are waited for until they are safe, by a Deferred each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.wire.codes import ResponseCode


class _Waiting(msgspec.Struct, frozen=True):
    """A message that ends at an offset, and is waited for since a time."""

    end: int
    since: float
    done: Deferred[ResponseCode | None]


class UntilSafe:
    """
    Waits for messages; a :class:`~rocketmq_tw.replication.acks.SendWaiter`.

    One stands for all that wait, so that an ack costs what it releases.
    """

    # In the order of the log, so the first are the first to be released.

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, end: int, since: float) -> Deferred[ResponseCode | None]:
        """
        Wait for a message that ends at ``end``, which never decreases.

        :returns: fires with None when it is safe, or with the code of what is missing;
            fails if nothing gets on disk any more.
        """
        done: Deferred[ResponseCode | None] = Deferred()
        self._waiting.append(_Waiting(end, since, done))
        return done

    def flushed(self, end: int) -> bool:
        """The log is safe up to ``end``."""
        waiting = self._waiting
        while waiting and waiting[0].end <= end:
            _fire(waiting.popleft(), None)
        return bool(waiting)

    def expire(
        self, code_for: Callable[[int, float], ResponseCode | None]
    ) -> float | None:
        """Stop waiting for messages for which there is a code."""
        waiting = self._waiting
        while waiting:
            code = code_for(waiting[0].end, waiting[0].since)
            if code is None:
                return waiting[0].since
            _fire(waiting.popleft(), code)
        return None

    def failed(self, error: Exception) -> None:
        """Nothing gets on disk any more."""
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            _fire(each, Failure(error))


def _fire(waiting: _Waiting, result: ResponseCode | Failure | None) -> None:
    """Fire a Deferred that was not cancelled."""
    if not waiting.done.called:
        waiting.done.callback(result)
