"""
Paces the requests that are no messages, so that many or large ones hinder nobody.

A read of 64 KiB may hold 600 requests, each about a table of 20,000 entries. Handlers
of tables work in *steps* of a millisecond: a generator that yields between two of them,
or yields a Deferred that it waits for, and returns the response::

    def all(self, request, call):
        return self._pacer.run(self._all(), call.peer)

    def _all(self) -> Steps[Response]:
        for some in slices_of(self._table):
            pieces.append(encode(some))
            yield None
        return Response(body=b"".join(pieces))

Steps, and all handlers but those of :data:`FREQUENT` requests, share
:data:`TIME` of each reactor iteration. What finds it used up waits for the next one, in
which connections take turns. While a peer does not read its responses, none is made for
it; once it is gone, its requests are dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from rocketmq_tw.broker.waiting import WaitingRequests
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.router import Handler, Outcome
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response

_T = TypeVar("_T")
#: Yields between two steps: None, or what it waits for, and is sent its result.
Steps = Generator["Deferred[Any] | None", Any, _T]

#: Seconds of a reactor iteration that paced requests share.
TIME = 0.005
#: The same where the clock stands still: a step counts :data:`STEP`, a handler 1.
UNITS = 100
STEP = 10
#: Handled at once, always: each takes some 10 us, and there are many of them.
FREQUENT = frozenset(
    {
        RequestCode.SEND_MESSAGE,
        RequestCode.SEND_MESSAGE_V2,
        RequestCode.SEND_BATCH_MESSAGE,
        RequestCode.PULL_MESSAGE,
        RequestCode.LITE_PULL_MESSAGE,
        RequestCode.QUERY_CONSUMER_OFFSET,
        RequestCode.UPDATE_CONSUMER_OFFSET,
        RequestCode.GET_MAX_OFFSET,
        RequestCode.GET_MIN_OFFSET,
    }
)


class _Work(msgspec.Struct, eq=False):
    """Steps that wait for their next iteration, and what is sent to them there."""

    steps: Steps[Any]
    done: Deferred[Any]
    cost: int
    sent: Any = None


class Pacer:
    """
    Shares the reactor's iterations among requests.

    Without requests it schedules nothing.

    :param waiting: limits the requests that wait; None limits them as by default.
    """

    # A peer is in _works while any of its requests wait, and in _order while the next
    # of them may run: not while it is write-blocked.

    def __init__(
        self, clock: IReactorTime, waiting: WaitingRequests | None = None
    ) -> None:
        self._clock = clock
        self._waiting = WaitingRequests() if waiting is None else waiting
        self._works: dict[Peer, deque[_Work]] = {}
        self._order: deque[Peer] = deque()
        self._scheduled: IDelayedCall | None = None
        self._began = 0.0
        self._used = 0

    def __len__(self) -> int:
        """Return how many requests wait."""
        return sum(map(len, self._works.values()))

    def wrap(self, declared: type[Request[Any]], handler: Handler) -> Handler:
        """Return a handler that runs at once only while the iteration allows it."""
        if declared.code in FREQUENT:
            return handler

        def paced(request: Any, call: Call) -> Outcome:
            if call.peer not in self._works and self._may_run(1):
                return handler(request, call)
            size = len(call.raw_header) + len(request.body)
            self._waiting.begin(call.peer, size)
            done = self._wait(call.peer, _once(handler, request, call), cost=1)
            return done.addBoth(self._no_longer_waits, call.peer, size)

        return paced

    def _no_longer_waits(self, result: _T, peer: Peer, size: int) -> _T:
        """Count a request no more that has its response, or needs none."""
        self._waiting.end(peer, size)
        return result

    def run(self, steps: Steps[_T], peer: Peer) -> _T | Deferred[_T | None]:
        """
        Run steps, the first of them now if this iteration allows it.

        :returns: their result, or its Deferred; that fires with None if the peer is
            gone before.
        """
        while self._may_run(STEP):
            try:
                awaited = next(steps)
            except StopIteration as end:
                result: _T = end.value
                return result
            if awaited is not None:
                work = _Work(steps, Deferred(), STEP)
                awaited.addBoth(self._resume, peer, work)
                return work.done
        return self._wait(peer, steps, cost=STEP)

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

    def _may_run(self, cost: int) -> bool:
        """Return whether more may be done in this iteration, and count it."""
        if self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._iterate)
            self._began, self._used = self._clock.seconds(), 0
        self._used += cost
        return self._used <= UNITS and self._clock.seconds() - self._began < TIME

    def _wait(self, peer: Peer, steps: Steps[_T], cost: int) -> Deferred[_T | None]:
        """Let steps wait behind those of the same peer."""
        work = _Work(steps, Deferred(), cost)
        self._queue(peer).append(work)
        return work.done

    def _queue(self, peer: Peer) -> deque[_Work]:
        """Return what waits of a peer; it is to be run."""
        works = self._works.get(peer)
        if works is None:
            works = self._works[peer] = deque()
            self._order.append(peer)
        if self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._iterate)
        return works

    def _iterate(self) -> None:
        """Run what this iteration allows; the peers take turns."""
        self._scheduled = None
        while self._order:
            peer = self._order[0]
            if not self._may_run(self._works[peer][0].cost):
                return
            self._order.popleft()
            if peer.is_write_blocked:
                peer.when_writable().addCallback(self._ready, peer)
                continue
            works = self._works[peer]
            self._step(works, peer)
            if works:
                self._order.append(peer)
            else:
                del self._works[peer]

    def _ready(self, _: object, peer: Peer) -> None:
        """Continue with a peer that reads again."""
        if peer in self._works:
            self._order.append(peer)
            if self._scheduled is None:
                self._scheduled = self._clock.callLater(0, self._iterate)

    def _step(self, works: deque[_Work], peer: Peer) -> None:
        """Run the next step of a peer's oldest request."""
        work = works.popleft()
        if not peer.is_connected:
            work.steps.close()
            work.done.callback(None)
            return
        try:
            if isinstance(work.sent, Failure):
                awaited = work.sent.throwExceptionIntoGenerator(work.steps)
            else:
                awaited = work.steps.send(work.sent)
        except StopIteration as end:
            _finish(work.done, end.value)
        except Exception:
            work.done.errback(Failure())
        else:
            work.sent = None
            if awaited is None:
                works.appendleft(work)
            else:
                awaited.addBoth(self._resume, peer, work)

    def _resume(self, result: object, peer: Peer, work: _Work) -> None:
        """Continue with steps that waited for a result."""
        work.sent = result
        self._queue(peer).appendleft(work)


def encode_each(
    items: Iterable[_T], encode: Callable[[_T], bytes], at_once: int
) -> Steps[bytes]:
    """
    Encode items, and join them by commas.

    :param at_once: how many are encoded in one step.
    """
    left = iter(items)
    pieces: list[bytes] = []
    while some := list(islice(left, at_once)):
        if pieces:
            yield None
        pieces += map(encode, some)
    return b",".join(pieces)


def responding(steps: Steps[bytes]) -> Steps[Response]:
    """Make a body in steps, and return its response."""
    body = yield from steps
    return Response(body=body)


def _once(handler: Handler, request: Any, call: Call) -> Steps[Outcome]:
    """Call a handler in a step."""
    return handler(request, call)
    yield None


def _finish(done: Deferred[Any], result: Any) -> None:
    """Fire with the result, or with that of the Deferred that it is."""
    if isinstance(result, Deferred):
        result.chainDeferred(done)
    else:
        done.callback(result)
