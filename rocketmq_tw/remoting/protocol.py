"""
One connection, the same at both ends.

Both ends may send requests; a response has the ``opaque`` number of its request. All
frames of one ``dataReceived`` are handled, then their responses are sent in one write,
directly to the socket if the transport's buffer is empty: using that buffer would take
another reactor iteration.

Back-pressure: reading is paused while the peer does not read its responses (the
transport says so, as we are its producer), and while too many of its requests are in
flight. Frames already received are kept unhandled. :mod:`rocketmq_tw.remoting.state`
draws the states of a connection.

Source: ``NettyRemotingAbstract`` of RocketMQ 5, for which requests get a response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.clock import wall_time
from rocketmq_tw.remoting.addresses import NO_HOST, peer_address
from rocketmq_tw.remoting.buffers import BufferBudget, HeldBytes, check_unfinished
from rocketmq_tw.remoting.errors import ConnectionLost, timed_out
from rocketmq_tw.remoting.frames import FrameHandler
from rocketmq_tw.remoting.idle import IdleTimer
from rocketmq_tw.remoting.inbound import InboundRequests
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.pending import PendingCalls
from rocketmq_tw.remoting.reactor_share import COSTLY_READS, ReactorShare
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.state import ConnectionState
from rocketmq_tw.remoting.waiters import Waiters
from rocketmq_tw.remoting.write_through import Outbox, unsent_bytes
from rocketmq_tw.wire.command import Sign, encode_request
from rocketmq_tw.wire.errors import RemoteProtocolError
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.frame import FRAME_LIMIT, Frame, FrameDecoder

A = TypeVar("A", bound=Response)

#: Looked up once: they are compared at every read.
_OPEN, _HANDLING = ConnectionState.OPEN, ConnectionState.HANDLING
_FINISHING, _GONE = ConnectionState.FINISHING, ConnectionState.GONE


@implementer(IPushProducer)
class RemotingProtocol(Protocol):
    """
    Requests and responses over one connection; handlers know it as a
    :class:`~rocketmq_tw.remoting.call.Peer`.

    :param router: handles the peer's requests.
    :param clock: for time-outs and the idle limit.
    :param peers: logs protocol violations of the peer.
    :param idle_timeout: seconds without a byte in either direction until it is closed.
    :param max_pending: how many of our calls may wait for responses.
    :param max_in_flight: how many of the peer's requests may be in flight.
    :param stops_reading: pause reading while the peer does not read; only servers may.
    :param budget: limits all bytes in memory, and refuses large bodies at the header.
    :param share: of the reactor's time, for all connections of a server.
    :ivar address: the peer as ``host:port``.
    :ivar host_bytes: the address as in records: the host and 4 bytes of port.
    :ivar last_seen: when bytes were last received, in seconds.
    :ivar calls: our calls that wait for responses.
    :ivar on_lost: called with the protocol when the connection is lost.
    """

    _log = Logger()
    transport: Any = None  # an ITCPTransport, or one in memory
    sign: Sign | None = None  # adds signatures to requests

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
        budget: BufferBudget | None = None,
        share: ReactorShare | None = None,
    ) -> None:
        self._clock = clock
        self._wall_time = wall_time(clock)
        self._share = share or ReactorShare(clock)
        self._is_postponed = False
        self._costly = COSTLY_READS  # nothing is known of its requests yet
        self._peers = peers or PeerLog(clock)
        self._decoder = FrameDecoder(frame_limit)
        self._stops_reading = stops_reading
        self._checks_bodies = budget is not None
        self._held = HeldBytes(budget or BufferBudget(), self.cut)
        #: Whether anything that was read is still to be handled.
        self._keeps = False
        self.calls = PendingCalls(max_pending)
        self._inbound = InboundRequests(
            router=router,
            limit=max_in_flight,
            next_opaque=self.calls.next_opaque,
            send=self._send_late,
            send_now=self._send,
            on_limit=self._update_reading,
            postpone=self._share.postpone_work,
        )
        self._idle = IdleTimer(
            clock,
            timeout=idle_timeout,
            last_active=self._last_active,
            on_idle=self._cut_idle,
        )
        self.last_seen = 0.0
        self._outbox = Outbox(clock, self._share.joint_writes)
        self._state = ConnectionState.NEW
        self._write_blocked = False
        self._frames = FrameHandler(router, self._inbound, self.calls, clock)
        #: What was received while frames are not handled.
        self._unhandled: list[Frame] = []
        self._drained, self._lost = Waiters(), Waiters()
        self.address, self.host_bytes = "?", NO_HOST
        self.on_lost: list[Callable[[RemotingProtocol], None]] = []

    # -- what Twisted calls

    def connectionMade(self) -> None:
        """Store the peer's address; as a producer, learn when the transport blocks."""
        self._state = _OPEN
        self.address, self.host_bytes = peer_address(self.transport.getPeer())
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None:
            set_no_delay(True)
        self.use_transport(self.transport)
        self.last_seen = self._clock.seconds()
        self._idle.start()

    def dataReceived(self, data: bytes) -> None:
        """Handle all complete frames, then send their responses in one write."""
        self.last_seen = self._clock.seconds()
        frames = self._decoder.feed(data)
        if self._unhandled:
            self._unhandled += frames
        elif self._state is _OPEN and (frames or self._decoder.error is not None):
            self._frames_received(frames)
        if self._decoder.held or self._keeps:
            self._keep_read()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Fail all waiting calls, and notify the listeners; leave no circle behind."""
        self._stop_handling(_GONE)
        self._held.release()
        self._inbound.release()
        self._idle.stop()
        self.connected = 0
        why = reason.getErrorMessage() if reason is not None else "closed"
        self.calls.fail_all(self.address, why)
        self._drained.fire()
        callbacks, self.on_lost = self.on_lost, []
        try:
            for callback in callbacks:
                callback(self)
        finally:
            self._lost.fire()

    def pauseProducing(self) -> None:
        """Stop reading: the peer does not read our responses."""
        self._write_blocked = True
        self._held.set_unsent(unsent_bytes(self.transport))
        self._update_reading()

    def resumeProducing(self) -> None:
        """Continue reading: the peer reads again."""
        self._write_blocked = False
        self._held.set_unsent(0)
        self._drained.fire()
        self._update_reading()

    def stopProducing(self) -> None:
        """``connectionLost`` follows."""

    # -- what the other modules call

    def use_transport(self, transport: Any) -> None:
        """Write to this transport from now on: the first, or one with TLS over it."""
        self.transport = self._outbox.transport = transport
        transport.registerProducer(self, True)

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        state = self._state
        return state is _OPEN or state is _HANDLING

    @property
    def has_requested(self) -> bool:
        """Whether a whole frame came from the peer."""
        return self._decoder.has_begun

    def call(
        self, request: Request[A], timeout: float | None = 3.0, *, batched: bool = False
    ) -> Deferred[A]:
        """
        Send a request.

        :param timeout: seconds to wait; None leaves that to the caller.
        :param batched: write at the end of this reactor iteration, with others.
        :returns: fires with the response if its code is one of ``request.accepted``.
            Fails with :class:`BrokerError` for other codes, :class:`RequestTimeout`,
            :class:`ConnectionLost`, :class:`TooManyRequests`, or what encoding raises.
            When cancelled, a late response is dropped; the request may be handled.
        """
        if not self.is_connected:
            return fail(ConnectionLost(self.address, "the connection is closed"))
        opaque = self.calls.next_opaque()
        try:
            frame = encode_request(request, opaque, sign=self.sign)
            response = self.calls.add(opaque, request, self.address)
        except Exception:
            return fail()
        self.write_request(frame, batched)
        if timeout is None:
            return response
        late = timed_out(self.address, request, timeout)
        return response.addTimeout(timeout, self._clock, late)

    def call_one_way(self, request: Request[Any]) -> None:
        """Send a request without a response; it is lost if the connection is."""
        if self.is_connected:
            opaque = self.calls.next_opaque()
            self._send(encode_request(request, opaque, one_way=True, sign=self.sign))

    def write_request(self, frame: bytes, batched: bool) -> None:
        """
        Write an encoded request, whose caller is one of :attr:`calls` if it has any.

        :param batched: write at the end of this reactor iteration, with others.
        """
        if not batched:
            self._send(frame)
        elif self._state is not _GONE:
            self._outbox.write_batched(frame)

    @property
    def is_write_blocked(self) -> bool:
        """Whether the peer is connected but has not read what was written."""
        return self._write_blocked and self.is_connected

    def when_writable(self) -> Deferred[None]:
        """Fires once the transport's buffer is empty; at once if it is not blocked."""
        if not self.is_write_blocked:
            return succeed(None)
        return self._drained.add()

    def close(self) -> Deferred[None]:
        """
        Close after everything written is sent; fires when the connection is gone.

        A handler may close its own connection: its response is still sent. So is a
        later response, as long as the transport has something left to send.
        """
        if not self.connected:
            return succeed(None)
        gone = self._lost.add()
        if self._state is _HANDLING:
            self._stop_handling(_FINISHING)
        elif self._state is _OPEN:
            self._lose_connection()
        return gone

    def cut(self, why: str) -> None:
        """Close now and log the reason, which is the peer's doing."""
        self._peers.complain(self.address, why)
        self.abort()

    def abort(self) -> None:
        """Close now and drop what is not sent yet."""
        if self.connected and self.transport is not None:
            self._stop_handling(_GONE)
            self._held.release()
            self.transport.abortConnection()

    # -- requests and responses

    def _frames_received(self, frames: list[Frame]) -> None:
        """Handle frames in order, until an invalid one or a pause."""
        self._state, now = _HANDLING, self._wall_time()
        seconds, at_once = self._clock.seconds, int(self._costly < COSTLY_READS)
        begin, corked, broken = seconds(), self._outbox.cork(), self._decoder.error
        if len(frames) > at_once:
            self._frames.deadline = self._share.deadline(begin)
        try:
            handled = self._frames.handle(frames, self, now, corked, at_once)
        except RemoteProtocolError as error:
            handled, broken = len(frames), error
        if self._state is _HANDLING:
            if handled < len(frames):
                self._unhandled = frames[handled:]
                self._keeps = True
                self._postpone()
            self._state = _OPEN
            self._outbox.uncork(begin)
            if broken is not None and not self._unhandled:
                self._refuse_peer(broken)
        elif self._state is _FINISHING:
            self._lose_connection()
        # Large responses take longer to be written than to be made.
        self._costly = self._costly + 1 if self._share.spend(seconds() - begin) else 0

    def _postpone(self) -> None:
        """Leave the frames that are not handled to another reactor iteration."""
        if not self._frames.is_paused:
            self._is_postponed = self._frames.is_paused = True
            self._share.postpone(self._continue)
            self.transport.pauseProducing()

    def _continue(self) -> None:
        """Handle more of the frames that were left."""
        self._is_postponed = False
        self._update_reading()

    def _send(self, data: bytes) -> None:
        """Write to the socket if it accepts bytes now; do nothing after the loss."""
        if self._state is not _GONE:
            self._outbox.write(data)

    def _send_late(self, frame: bytes) -> None:
        """Write a response that a Deferred gave; more of them are likely to follow."""
        if self._inbound.in_flight and self.is_connected:
            self._outbox.write_batched(frame)
        else:
            self._send(frame)

    def _update_reading(self) -> None:
        """Pause reading while the peer does not read or is over the in-flight limit."""
        if not self.is_connected:
            return
        blocked = self._write_blocked and self._stops_reading or self._is_postponed
        self._frames.is_paused = blocked or self._inbound.is_at_limit
        if not self._frames.is_paused and self._unhandled:
            frames, self._unhandled = self._unhandled, []
            self._frames_received(frames)
            self._keep_read()
        if not self.is_connected:
            return
        if self._frames.is_paused:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def _refuse_peer(self, error: RemoteProtocolError) -> None:
        """Log a protocol violation and close the connection."""
        if self._state is _OPEN:
            self._peers.complain(self.address, str(error))
            self._decoder.stop(error)
            self._lose_connection()

    def _keep_read(self) -> None:
        """Count what is kept of what was read; refuse a body that is not needed."""
        if self._checks_bodies and self._state is _OPEN:
            try:
                check_unfinished(self._decoder, self.calls.awaits)
            except RemoteProtocolError as error:
                self._refuse_peer(error)
        unhandled = sum(len(head) + len(body) for _, head, body in self._unhandled)
        self._held.set_read(self._decoder.held, unhandled)
        self._keeps = bool(self._decoder.held or unhandled)

    def _stop_handling(self, state: ConnectionState) -> None:
        """Handle no more frames, including those already received."""
        self._state = state
        self._frames.is_paused = True
        self._unhandled.clear()
        self._decoder.stop()

    def _lose_connection(self) -> None:
        """Let the transport close after everything written is sent."""
        self._stop_handling(ConnectionState.DRAINING)
        self._outbox.uncork()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _last_active(self) -> float:
        """When something was last sent or received, in seconds."""
        return max(self.last_seen, self._outbox.last_written)

    def _cut_idle(self) -> None:
        """Close a connection on which nothing is sent or received."""
        address, text = self.address, "closing {address}: idle"
        self._peers.emit(self._log, LogLevel.debug, address, text, address=address)
        self.abort()
