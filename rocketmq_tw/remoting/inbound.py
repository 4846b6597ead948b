"""
Handles the requests of a peer: from a decoded request to the frame of its response.

A request is in flight until the Deferred that its handler returned fires. Their number
is limited: at the limit the connection stops reading.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.router import Router, unsupported
from rocketmq_tw.wire.command import ONE_WAY, Command, encode_response
from rocketmq_tw.wire.fields import Response, from_ext


class InboundRequests:
    """
    The requests of one peer.

    :param router: finds the handlers.
    :param limit: how many may be in flight.
    :param next_opaque: returns a number for a request without one.
    :param send: sends the frame of a response that a Deferred gave.
    :param on_limit: called when the limit is reached, and when it no longer is.
    :ivar in_flight: how many requests are in flight; 0 <= in_flight.
    """

    __slots__ = (
        "_find",
        "_limit",
        "_next_opaque",
        "_on_limit",
        "_router",
        "_send",
        "in_flight",
    )

    def __init__(
        self,
        *,
        router: Router,
        limit: int,
        next_opaque: Callable[[], int],
        send: Callable[[bytes], None],
        on_limit: Callable[[], None],
    ) -> None:
        self._find = router.find
        self._router = router
        self._limit = limit
        self._next_opaque = next_opaque
        self._send = send
        self._on_limit = on_limit
        self.in_flight = 0

    @property
    def is_at_limit(self) -> bool:
        """Whether reading must stop."""
        return self.in_flight >= self._limit

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
                outcome: Any = unsupported(command.code)
            else:
                declared, handler = found
                request = command.fields
                if request.__class__ is not declared:
                    request = from_ext(declared, request)
                    request.body = command.body
                outcome = handler(request, call)
        except Exception:
            outcome = self._router.refusal(Failure(), call.peer)
        # Not isinstance(outcome, Deferred), which takes 79 ns: its class is an ABC.
        if not isinstance(outcome, Response):
            if outcome is not None:
                self._respond_later(outcome, command, call.peer)
            return None
        if command.flag & ONE_WAY:
            return None
        return encode_response(outcome, command.opaque, command.kind)

    def _respond_later(
        self, outcome: Deferred[Any], command: Command, peer: Peer
    ) -> None:
        """
        Send the response when the Deferred fires; the request is in flight until then.
        """
        self.in_flight += 1
        if self.in_flight == self._limit:
            self._on_limit()
        # Not the command, which would keep the body while the response is waited for.
        wants_response = not command.flag & ONE_WAY
        opaque, kind = command.opaque or 0, command.kind

        def done(response: Response | None) -> None:
            self.in_flight -= 1
            if self.in_flight == self._limit - 1:
                self._on_limit()
            if response is not None and wants_response:
                self._send(encode_response(response, opaque, kind))

        router = self._router
        outcome.addErrback(router.refusal, peer)
        outcome.addCallback(done)
        outcome.addErrback(
            lambda f: router.log_failure("a response was not sent", f, peer)
        )
