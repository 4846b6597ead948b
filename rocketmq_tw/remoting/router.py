"""
Maps requests to handlers, and exceptions to response codes.

A handler is called as ``handler(request, call)``. ``request`` is the declared struct
with its body; ``call`` is a :class:`~rocketmq_tw.remoting.call.Call`: the header, the
peer, the time. It returns a :class:`~rocketmq_tw.wire.fields.Response`, a Deferred of
one if it has to wait, or None if there is no response. An exception becomes an error
response.

A guard is called as ``guard(request, call)`` before the handler of any request, in the
order of registration. It raises to refuse the request, sets ``call.principal``, or
returns a Deferred if it has to wait; the handler then runs when that fires::

    def guard(request: Request[Any], call: Call) -> Deferred[None] | None:
        ext = call.ext()  # with what the request does not declare: keys, signatures
        ...

Handlers are wrapped when a guard is registered: without guards they are called
directly, and a message pays nothing. The same holds for a :class:`Meter`, which sees
all requests and their responses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.durable import AfterFlush
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.lane import GuardedLane, Lane, Read, binary_start_of, start_of
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Ext, Request, Response

R = TypeVar("R", bound=Request[Any])
Outcome = Response | AfterFlush | Deferred[Any] | None
Handler = Callable[[Any, Call], Outcome]
Guard = Callable[[Request[Any], Call], Deferred[None] | None]
Reader = Callable[[Peer], Read | None]
#: A declared request and its handler.
Handled = tuple[type[Request[Any]], Handler]


class Meter(Protocol):
    """Sees every request, and what came of it; it must not raise."""

    def around(self, code: int, handler: Handler) -> Handler:
        """Return what is called in place of a handler, guards included."""

    def around_lane(self, lane: Lane) -> Lane:
        """Return what is called in place of a lane."""

    def unhandled(self) -> None:
        """See a request for which there is no handler."""

    def flushed(self, code: int, status: int, since: float, count: int) -> None:
        """
        See responses that waited for the disk, as they are sent.

        :param code: of their requests.
        :param since: when the requests came, in seconds of the connection's clock.
        """


class _Registered(msgspec.Struct, frozen=True):
    """A guard, and the codes of the requests that it judges; None for all."""

    guard: Guard
    only: frozenset[int] | None
    reader: Reader | None

    def applies(self, code: int) -> bool:
        """Whether it judges requests of this code."""
        return self.only is None or code in self.only


class ErrorResponse(Response):
    """A response with a code and a remark, and possibly a field."""

    forbidden_type: str | None = None


class Router:
    """
    The handlers of requests, by request code.

    :param codes: the response codes of exceptions; a subclass of
        a listed class has its code.
    :param peers: limits how often failures of handlers are logged; None does not.
    :param absent: the response codes and remarks for requests that nothing handles, by
        request code; others are called unsupported.
    :ivar lane: handles plain requests before they reach a handler; None without.
    :ivar lane_starts: what the headers of its requests begin with.
    :ivar find: returns the declared request and the handler of a code; None if nothing
        handles it.
    :ivar meter: sees all requests; None without.
    """

    _log = Logger()

    def __init__(
        self,
        codes: dict[type[Exception], ResponseCode] | None = None,
        peers: PeerLog | None = None,
        absent: Mapping[int, tuple[int, str]] | None = None,
    ) -> None:
        self._peers = peers
        self._absent = absent or {}
        #: With guards, and without; the same if no guard is registered.
        self._handlers: dict[int, Handled] = {}
        self._unguarded: dict[int, Handled] = {}
        self._guards: tuple[_Registered, ...] = ()
        self._lane_codes: tuple[int, ...] = ()
        self.lane: Lane | None = None
        self.lane_starts: tuple[bytes, ...] = ()
        self.meter: Meter | None = None
        # The method of the dictionary itself, which saves a call for every request.
        self.find: Callable[[int], Handled | None] = self._handlers.get
        self._codes: dict[type[Exception], ResponseCode] = {
            BadField: ResponseCode.SYSTEM_ERROR,
            **(codes or {}),
        }

    def on(self, declared: type[R], handler: Callable[[R, Call], Outcome]) -> None:
        """Register ``handler`` for a request, behind the guards."""
        code = int(declared.code)
        self._unguarded[code] = (declared, handler)
        self._handlers[code] = (declared, self._complete(code, handler))
        if code in self._lane_codes:
            self.lane = None

    def use_lane(
        self,
        declared: type[Request[Any]],
        lane: Lane,
        also: Sequence[type[Request[Any]]] = (),
    ) -> None:
        """
        Let a lane handle the plain requests of this kind, whose handler is registered.

        Not if there are guards that cannot read its requests, or two that can, since
        they must see every such request; nor once there is another handler.

        :param also: further requests that it handles; what reads for a guard reads
            them, too.
        """
        self.lane = lane
        self._lane_codes = tuple(int(each.code) for each in (declared, *also))
        codes = self._lane_codes
        self.lane_starts = *map(start_of, codes), *map(binary_start_of, codes)
        for each in self._guards:
            self._guard_lane(each)

    def guard(
        self,
        guard: Guard,
        only: frozenset[int] | None = None,
        reader: Reader | None = None,
    ) -> None:
        """
        Call ``guard`` before every handler, including those registered already.

        :param only: the codes of the requests that it judges; None for all.
        :param reader: returns what reads the requests of a peer that take the lane, and
            judges them; see :class:`~rocketmq_tw.remoting.lane.GuardedLane`. None lets
            none of them take it.
        """
        registered = _Registered(guard, only, reader)
        self._guards += (registered,)
        self._guard_lane(registered)
        self._complete_all()

    def measure(self, meter: Meter) -> None:
        """
        Let a meter see all requests, also of handlers that are registered later.

        A guard that is registered later takes the lane away.
        """
        self.meter = meter
        self._complete_all()
        if self.lane is not None:
            self.lane = meter.around_lane(self.lane)
        find = self._handlers.get

        def find_or_count(code: int) -> Handled | None:
            found = find(code)
            if found is None:
                meter.unhandled()
            return found

        self.find = find_or_count

    def _guard_lane(self, registered: _Registered) -> None:
        """Let a guard read the requests of the lane; no lane if it cannot."""
        if self.lane is not None and any(map(registered.applies, self._lane_codes)):
            reader = registered.reader
            is_taken = self.meter is not None or isinstance(self.lane, GuardedLane)
            if reader is None or is_taken:
                self.lane = None
            else:
                self.lane = GuardedLane(reader, self.lane)

    def _complete_all(self) -> None:
        """Wrap all handlers again."""
        for code, (declared, handler) in self._unguarded.items():
            self._handlers[code] = (declared, self._complete(code, handler))

    def _complete(self, code: int, handler: Handler) -> Handler:
        """Wrap a handler in its guards, the first one first, and in the meter."""
        for each in reversed(self._guards):
            if each.applies(code):
                handler = _behind(each.guard, handler)
        return handler if self.meter is None else self.meter.around(code, handler)

    def without(self, *codes: int) -> Router:
        """
        Return a copy of this router without some requests, as the fast port needs.

        The copy has the guards, handlers and the meter registered so far.
        """
        other = Router(self._codes, self._peers, self._absent)
        for each in self._guards:
            other.guard(each.guard, each.only, each.reader)
        for code, (declared, handler) in self._unguarded.items():
            if code not in codes:
                other.on(declared, handler)
        if self.meter is not None:
            other.measure(self.meter)
        if not set(self._lane_codes).intersection(codes):
            other._lane_codes, other.lane = self._lane_codes, self.lane
            other.lane_starts = self.lane_starts
        return other

    def unsupported(self, code: int) -> Response:
        """Return the error response for a request that nothing handles."""
        status, why = self._absent.get(code) or (
            ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
            f" request type {code} not supported",  # as in Apache RocketMQ
        )
        return ErrorResponse(status=status, remark=why)

    def refusal(self, failure: Failure, peer: Peer | None = None) -> Response:
        """
        Return the error response for an exception; log unexpected ones.

        :param peer: sent the request.
        """
        error = failure.value
        if isinstance(error, Refused):
            return ErrorResponse(
                status=error.code,
                remark=error.remark,
                forbidden_type=error.ext.get("forbiddenType"),
            )
        for kind in type(error).__mro__:
            code = self._codes.get(kind)
            if code is not None:
                return ErrorResponse(status=code, remark=str(error))
        if not isinstance(error, RocketMQError):
            self.log_failure("a handler failed", failure, peer)
        text = f"{type(error).__name__}: {error}"
        return ErrorResponse(status=ResponseCode.SYSTEM_ERROR, remark=text)

    def log_failure(self, text: str, failure: Failure, peer: Peer | None) -> None:
        """Log a traceback that a request caused, one for each host and minute."""
        if self._peers is None or peer is None:
            self._log.failure(text, failure)
        else:
            self._peers.failure(self._log, peer.address, text, failure)


def _behind(guard: Guard, handler: Handler) -> Handler:
    """Return a handler that calls the guard first."""

    def guarded(request: Any, call: Call) -> Outcome:
        waiting = guard(request, call)
        if waiting is None:
            return handler(request, call)
        return waiting.addCallback(lambda _: handler(request, call))

    return guarded


__all__ = [
    "ErrorResponse",
    "Ext",
    "Guard",
    "Handler",
    "Outcome",
    "Router",
]
