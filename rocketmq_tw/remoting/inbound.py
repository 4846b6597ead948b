"""
Handles the requests of a peer: from a decoded request to the frame of its response.

A request is in flight until the Deferred that its handler returned fires, or until what
it stored is on disk (:mod:`rocketmq_tw.remoting.durable`). Their number is limited: at
the limit the connection stops reading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.remoting.call import Call, Exclusive, Peer
from rocketmq_tw.remoting.durable import AfterFlush, AwaitingFlush, DurableLog, Postpone
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.command import ONE_WAY, Command, decode, encode_response
from rocketmq_tw.wire.fields import Response, from_ext


class InboundRequests:
    """
    The requests of one peer.

    :param router: finds the handlers.
    :param limit: how many may be in flight.
    :param next_opaque: returns a number for a request without one.
    :param send: sends the frame of a response that a Deferred gave.
    :param send_now: sends frames of responses that waited for the disk.
    :param on_limit: called when the limit is reached, and when it no longer is.
    :ivar in_flight: how many requests are in flight; 0 <= in_flight.
    """

    __slots__ = (
        "_awaiting",
        "_find",
        "_limit",
        "_next_opaque",
        "_on_limit",
        "_postpone",
        "_router",
        "_send",
        "_send_now",
        "in_flight",
    )

    def __init__(
        self,
        *,
        router: Router,
        limit: int,
        next_opaque: Callable[[], int],
        send: Callable[[bytes], None],
        send_now: Callable[[bytes], None],
        on_limit: Callable[[], None],
        postpone: Postpone,
    ) -> None:
        self._postpone = postpone
        self._find = router.find
        self._router = router
        self._limit = limit
        self._next_opaque = next_opaque
        self._send = send
        self._send_now = send_now
        self._on_limit = on_limit
        self._awaiting: AwaitingFlush | None = None
        self.in_flight = 0

    @property
    def is_at_limit(self) -> bool:
        """Whether reading must stop."""
        return self.in_flight >= self._limit

    @property
    def free(self) -> int:
        """How many more requests may be in flight."""
        return self._limit - self.in_flight

    def release(self) -> None:
        """
        Refer no more to the connection: it is lost, responses that wait are dropped.
        """
        if self._awaiting is not None:
            self._awaiting.clear()
            self._awaiting = None
        self._send = self._send_now = self._on_limit = _nothing

    def handle(self, call: Call) -> bytes | None:
        """
        Call the handler.

        :returns: the frame of the response; None if there is none, or not yet.
        """
        command = call.header
        found = self._find(command.code)
        if command.opaque is None:
            command.opaque = self._next_opaque()
        try:
            if found is None:
                outcome: Any = self._router.unsupported(command.code)
            else:
                declared, handler = found
                request = command.fields
                if request.__class__ is not declared:
                    request = from_ext(declared, request)
                    request.body = command.body
                outcome = handler(request, call)
                if outcome.__class__ is AfterFlush:
                    if command.flag & ONE_WAY:
                        return None
                    return self._after_flush(
                        outcome, command.opaque, command.kind, call.peer, command.code
                    )
        except Exception:
            outcome = self._router.refusal(Failure(), call.peer)
        # Not isinstance(outcome, Deferred), which takes 79 ns: its class is an ABC.
        if not isinstance(outcome, Response):
            if outcome is not None:
                self._respond_later(outcome, command, call.peer)
            return None
        if command.flag & ONE_WAY:
            return None
        try:
            return encode_response(outcome, command.opaque, command.kind)
        except Exception:
            return self._refuse(command.opaque, command.kind, call.peer)

    def write(self, frame: bytes) -> None:
        """Write the frame of a long response."""
        self._send_now(frame)

    def keep(
        self,
        frames: bytes,
        *,
        count: int,
        end: int,
        log: DurableLog,
        peer: Peer,
        code: int,
    ) -> bool:
        """
        Keep frames of responses, joined, until ``log`` is on disk up to ``end``.

        :param code: of their requests.
        :returns: False if they need not wait; they are not kept then.
        """
        awaiting = self._awaiting
        if awaiting is None:
            awaiting = self._awaiting = self._make_awaiting(peer)
        since = peer.last_seen
        if not awaiting.add(
            frames, count=count, end=end, now=since, log=log, code=code
        ):
            if self._router.meter is not None:
                self._router.meter.flushed(code, 0, since, count)
            return False
        self._add_in_flight(count)
        return True

    def _after_flush(
        self, outcome: AfterFlush, opaque: int, kind: int, peer: Peer, code: int
    ) -> bytes | None:
        """Return the frame of a response that need not wait; keep the others."""
        frame = encode_response(outcome.response, opaque, kind)
        end, log = outcome.end, outcome.log
        waits = self.keep(frame, count=1, end=end, log=log, peer=peer, code=code)
        return None if waits else frame

    def _make_awaiting(self, peer: Peer) -> AwaitingFlush:
        def refuse(frame: bytes, error: Exception) -> bytes:
            """Turn the frame of a response into that of an error."""
            size = int.from_bytes(frame[5:8], "big")
            command = decode(frame[4], frame[8 : 8 + size])
            response = self._router.refusal(Failure(error), peer)
            return encode_response(response, command.opaque or 0, command.kind)

        meter = self._router.meter
        return AwaitingFlush(
            send=self._send_now,
            on_sent=self._remove_in_flight,
            refuse=refuse,
            postpone=self._postpone,
            on_released=None if meter is None else meter.flushed,
        )

    def _add_in_flight(self, count: int) -> None:
        before = self.in_flight
        self.in_flight += count
        if before < self._limit <= self.in_flight:
            self._on_limit()

    def _remove_in_flight(self, count: int) -> None:
        before = self.in_flight
        self.in_flight -= count
        if self.in_flight < self._limit <= before:
            self._on_limit()

    def _respond_later(
        self, outcome: Deferred[Any], command: Command, peer: Peer
    ) -> None:
        """
        Send the response when the Deferred fires; the request is in flight until then.

        An exclusive one counts as many as may be in flight, so that reading stops.
        """
        weight = self._limit if outcome.__class__ is Exclusive else 1
        self._add_in_flight(weight)
        waiting = _InFlight(
            requests=self,
            peer=peer,
            # Not the command, which would keep the body while the response is waited
            # for.
            wants_response=not command.flag & ONE_WAY,
            opaque=command.opaque or 0,
            kind=command.kind,
            weight=weight,
            code=command.code,
        )
        outcome.addBoth(waiting.finish)

    def finish(
        self, waiting: _InFlight, outcome: Response | AfterFlush | Failure | None
    ) -> None:
        """Send the response that was waited for, or that of a failure."""
        if isinstance(outcome, Failure):
            outcome = self._router.refusal(outcome, waiting.peer)
        self._remove_in_flight(waiting.weight)
        if outcome is None or not waiting.wants_response:
            return
        opaque, kind = waiting.opaque, waiting.kind
        try:
            if isinstance(outcome, AfterFlush):
                frame = self._after_flush(
                    outcome, opaque, kind, waiting.peer, waiting.code
                )
            else:
                frame = encode_response(outcome, opaque, kind)
        except Exception:
            frame = self._refuse(opaque, kind, waiting.peer)
        if frame is not None:
            self._send(frame)

    def _refuse(self, opaque: int, kind: int, peer: Peer) -> bytes:
        """Return the frame of an error, in place of a response that cannot be sent."""
        response = self._router.refusal(Failure(), peer)
        return encode_response(response, opaque, kind)

    def log_failure(self, failure: Failure, peer: Peer) -> None:
        """Log a response that could not be sent."""
        self._router.log_failure("a response was not sent", failure, peer)


class _InFlight(msgspec.Struct, eq=False, kw_only=True, gc=False):
    """
    A request whose response is waited for.

    In place of several functions and their cells, at which the garbage collector would
    look as long as pulls are held. It does not look at this: only the Deferred of the
    response refers to it.
    """

    requests: InboundRequests
    peer: Peer
    wants_response: bool
    opaque: int
    kind: int
    weight: int
    code: int

    def finish(self, outcome: Any) -> None:
        """Send the response; a failure of that is logged."""
        try:
            self.requests.finish(self, outcome)
        except Exception:
            self.requests.log_failure(Failure(), self.peer)


def _nothing(*_arguments: object) -> None:
    """Do nothing."""
