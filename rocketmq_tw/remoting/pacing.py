"""
Paces requests that take long, so that they hinder nobody.

Handlers of tables with 20,000 entries, and of large batches, work in *steps* of a
millisecond: a generator that yields between two of them, or yields a Deferred that it
waits for, and returns the response::

    def all(self, request, call):
        return self._pacer.run(self._all(), call.peer)

    def _all(self) -> Steps[Response]:
        for some in slices_of(self._table):
            pieces.append(encode(some))
            yield None
        return Response(body=b"".join(pieces))

Steps share :data:`TIME` of each reactor iteration. What finds it used up waits for the
next one, in which connections take turns. While a peer does not read its responses,
none is made for it; once it is gone, its requests are dropped.

Work that no single peer waits for, such as the registrations of one broker, has a key
instead. What has the same key is done in order; keys and peers take turns.

Quick handlers need none of this: connections share the reactor's time among them
(:mod:`rocketmq_tw.remoting.reactor_share`). A connection whose request waits here is
not read further (:class:`~rocketmq_tw.remoting.call.Exclusive`), so that each has one
at most.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.remoting.call import Exclusive, Peer
from rocketmq_tw.remoting.errors import TooManyWaiting
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.request_json import SMALL

_T = TypeVar("_T")
#: Yields between two steps: None, or what it waits for, and is sent its result.
Steps = Generator["Deferred[Any] | None", Any, _T]

#: Seconds of a reactor iteration that steps share.
TIME = 0.005
#: The same where the clock stands still.
STEPS = 10


class _Work(msgspec.Struct, eq=False):
    """
    Steps that wait for their next iteration, and what is sent to them there.

    :ivar peer: who waits for them; they are done without it where that is None.
    """

    steps: Steps[Any]
    done: Exclusive
    key: object
    peer: Peer | None
    sent: Any = None


class Pacer:
    """
    Shares the reactor's iterations among requests that are handled in steps.

    Without requests it schedules nothing.

    :param max_size: bytes that all waiting requests may have; one may have more.
    :param setting: the key of that limit in a configuration file, if it has one.
    :ivar size: bytes that they have.
    :ivar refused: how many were refused since the start.
    """

    # A key is in _works while any of its requests wait, and in _order while the next
    # of them may run: not while its peer is write-blocked.

    def __init__(
        self, clock: IReactorTime, max_size: int = 64 << 20, setting: str = ""
    ) -> None:
        self._setting = setting
        self._clock = clock
        self._max_size = max_size
        self.size = 0
        self.refused = 0
        self._works: dict[object, deque[_Work]] = {}
        self._order: deque[object] = deque()
        self._scheduled: IDelayedCall | None = None
        self._began = 0.0
        self._used = 0

    def __len__(self) -> int:
        """Return how many requests wait."""
        return sum(map(len, self._works.values()))

    def gauges(self) -> dict[str, Callable[[], int]]:
        """Return what runtime information shows."""
        return {
            "waitingRequests": lambda: len(self),
            "waitingRequestsSize": lambda: self.size,
            "waitingRequestsRefused": lambda: self.refused,
        }

    def is_waiting(self, key: object) -> bool:
        """Whether work of this key waits for another iteration."""
        return key in self._works

    def run(
        self,
        steps: Steps[_T],
        peer: Peer | None,
        size: int = 0,
        *,
        key: object = None,
    ) -> _T | Deferred[_T | None]:
        """
        Run steps, the first of them now if this iteration and their key allow it.

        :param peer: who waits for them; None if they are done whoever is there.
        :param size: bytes that they keep of the request, if that may be many.
        :param key: what is done in order; None for the requests of the peer.
        :returns: their result, or its Deferred; that fires with None if the peer is
            gone before.
        :raises TooManyWaiting: they would have to wait, and so many bytes wait already.
        """
        if key is None:
            key = peer
        work = _Work(steps, Exclusive(), key, peer)
        while key not in self._works and self._may_run():
            try:
                awaited = next(steps)
            except StopIteration as end:
                result: _T = end.value
                return result
            if awaited is not None:
                self._begin(work, size)
                awaited.addBoth(self._resume, work)
                return work.done
        self._begin(work, size)
        self._queue(key).append(work)
        return work.done

    def run_for(
        self, body: bytes, steps: Steps[_T], peer: Peer
    ) -> _T | Deferred[_T | None]:
        """
        Run steps for the body of a request; at once, if it is small.

        :param body: as :func:`rocketmq_tw.wire.request_json.decode_request` reads it.
        :returns: as :meth:`run`.
        """
        if len(body) <= SMALL:
            return all_at_once(steps)
        return self.run(steps, peer, len(body))

    def _begin(self, work: _Work, size: int) -> None:
        """Count the bytes of a request that is to wait, until it has its response."""
        if size and self.size and self.size + size > self._max_size:
            self.refused += 1
            work.steps.close()
            raise TooManyWaiting(self._setting, self._max_size)
        self.size += size
        work.done.addBoth(self._end, size)

    def _end(self, result: _T, size: int) -> _T:
        """Count the bytes of a request no more."""
        self.size -= size
        return result

    def stop(self) -> None:
        """Drop what waits: the connections are closed."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        self._order.clear()
        works, self._works = self._works, {}
        for each in works.values():
            for work in each:
                work.steps.close()

    def _may_run(self) -> bool:
        """Return whether a step may be taken in this iteration, and count it."""
        if self._scheduled is None:
            self._schedule()
            self._began, self._used = self._clock.seconds(), 0
        self._used += 1
        return self._used <= STEPS and self._clock.seconds() - self._began < TIME

    def _queue(self, key: object) -> deque[_Work]:
        """Return what waits of a key; it is to be run."""
        works = self._works.get(key)
        if works is None:
            works = self._works[key] = deque()
            self._order.append(key)
        self._schedule()
        return works

    def _schedule(self) -> None:
        """Look again in the next iteration."""
        if self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._iterate)

    def _iterate(self) -> None:
        """Run what this iteration allows; the keys take turns."""
        self._scheduled = None
        while self._order:
            if not self._may_run():
                return
            key = self._order.popleft()
            works = self._works[key]
            peer = works[0].peer
            if peer is not None and peer.is_write_blocked:
                peer.when_writable().addCallback(self._ready, key)
                continue
            self._step(works)
            if self._works.get(key) is not works:
                continue  # What the step completed has stopped all of this.
            if works:
                self._order.append(key)
            else:
                del self._works[key]

    def _ready(self, _: object, key: object) -> None:
        """Continue with a peer that reads again."""
        if key in self._works:
            self._order.append(key)
            self._schedule()

    def _step(self, works: deque[_Work]) -> None:
        """Run the next step of the oldest request."""
        work = works.popleft()
        if work.peer is not None and not work.peer.is_connected:
            work.steps.close()
            work.done.callback(None)
            return
        try:
            if isinstance(work.sent, Failure):
                awaited = work.sent.throwExceptionIntoGenerator(work.steps)
            else:
                awaited = work.steps.send(work.sent)
        except StopIteration as end:
            work.done.callback(end.value)
        except Exception:
            work.done.errback(Failure())
        else:
            work.sent = None
            if awaited is None:
                works.appendleft(work)
            else:
                awaited.addBoth(self._resume, work)

    def _resume(self, result: object, work: _Work) -> None:
        """Continue with steps that waited for a result."""
        work.sent = result
        self._queue(work.key).appendleft(work)


def result_of(value: _T | Deferred[_T]) -> Steps[_T]:
    """Return a value, or wait for it if it is a Deferred."""
    if isinstance(value, Deferred):
        found: _T = yield value
        return found
    return value


def all_at_once(steps: Steps[_T]) -> _T:
    """Take all steps, which wait for nothing, and return their result."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: _T = end.value
        return result


def parts_of(items: Iterable[_T], at_once: int) -> Iterator[list[_T]]:
    """Return items as lists of so many, for a step each."""
    left = iter(items)
    while some := list(islice(left, at_once)):
        yield some


def encode_each(
    items: Iterable[_T], encode: Callable[[_T], bytes], at_once: int
) -> Steps[bytes]:
    """
    Encode items, and join them by commas.

    :param at_once: how many are encoded in one step.
    """
    pieces: list[bytes] = []
    for some in parts_of(items, at_once):
        if pieces:
            yield None
        pieces += map(encode, some)
    return b",".join(pieces)


def responding(steps: Steps[bytes]) -> Steps[Response]:
    """Make a body in steps, and return its response."""
    body = yield from steps
    return Response(body=body)
