"""
One connection, seen from either end.

Both ends may ask: requests and responses go both ways, tied together by ``opaque``, a
number that the asking end counts up. All frames of one ``dataReceived`` are handled,
then their responses leave in one write, straight to the socket when nothing waits
before them: the transport's own buffer would cost another reactor iteration.

Back-pressure: an end that does not read its responses is not read from (the transport
says so, as we are its producer), nor one that has too many requests in flight; what it
has asked by then is kept as it came.

A connection's states are drawn in :mod:`rocketmq_tw.remoting.state`.

Source: ``NettyRemotingAbstract`` of RocketMQ 5, for what is responded to and when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IPushProducer, IReactorTime
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
from rocketmq_tw.remoting.idle import IdleTimer
from rocketmq_tw.remoting.inbound import InboundRequests
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pending import PendingCalls
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.state import ConnectionState
from rocketmq_tw.remoting.write_through import SHORT, Outbox
from rocketmq_tw.wire.command import (
    RESPONSE,
    decode,
    decode_json,
    encode_request,
)
from rocketmq_tw.wire.errors import RemoteProtocolError
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.frame import FRAME_LIMIT, JSON, Frame, FrameDecoder

A = TypeVar("A", bound=Response)


#: Looked up once: these are compared for every read.
_OPEN, _HANDLING = ConnectionState.OPEN, ConnectionState.HANDLING
_FINISHING, _GONE = ConnectionState.FINISHING, ConnectionState.GONE


@implementer(IPushProducer)
class RemotingProtocol(Protocol):
    """
    Requests and responses over one connection; handlers know it as a
    :class:`~rocketmq_tw.remoting.call.Peer`.

    :param router: handles what the peer asks.
    :param clock: for time-outs and the idle limit.
    :param peers: where complaints about the peer go.
    :param idle_timeout: seconds without a byte in either direction until it is closed.
    :param max_pending: how many of our calls may wait for responses.
    :param max_in_flight: how many of the peer's requests may be in flight.
    :param stops_reading: whether a peer that does not read is no longer read from. True
        for servers; a client that did so too could wait for ever for such a server.
    :ivar address: the peer as ``host:port``.
    :ivar host_bytes: the same as records write it: the address and 4 bytes of port.
    :ivar last_seen: when bytes came last, in seconds; the time of all in them.
    :ivar on_lost: called with the protocol once the connection is gone.
    """

    _log = Logger()
    #: An ITCPTransport, which is a consumer and a producer too; or one in memory.
    transport: Any = None

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
        self._clock = clock
        self._peers = peers or PeerLog(clock)
        self._decoder = FrameDecoder(frame_limit)
        self._stops_reading = stops_reading
        self._pending = PendingCalls(max_pending)
        self._inbound = InboundRequests(
            router=router,
            limit=max_in_flight,
            next_opaque=self._pending.next_opaque,
            send=self._send_late,
            on_limit=self._update_reading,
        )
        self._idle = IdleTimer(
            clock,
            timeout=idle_timeout,
            last_active=self._last_active,
            on_idle=self._cut_idle,
        )
        self.last_seen = 0.0
        self._outbox = Outbox(clock)
        self._state = ConnectionState.NEW
        self._write_blocked = False
        #: No frame is handled meanwhile; _unhandled are those that have come already.
        self._reads_paused = False
        self._unhandled: list[Frame] = []
        self._drained: list[Deferred[None]] = []
        self._lost: list[Deferred[None]] = []
        self.address = "?"
        self.host_bytes = NO_HOST
        self.on_lost: list[Callable[[RemotingProtocol], None]] = []

    # -- what Twisted calls

    def connectionMade(self) -> None:
        """Note the peer; become the transport's producer, to learn when it blocks."""
        self._state = _OPEN
        self.address, self.host_bytes = peer_address(self.transport.getPeer())
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self._outbox.transport = self.transport
        self.transport.registerProducer(self, True)
        self.last_seen = self._clock.seconds()
        self._idle.start()

    def dataReceived(self, data: bytes) -> None:
        """Handle all whole frames, then send their responses in one write."""
        self.last_seen = self._clock.seconds()
        frames = self._decoder.feed(data)
        if self._unhandled:
            self._unhandled += frames
        elif self._state is _OPEN and (frames or self._decoder.error is not None):
            self._frames_received(frames)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Fail every call that waits, once."""
        self._stop_handling(_GONE)
        self.connected = 0
        self._idle.stop()
        why = reason.getErrorMessage() if reason is not None else "closed"
        self._pending.fail_all(self.address, why)
        self._fire(self._drained)
        callbacks, self.on_lost = self.on_lost, []
        for callback in callbacks:
            callback(self)
        self._fire(self._lost)

    def pauseProducing(self) -> None:
        """Our responses are not being read: read no more requests."""
        self._write_blocked = True
        self._update_reading()

    def resumeProducing(self) -> None:
        """The peer reads again."""
        self._write_blocked = False
        self._fire(self._drained)
        self._update_reading()

    def stopProducing(self) -> None:
        """The transport is going; ``connectionLost`` follows."""

    # -- what the rest of the program calls

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        state = self._state
        return state is _OPEN or state is _HANDLING

    def call(self, request: Request[A], timeout: float | None = 3.0) -> Deferred[A]:
        """
        Send a request.

        :param timeout: seconds to wait; None leaves that to the caller.
        :returns: fires with the response if its code is one of ``request.accepted``.
            Fails with :class:`BrokerError` for any other code, :class:`RequestTimeout`,
            :class:`ConnectionLost` or :class:`TooManyRequests`. When cancelled, a late
            response is dropped; the peer may have acted.
        """
        if not self.is_connected:
            return fail(ConnectionLost(self.address, "the connection is closed"))
        opaque = self._pending.next_opaque()
        frame = encode_request(request, opaque)
        try:
            response = self._pending.add(opaque, request, self.address)
        except TooManyRequests:
            return fail()
        self._send(frame)
        if timeout is not None:
            late = timed_out(self.address, request, timeout)
            response.addTimeout(timeout, self._clock, late)
        return response

    def call_one_way(self, request: Request[Any]) -> None:
        """Send a request that has no response; lost if the connection is."""
        if self.is_connected:
            self._send(
                encode_request(request, self._pending.next_opaque(), one_way=True)
            )

    @property
    def is_write_blocked(self) -> bool:
        """Whether the peer has not read what was written, and may do so still."""
        return self._write_blocked and self.is_connected

    def when_writable(self) -> Deferred[None]:
        """Fire when the transport's buffer takes more; at once if it does now."""
        if not self.is_write_blocked:
            return succeed(None)
        waiting: Deferred[None] = Deferred(
            lambda d: self._drained.remove(d) if d in self._drained else None
        )
        self._drained.append(waiting)
        return waiting

    def close(self) -> Deferred[None]:
        """
        Close once all that was written is sent; fires when it is gone.

        A handler may close its own connection: its response is still written, as is
        one that comes later, while the transport has something left to send.
        """
        if not self.connected:
            return succeed(None)
        gone: Deferred[None] = Deferred()
        self._lost.append(gone)
        if self._state is _HANDLING:
            self._stop_handling(_FINISHING)
        elif self._state is _OPEN:
            self._lose_connection()
        return gone

    def abort(self) -> None:
        """Close now, whatever is still to be sent."""
        if self.connected and self.transport is not None:
            self._stop_handling(_GONE)
            self.transport.abortConnection()

    # -- requests and responses

    def _frames_received(self, frames: list[Frame]) -> None:
        """Handle frames in order; stop at what breaks the rules, or to pause."""
        self._state = _HANDLING
        corked, now = self._outbox.cork(), self.last_seen
        handle = self._inbound.handle
        broken = self._decoder.error
        for at, (kind, header, body) in enumerate(frames):
            if self._reads_paused:
                if self._state is _HANDLING:
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
            if command.flag & RESPONSE:
                self._pending.resolve(command, self.address)
            else:
                response = handle(Call(command, self, now, header))
                if response is not None:
                    (corked.append if len(response) < SHORT else self._send)(response)
        if self._state is _HANDLING:
            self._state = _OPEN
            self._outbox.uncork()
            if broken is not None and not self._unhandled:
                self._refuse_peer(broken)
        elif self._state is _FINISHING:
            self._lose_connection()

    # -- the transport

    def _send(self, data: bytes) -> None:
        """Write, at once if the socket takes it; nothing once it is gone."""
        if self._state is not _GONE:
            self._outbox.write(data)

    def _send_late(self, frame: bytes) -> None:
        """Write a response that was waited for; others are likely to follow it."""
        if self._inbound.in_flight and self.is_connected:
            self._outbox.write_batched(frame)
        else:
            self._send(frame)

    def _update_reading(self) -> None:
        """Read from the peer only while it reads and is within the in-flight limit."""
        if not self.is_connected:
            return
        blocked = self._write_blocked and self._stops_reading
        self._reads_paused = blocked or self._inbound.is_at_limit
        if not self._reads_paused and self._unhandled:
            frames, self._unhandled = self._unhandled, []
            self._frames_received(frames)
        if not self.is_connected:
            return
        if self._reads_paused:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def _refuse_peer(self, error: RemoteProtocolError) -> None:
        """Close on a peer that broke the rules; nothing it sent before is lost."""
        if self._state is _OPEN:
            self._peers.complain(self.address, str(error))
            self._decoder.error = error
            self._lose_connection()

    def _stop_handling(self, state: ConnectionState) -> None:
        """Handle no more frames, neither of this read nor those that wait."""
        self._state = state
        self._reads_paused = True
        self._unhandled.clear()

    def _lose_connection(self) -> None:
        """Let the transport close once all that was written is sent."""
        self._stop_handling(ConnectionState.DRAINING)
        self._outbox.uncork()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _last_active(self) -> float:
        """When something last came or went, in seconds."""
        return max(self.last_seen, self._outbox.last_written)

    def _cut_idle(self) -> None:
        """Cut a connection on which nothing comes or goes."""
        self._log.debug("closing {address}: idle", address=self.address)
        self.abort()

    @staticmethod
    def _fire(waiting: list[Deferred[None]]) -> None:
        """Fire each once, even if firing one adds another."""
        fired, waiting[:] = waiting[:], []
        for each in fired:
            if not each.called:
                each.callback(None)
