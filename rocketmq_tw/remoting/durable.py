"""
Responses that wait until a log is on disk, as bytes.

Many requests wait for the same fsync. Their responses are encoded when the messages are
stored, kept in one list a connection, and written at once when the fsync returns. The
log calls each connection once; no Deferred and no closure is made for a message.

If the fsync fails or takes too long, then the frames are replaced. They hold what is
needed for that: the number and the form of their requests. All connections together may
have 100,000 responses then, so each replaces some at a time, in its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import msgspec

from rocketmq_tw.model.flush_waiter import FlushWaiter
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.recode import with_code


class ResponseWaiter(FlushWaiter, Protocol):
    """A :class:`FlushWaiter` that reports with a code what is missing."""

    def expire(
        self, code_for: Callable[[int, float], ResponseCode | None]
    ) -> float | None:
        """Do as ``expired``; the log decides what has waited too long, and its code."""


class DurableLog(Protocol):
    """A log that is flushed."""

    def await_flush(self, waiter: ResponseWaiter, end: int) -> bool:
        """
        Call ``waiter`` once the log is on disk up to ``end``, which never decreases.

        :returns: False if it need not wait.
        """


#: Replaces the frame of a response.
Replace = Callable[[bytes], bytes]
#: Does work in its turn with that of other connections.
Postpone = Callable[[Callable[[], None]], None]
#: Sees responses as they are sent: the code of their requests, that of the responses,
#: since when they waited, and how many they are.
Released = Callable[[int, int, float, int], None]
#: How many frames are replaced in one turn, and a few more: some 2 ms.
AT_ONCE = 100


class AfterFlush(msgspec.Struct, frozen=True, gc=False):
    """A response that is sent once ``log`` is on disk up to ``end``."""

    response: Response
    end: int
    log: DurableLog


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """Joined frames of responses that wait for one offset."""

    end: int
    since: float
    count: int
    frames: bytes
    code: int = 0


class AwaitingFlush:
    """
    The responses of one connection that wait for the disk: a :class:`ResponseWaiter`.

    :param send: writes frames.
    :param on_sent: called with the number of responses that no longer wait.
    :param refuse: returns the frame of the error response that replaces a frame.
    :param postpone: does work in its turn with that of other connections.
    :param on_released: sees what is sent; None for nobody.
    """

    __slots__ = (
        "_late",
        "_on_released",
        "_on_sent",
        "_postpone",
        "_refuse",
        "_send",
        "_waiting",
    )

    # _waiting is in the order of the log, so the first are the first to be released.
    # _late is what is to be replaced, and how; a turn is taken while there is any, and
    # each deque in it has some.

    def __init__(
        self,
        *,
        send: Callable[[bytes], None],
        on_sent: Callable[[int], None],
        refuse: Callable[[bytes, Exception], bytes],
        postpone: Postpone,
        on_released: Released | None = None,
    ) -> None:
        self._on_released = on_released
        self._send = send
        self._postpone = postpone
        self._on_sent = on_sent
        self._refuse = refuse
        self._waiting: deque[_Waiting] = deque()
        self._late: deque[tuple[deque[_Waiting], Replace, ResponseCode]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self,
        frames: bytes,
        *,
        count: int,
        end: int,
        now: float,
        log: DurableLog,
        code: int = 0,
    ) -> bool:
        """
        Keep whole frames of responses, joined, until the log is on disk up to ``end``.

        :param code: of their requests.
        :returns: False if they need not wait; they are not kept then.
        """
        if not log.await_flush(self, end):
            return False
        self._waiting.append(_Waiting(end, now, count, frames, code))
        return True

    def flushed(self, end: int) -> bool:
        """Write the responses to what is on disk."""
        waiting = self._waiting
        due, count = [], 0
        while waiting and waiting[0].end <= end:
            first = waiting.popleft()
            due.append(first.frames)
            count += first.count
            if self._on_released is not None:
                self._on_released(first.code, 0, first.since, first.count)
        if due:
            self._release(due, count)
        return bool(waiting)

    def expired(self, before: float) -> float | None:
        """Report for what has waited too long that it may not be on disk."""
        late = ResponseCode.FLUSH_DISK_TIMEOUT
        return self.expire(lambda _, since: late if since <= before else None)

    def expire(
        self, code_for: Callable[[int, float], ResponseCode | None]
    ) -> float | None:
        """
        Report for what has waited too long that it may not be safe.

        :param code_for: returns the code for what ends at an offset and has waited
            since a time; None lets it, and all behind it, wait on.
        :returns: as :meth:`expired`.
        """
        waiting = self._waiting
        due: deque[_Waiting] = deque()
        last: ResponseCode | None = None
        while waiting:
            code = code_for(waiting[0].end, waiting[0].since)
            if code is not last and last is not None:
                self._replace(due, partial(_with_code, last), last)
                due = deque()
            if code is None:
                break
            last = code
            due.append(waiting.popleft())
        if last is not None:
            self._replace(due, partial(_with_code, last), last)
        return waiting[0].since if waiting else None

    def failed(self, error: Exception) -> None:
        """Report the error for everything that waits."""
        waiting, self._waiting = self._waiting, deque()

        def refuse(frame: bytes) -> bytes:
            return self._refuse(frame, error)

        self._replace(waiting, refuse, ResponseCode.SYSTEM_ERROR)

    def clear(self) -> None:
        """Forget all: the connection is gone."""
        self._waiting.clear()
        self._late.clear()

    def _replace(
        self, late: deque[_Waiting], replace: Replace, status: ResponseCode
    ) -> None:
        """Replace responses by others, when it is this connection's turn."""
        if not late:
            return
        self._late.append((late, replace, status))
        if len(self._late) == 1:
            self._postpone(self._replace_some)

    def _replace_some(self) -> None:
        """Write some of the responses that replace others."""
        frames: list[bytes] = []
        count = 0
        while self._late and len(frames) < AT_ONCE:
            late, replace, status = self._late[0]
            waiting = late.popleft()
            frames += map(replace, split(waiting.frames))
            count += waiting.count
            if self._on_released is not None:
                self._on_released(waiting.code, status, waiting.since, waiting.count)
            if not late:
                self._late.popleft()
        if self._late:
            self._postpone(self._replace_some)
        if frames:
            self._release(frames, count)

    def _release(self, frames: list[bytes], count: int) -> None:
        """Write frames in one piece."""
        self._send(frames[0] if len(frames) == 1 else b"".join(frames))
        self._on_sent(count)


def _with_code(code: ResponseCode, frame: bytes) -> bytes:
    """Return the frame of the same response with another code."""
    return with_code(frame, code)


def split(frames: bytes) -> Iterator[bytes]:
    """Cut whole frames that were joined."""
    at = 0
    while at < len(frames):
        end = at + 4 + int.from_bytes(frames[at : at + 4], "big")
        yield frames[at:end]
        at = end
