"""
One connection, seen from either end.

Both ends may ask: requests and answers go both ways, tied together by ``opaque``, a
number that the asking end counts up. All frames of one ``dataReceived`` are handled,
then their answers leave in one write, straight to the socket when nothing waits before
them: the transport's own buffer would cost a second turn of the reactor.

Back-pressure: an end that does not read its answers is not read from (the transport
says so, as we are its producer), nor one that has too many requests unanswered; what it
has asked by then is kept as it came.

Source: ``NettyRemotingAbstract`` of RocketMQ 5, for what is answered and when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.remoting.addresses import NO_HOST, peer_address
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import (
    ConnectionLost,
    TooManyRequests,
    timed_out,
)
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pending import PendingCalls
from rocketmq_tw.remoting.router import Router, unsupported
from rocketmq_tw.remoting.write_through import SHORT, Outbox
from rocketmq_tw.wire.command import (
    ANSWER,
    ONE_WAY,
    Command,
    decode,
    decode_json,
    encode_request,
    encode_response,
)
from rocketmq_tw.wire.errors import RemoteProtocolError
from rocketmq_tw.wire.fields import Request, Response, from_ext
from rocketmq_tw.wire.frame import FRAME_LIMIT, JSON, Frame, FrameDecoder

A = TypeVar("A", bound=Response)


@implementer(IPushProducer)
class RemotingProtocol(Protocol):
    """
    Requests and answers over one connection.

    :param router: handles what the peer asks.
    :param clock: for time-outs and the idle limit.
    :param peers: where complaints about the peer go.
    :param idle_timeout: seconds without a byte in either direction until it is closed.
    :param max_pending: how many of our calls may wait for answers.
    :param max_in_flight: how many of the peer's requests may wait for us.
    :param stops_reading: whether a peer that does not read is no longer read from. True
        for servers; a client that did so too could wait for ever for such a server.
    :ivar address: the peer as ``host:port``.
    :ivar host_bytes: the same as records write it: the address and 4 bytes of port.
    :ivar last_seen: when bytes came last, in seconds; the time of all in them.
    :ivar on_lost: called with the protocol once the connection is gone.
    """

    _log = Logger()

    def __init__(
        self,
        router: Router,
        clock: IReactorTime,
        peers: PeerLog | None = None,
        *,
        frame_limit: int = FRAME_LIMIT,
        idle_timeout: float = 120.0,
        max_pending: int = 65535,
        max_in_flight: int = 20000,
        stops_reading: bool = True,
    ) -> None:
        self._refusal = router.refusal
        self._find = router.find
        self._clock = clock
        self._peers = peers or PeerLog(clock)
        self._decoder = FrameDecoder(frame_limit)
        self._idle_timeout = idle_timeout
        self._max_in_flight = max_in_flight
        self._stops_reading = stops_reading
        self._pending = PendingCalls(max_pending)
        self._in_flight = 0
        self.last_seen = 0.0
        self._outbox = Outbox(clock)
        self._idle_check: IDelayedCall | None = None
        self._closing = False
        self._aborted = False
        self._lost_asked = False
        #: Frames are being handled; to close waits for the end of that.
        self._handling = False
        self._full = False
        self._crowded = False
        #: Nothing is handled meanwhile; the frames that have come already.
        self._stuck = False
        self._unhandled: list[Frame] = []
        self._drained: list[Deferred[None]] = []
        self._lost: list[Deferred[None]] = []
        self.address = "?"
        self.host_bytes = NO_HOST
        self.on_lost: list[Callable[[RemotingProtocol], None]] = []

    # -- what Twisted calls

    def connectionMade(self) -> None:
        """Note the peer; become the transport's producer, to learn when it is full."""
        assert self.transport is not None
        self.address, self.host_bytes = peer_address(self.transport.getPeer())
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self._outbox.transport = self.transport
        self.transport.registerProducer(self, True)
        self.last_seen = self._clock.seconds()
        if self._idle_timeout:
            self._idle_check = self._clock.callLater(
                self._idle_timeout, self._check_idle
            )

    def dataReceived(self, data: bytes) -> None:
        """Handle all whole frames, then send their answers in one write."""
        self.last_seen = self._clock.seconds()
        frames = self._decoder.feed(data)
        if self._unhandled:
            self._unhandled += frames
        elif frames or self._decoder.error is not None:
            self._frames_received(frames)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Fail every call that waits, once."""
        self._closing = True
        self._unhandled.clear()
        self.connected = 0
        if self._idle_check is not None and self._idle_check.active():
            self._idle_check.cancel()
        why = reason.getErrorMessage() if reason is not None else "closed"
        self._pending.fail_all(self.address, why)
        self._fire(self._drained)
        callbacks, self.on_lost = self.on_lost, []
        for callback in callbacks:
            callback(self)
        self._fire(self._lost)

    def pauseProducing(self) -> None:
        """Our answers are not being read: read no more requests."""
        self._full = True
        self._read_or_not()

    def resumeProducing(self) -> None:
        """The peer reads again."""
        self._full = False
        self._fire(self._drained)
        self._read_or_not()

    def stopProducing(self) -> None:
        """The transport is going; ``connectionLost`` follows."""

    # -- what the rest of the program calls

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        return bool(self.connected) and not self._closing

    def call(self, request: Request[A], timeout: float | None = 3.0) -> Deferred[A]:
        """
        Send a request.

        :param timeout: seconds to wait; None leaves that to the caller.
        :returns: fires with the answer if its code is one of ``request.accepted``.
            Fails with :class:`BrokerError` for any other code, :class:`RequestTimeout`,
            :class:`ConnectionLost` or :class:`TooManyRequests`. When cancelled, a late
            answer is dropped; the peer may have acted.
        """
        if not self.is_connected:
            return fail(ConnectionLost(self.address, "the connection is closed"))
        opaque = self._pending.next_opaque()
        frame = encode_request(request, opaque)
        try:
            answer = self._pending.add(opaque, request, self.address)
        except TooManyRequests:
            return fail()
        self._send(frame)
        if timeout is not None:
            late = timed_out(self.address, request, timeout)
            answer.addTimeout(timeout, self._clock, late)
        return answer

    def call_one_way(self, request: Request[Any]) -> None:
        """Send a request that is not answered; lost if the connection is."""
        if self.is_connected:
            self._send(
                encode_request(request, self._pending.next_opaque(), one_way=True)
            )

    @property
    def is_write_blocked(self) -> bool:
        """Whether the peer has not taken what was written, and may do so still."""
        return self._full and self.is_connected

    def when_writable(self) -> Deferred[None]:
        """Fire when the transport's buffer takes more; at once if it does now."""
        if not self._full or not self.is_connected:
            return succeed(None)
        waiting: Deferred[None] = Deferred(
            lambda d: self._drained.remove(d) if d in self._drained else None
        )
        self._drained.append(waiting)
        return waiting

    def close(self) -> Deferred[None]:
        """Close once all that was written is sent; fires when it is gone."""
        if not self.connected:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._lost.append(gone)
        if not self._closing:
            self._stop_handling()
            if not self._handling:
                self._lose_connection()
        return gone

    def abort(self) -> None:
        """Close now, whatever is still to be sent."""
        if self.connected and self.transport is not None:
            self._stop_handling()
            self._aborted = True
            self.transport.abortConnection()

    # -- requests and answers

    def _frames_received(self, frames: list[Frame]) -> None:
        """Handle frames in order; stop at what breaks the rules, or when stuck."""
        self._handling = True
        held = self._outbox.hold()
        broken = self._decoder.error
        for at, (kind, header, body) in enumerate(frames):
            if self._stuck:
                if not self._closing:
                    self._unhandled = frames[at:]
                break
            try:
                if kind == JSON:
                    command = decode_json(header, body)
                else:
                    command = decode(kind, header, body)
            except RemoteProtocolError as error:
                broken = error
                break
            if command.flag & ANSWER:
                self._pending.resolve(command, self.address)
            else:
                answer = self._request_received(command, header)
                if answer is not None:
                    (held.append if len(answer) < SHORT else self._send)(answer)
        self._handling = False
        if self._closing:
            self._lose_connection()
            return
        self._outbox.release()
        if broken is not None and not self._unhandled:
            self._refuse_peer(broken)

    def _request_received(self, command: Command, header: bytes) -> bytes | None:
        """Ask the handler; give the answer's frame if it is there already."""
        found = self._find(command.code)
        if command.opaque is None:
            command.opaque = self._pending.next_opaque()
        try:
            if found is None:
                outcome: Any = unsupported(command.code)
            else:
                declared, handler = found
                request = command.fields
                if request.__class__ is not declared:
                    request = from_ext(declared, request)
                    request.body = command.body
                outcome = handler(request, Call(command, self, self.last_seen, header))
        except Exception:
            outcome = self._refusal(Failure())
        # Not isinstance(outcome, Deferred), which takes 79 ns: its class is an ABC.
        if not isinstance(outcome, Response):
            if outcome is not None:
                self._respond_later(outcome, command)
            return None
        if command.flag & ONE_WAY:
            return None
        return encode_response(outcome, command.opaque, command.kind)

    def _respond_later(self, outcome: Deferred[Any], command: Command) -> None:
        """Send the answer when it comes; count it until then."""
        self._in_flight += 1
        if self._in_flight >= self._max_in_flight:
            self._crowded = True
            self._read_or_not()

        def done(answer: Response | None) -> None:
            self._in_flight -= 1
            if self._crowded and self._in_flight < self._max_in_flight:
                self._crowded = False
                self._read_or_not()
            if answer is None or command.flag & ONE_WAY or not self._is_open:
                return
            soon = self._in_flight and not self._closing
            write = self._outbox.write_soon if soon else self._outbox.write
            write(encode_response(answer, command.opaque or 0, command.kind))

        outcome.addErrback(self._refusal)
        outcome.addCallback(done)
        outcome.addErrback(lambda f: self._log.failure("an answer was not sent", f))

    # -- the transport

    def _send(self, data: bytes) -> None:
        """Write, at once if the socket takes it."""
        if self.connected:
            self._outbox.write(data)

    def _read_or_not(self) -> None:
        """Read from the peer only while it reads, and is not owed too many answers."""
        if self._closing or self.transport is None:
            return
        self._stuck = self._crowded or (self._full and self._stops_reading)
        if not self._stuck and self._unhandled:
            frames, self._unhandled = self._unhandled, []
            self._frames_received(frames)
        if self._closing:
            return
        if self._stuck:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def _refuse_peer(self, error: RemoteProtocolError) -> None:
        """Close on a peer that broke the rules; nothing it sent before is lost."""
        if self._closing:
            return
        self._peers.complain(self.address, str(error))
        self._decoder.error = error
        self._stop_handling()
        self._lose_connection()

    def _stop_handling(self) -> None:
        """Handle no more requests, neither of this read nor those that wait."""
        self._closing = self._stuck = True
        self._unhandled.clear()

    def _lose_connection(self) -> None:
        """Write what is held back, and let the transport close; once."""
        if self._lost_asked or not self._is_open:
            return
        self._lost_asked = True
        assert self.transport is not None
        self._outbox.release()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    @property
    def _is_open(self) -> bool:
        """Whether what is written now may still leave."""
        return bool(self.connected) and not self._aborted

    def _check_idle(self) -> None:
        """Cut the connection if nothing came or went; else look again later."""
        quiet = self._clock.seconds() - max(self.last_seen, self._outbox.last_written)
        if quiet < self._idle_timeout:
            wait = self._idle_timeout - quiet
            self._idle_check = self._clock.callLater(wait, self._check_idle)
        else:
            self._log.debug("closing {address}: idle", address=self.address)
            self.abort()

    @staticmethod
    def _fire(waiting: list[Deferred[None]]) -> None:
        """Fire each once, even if firing one adds another."""
        fired, waiting[:] = waiting[:], []
        for each in fired:
            if not each.called:
                each.callback(None)
