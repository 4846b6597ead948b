"""
How long requests take, by their code and that of the response.

A latency begins when the bytes of a request are received, so that it contains the time
in which other requests of the same read are handled, and ends when the response is
written. Requests that go through a lane are counted once for all of a read; each other
one costs a look at the clock and 0.3 us.

Source: ``RemotingMetricsManager`` and ``NettyRemotingAbstract`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.durable import AfterFlush
from rocketmq_tw.remoting.lane import Lane, Read, Taken
from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.remoting.router import Handler, Outcome, Router
from rocketmq_tw.wire.codes import RequestCode, ResponseCode
from rocketmq_tw.wire.command import ONE_WAY
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.frame import Frame
from rocketmq_tw.wire.requests.send import SendMessageV2

#: The bounds of latencies, in ms, as in Apache RocketMQ.
BOUNDS = (1, 3, 5, 7, 10, 100, 1000, 2000, 3000)
#: The labels of a latency.
LABELS = (
    "protocol_type",
    "request_code",
    "response_code",
    "is_long_polling",
    "result",
)
#: Requests that may be held until there is a message.
POLLS = frozenset(
    (
        RequestCode.PULL_MESSAGE,
        RequestCode.LITE_PULL_MESSAGE,
        RequestCode.POP_MESSAGE,
        RequestCode.NOTIFICATION,
    )
)
#: Histograms that are encoded in one step.
AT_ONCE = 40
SUCCESS, ONE_WAY_RESULT = "success", "oneway"
#: A response that nobody was there for any more.
NOT_WRITTEN = "write_channel_failed"

_SEND = int(SendMessageV2.code)
#: Returns the error response of an exception.
Refusal = Callable[[Failure, Peer], Response]
#: Returns what is called in place of the handler of a code.
Around = Callable[[int, Handler], Handler]


class Key(NamedTuple):
    """What latencies are counted by."""

    code: int
    status: int = 0
    is_long_polling: bool = False
    result: str = SUCCESS


class RequestMeter:
    """
    Counts latencies: the :class:`~rocketmq_tw.remoting.router.Meter` of a server.

    :param seconds: the clock by which connections know when bytes came.
    :param refusal: that of the router.
    :param around: returns what is called in place of a handler, inside of the meter.
    :ivar unknown: requests for which there is no handler.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        refusal: Refusal,
        around: Around | None = None,
    ) -> None:
        self._seconds = seconds
        self._around = around
        self._refusal = refusal
        # As many as there are codes of requests and responses: they are all our own.
        self._table: dict[Key, Histogram] = {}
        self.unknown = 0

    def around(self, code: int, handler: Handler) -> Handler:
        """Return a handler that counts what the given one responds."""
        if self._around is not None:
            handler = self._around(code, handler)
        seconds, refusal, count = self._seconds, self._refusal, self.count
        succeeded = self._histogram(Key(code)).add

        def measured(request: Request[Any], call: Call) -> Outcome:
            try:
                outcome = handler(request, call)
            except Exception:
                outcome = refusal(Failure(), call.peer)
            if isinstance(outcome, Response):
                took = (seconds() - call.peer.last_seen) * 1000
                if outcome.status or call.header.flag & ONE_WAY:
                    count(Key(code, outcome.status, False, _result(call)), took)
                else:
                    succeeded(took)
            elif isinstance(outcome, AfterFlush):
                if call.header.flag & ONE_WAY:
                    took = (seconds() - call.peer.last_seen) * 1000
                    count(Key(code, result=ONE_WAY_RESULT), took)
            elif outcome is None:
                took = (seconds() - call.peer.last_seen) * 1000
                count(Key(code, result=ONE_WAY_RESULT), took)
            else:
                self._wait(outcome, code, call)
            return outcome

        return measured

    def around_lane(self, lane: Lane) -> Lane:
        """Return a lane that counts what the given one takes."""
        sent = self._histogram(Key(_SEND))
        return MeasuredLane(lane, self._seconds, sent, self.count)

    def unhandled(self) -> None:
        """Count a request for which there is no handler."""
        self.unknown += 1

    def flushed(self, code: int, status: int, since: float, count: int) -> None:
        """Count responses that waited for the disk."""
        took = (self._seconds() - since) * 1000
        self.count(Key(code, status), took, count)

    def count(self, key: Key, took: float, count: int = 1) -> None:
        """Count latencies, in ms."""
        self._histogram(key).add(took, count)

    def finished(self, waiting: _Waiting, outcome: Any) -> Any:
        """Count a request whose response was waited for."""
        if isinstance(outcome, Failure):
            outcome = self._refusal(outcome, waiting.peer)
        if not isinstance(outcome, AfterFlush):
            result = waiting.result
            if result == SUCCESS and not waiting.peer.is_connected:
                result = NOT_WRITTEN
            status = 0 if outcome is None else outcome.status
            code = waiting.code
            key = Key(code, int(status), code in POLLS, result)
            self.count(key, (self._seconds() - waiting.since) * 1000)
        return outcome

    def latencies(self) -> list[tuple[Key, Histogram]]:
        """Return all latencies that there were."""
        return [each for each in self._table.items() if each[1].count]

    def _histogram(self, key: Key) -> Histogram:
        """Return the histogram of a key."""
        found = self._table.get(key)
        if found is None:
            found = self._table[key] = Histogram(BOUNDS)
        return found

    def _wait(self, outcome: Deferred[Any], code: int, call: Call) -> None:
        """Count a request when its response is there."""
        peer = call.peer
        waiting = _Waiting(self, peer, code, peer.last_seen, _result(call))
        outcome.addBoth(waiting.finish)


class RequestMetrics:
    """
    Collects the latencies of a router's requests.

    :param router: complete: a meter is added to it.
    :param around: see :class:`RequestMeter`.
    """

    def __init__(
        self,
        target: Target,
        router: Router,
        seconds: Callable[[], float],
        around: Around | None = None,
    ) -> None:
        self.meter = RequestMeter(seconds, router.refusal, around)
        router.measure(self.meter)
        self._latency = target.family(
            "rocketmq_rpc_latency_milliseconds",
            "histogram",
            "From the bytes of a request to those of its response",
            LABELS,
            BOUNDS,
        )
        self._unknown = target.counter(
            "rocketmq_requests_unknown_total", "Requests of codes that are not handled"
        )

    def collect(self) -> Steps[None]:
        """Set the series of all latencies."""
        self._unknown.set((), self.meter.unknown)
        for some in parts_of(self.meter.latencies(), AT_ONCE):
            for key, histogram in some:
                self._latency.set_histogram(_values(key), histogram)
            yield None


class _Waiting(msgspec.Struct, eq=False, gc=False):
    """A request whose response is waited for; only its Deferred refers to it."""

    meter: RequestMeter
    peer: Peer
    code: int
    since: float
    result: str

    def finish(self, outcome: Any) -> Any:
        """Count it."""
        return self.meter.finished(self, outcome)


class MeasuredLane:
    """
    A lane that counts what another takes.

    :param sent: counts what has a response.
    """

    def __init__(
        self,
        lane: Lane,
        seconds: Callable[[], float],
        sent: Histogram,
        count: Callable[[Key, float, int], None],
    ) -> None:
        self._lane = lane
        self._seconds = seconds
        self._sent = sent
        self._count = count

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None = None,
    ) -> Taken:
        """Let the lane handle requests, and count them at once."""
        taken = self._lane.take(frames, at, until, peer, received_at, read)
        if taken.count:
            took = (self._seconds() - peer.last_seen) * 1000
            count, responses = taken.count, taken.response_count
            if taken.other is not None:
                code, others, theirs = taken.other
                count, responses = count - others, responses - theirs
                waits = taken.log is not None and taken.code == code
                at_once = 0 if waits else theirs
                self._count_others(code, others - theirs, at_once, took)
            if count > responses:
                key = Key(_SEND, result=ONE_WAY_RESULT)
                self._count(key, took, count - responses)
            if taken.log is None and responses:
                self._sent.add(took, responses)
        return taken

    def _count_others(
        self, code: int, one_way: int, responses: int, took: float
    ) -> None:
        """Count requests of another kind whose responses do not wait."""
        if one_way:
            self._count(Key(code, result=ONE_WAY_RESULT), took, one_way)
        if responses:
            self._count(Key(code), took, responses)


def _result(call: Call) -> str:
    """Return the label of a request that was handled."""
    return ONE_WAY_RESULT if call.header.flag & ONE_WAY else SUCCESS


def request_name(code: int) -> str:
    """Return the label of a request's code."""
    try:
        return RequestCode(code).name.lower()
    except ValueError:
        return str(code)


def _values(key: Key) -> tuple[str, ...]:
    """Return the labels' values."""
    try:
        status = ResponseCode(key.status).name.lower()
    except ValueError:
        status = str(key.status)
    polls = "true" if key.is_long_polling else "false"
    return "remoting", request_name(key.code), status, polls, key.result
