"""The protocol's limits: slow readers, many requests, idle peers, ends."""

from __future__ import annotations

import gc
import weakref

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rocketmq_tw.remoting.call import Call, Exclusive
from rocketmq_tw.remoting.errors import ConnectionLost
from rocketmq_tw.remoting.reactor_share import ReactorShare
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.fields import Response
from tests.remoting.ends import (
    UNKNOWN,
    Echo,
    EchoResponse,
    Wire,
    asked,
    connected,
    echoing,
)


class _Filling(Wire):
    """A transport that is full with 64 KiB, until it is emptied."""

    def write(self, data: bytes) -> None:
        super().write(data)
        if len(self.value()) > 65536:
            self.producer.pauseProducing()

    def empty(self) -> None:
        """Let the peer read."""
        self.clear()
        self.producer.resumeProducing()


class BackPressureTests(SynchronousTestCase):
    """Who is not read from."""

    def setUp(self) -> None:
        """Make a protocol that lets two requests wait."""
        self.late: list[Deferred[Response]] = []
        router = Router()
        router.on(Echo, self.respond_later)
        self.protocol, self.wire = connected(Clock(), router, max_in_flight=2)

    def respond_later(self, _request: Echo, _call: object) -> Deferred[Response]:
        """Keep the peer waiting."""
        self.late.append(Deferred())
        return self.late[-1]

    def test_is_a_producer(self) -> None:
        """The transport's full buffer pauses it."""
        verifyObject(IPushProducer, self.protocol)
        self.assertIs(self.wire.producer, self.protocol)
        self.assertTrue(self.wire.streaming)

    def test_slow_reader(self) -> None:
        """A peer that does not read its responses is no longer read from."""
        self.protocol.pauseProducing()
        self.assertEqual(self.wire.producerState, "paused")
        self.protocol.resumeProducing()
        self.assertEqual(self.wire.producerState, "producing")

    def test_clients_go_on_reading(self) -> None:
        """Else two ends that are both full would wait for each other for ever."""
        protocol, wire = connected(Clock(), stops_reading=False)
        protocol.pauseProducing()
        self.assertEqual(wire.producerState, "producing")

    def test_too_many_requests(self) -> None:
        """A peer that is owed too many responses is no longer read from."""
        self.protocol.dataReceived(asked(opaque=1))
        self.assertEqual(self.wire.producerState, "producing")
        self.protocol.dataReceived(asked(opaque=2))
        self.assertEqual(self.wire.producerState, "paused")
        self.late[0].callback(EchoResponse(text=""))
        self.assertEqual(self.wire.producerState, "producing")

    def test_requests_that_came_already_wait(self) -> None:
        """What was read before is handled when the peer reads again, not before."""
        frames = b"".join(asked(opaque=n) for n in range(1, 6))
        self.protocol.dataReceived(frames[:-1])
        self.assertEqual(len(self.late), 2)
        self.late[0].callback(EchoResponse(text=""))
        self.assertEqual(len(self.late), 3)
        self.protocol.dataReceived(frames[-1:] + b"\xff" * 8)
        self.assertFalse(self.wire.disconnecting)
        for n in range(1, 5):
            self.late[n].callback(EchoResponse(text=""))
            self.assertEqual(len(self.late), min(n + 3, 5))
        self.assertTrue(self.wire.disconnecting)

    def test_nothing_is_handled_behind_an_exclusive_request(self) -> None:
        """However many may be in flight; nothing more is read meanwhile."""
        handled: list[str] = []
        alone = Exclusive()

        def respond(request: Echo, _call: object) -> Response | Exclusive:
            handled.append(request.text)
            return alone if request.text == "alone" else EchoResponse(text="")

        router = Router()
        router.on(Echo, respond)
        protocol, wire = connected(Clock(), router)
        texts = [asked(ext=f'"text":"{text}"') for text in ("alone", "behind", "later")]
        protocol.dataReceived(texts[0] + texts[1])
        protocol.dataReceived(texts[2])
        self.assertEqual((handled, wire.producerState), (["alone"], "paused"))
        alone.callback(EchoResponse(text=""))
        self.assertEqual(handled, ["alone", "behind", "later"])
        self.assertEqual(wire.producerState, "producing")

    def test_few_bytes_that_ask_for_many(self) -> None:
        """Responses beyond what the transport takes are not even made."""
        router = Router()
        made: list[int] = []
        large = b"x" * 1_000_000

        def response(_request: Echo, call: Call) -> EchoResponse:
            made.append(call.header.opaque or 0)
            return EchoResponse(text="", body=large)

        router.on(Echo, response)
        wire = _Filling()
        protocol, _ = connected(Clock(), router, wire)
        protocol.dataReceived(b"".join(asked(opaque=n) for n in range(1, 100)))
        self.assertEqual(made, [1])
        wire.empty()
        self.assertEqual(made, [1, 2])
        for _ in range(97):
            wire.empty()
        self.assertEqual(made, list(range(1, 100)))
        self.assertEqual(wire.producerState, "paused")
        wire.empty()
        self.assertEqual(wire.producerState, "producing")

    def test_both_reasons(self) -> None:
        """It is read from again when neither reason holds."""
        self.protocol.dataReceived(asked(opaque=1) + asked(opaque=2))
        self.protocol.pauseProducing()
        self.late[0].callback(EchoResponse(text=""))
        self.assertEqual(self.wire.producerState, "paused")
        self.protocol.resumeProducing()
        self.assertEqual(self.wire.producerState, "producing")

    def test_when_writable(self) -> None:
        """A sender can wait for the buffer; each who waits is notified once."""
        self.successResultOf(self.protocol.when_writable())
        self.protocol.pauseProducing()
        one, two, three = (self.protocol.when_writable() for _ in range(3))
        two.cancel()
        self.failureResultOf(two)
        self.assertNoResult(one)
        self.protocol.resumeProducing()
        self.successResultOf(one)
        self.successResultOf(three)

    def test_when_writable_and_lost(self) -> None:
        """Nobody waits for the buffer of a connection that is gone."""
        self.protocol.pauseProducing()
        waiting = self.protocol.when_writable()
        self.protocol.connectionLost()
        self.successResultOf(waiting)


class IdleTests(SynchronousTestCase):
    """Connections on which nothing happens."""

    def setUp(self) -> None:
        """Make a protocol on a clock."""
        self.clock = Clock()
        self.protocol, self.wire = connected(self.clock, echoing())

    def test_closed_after_two_minutes(self) -> None:
        """Silence of 120 s ends the connection. Source: ``IdleStateHandler``."""
        self.clock.advance(119)
        self.assertFalse(self.wire.disconnected)
        self.clock.advance(1)
        self.assertTrue(self.wire.disconnected)

    def test_receiving_keeps_it_open(self) -> None:
        """What comes in, even half a frame, starts the time again."""
        self.clock.advance(100)
        self.protocol.dataReceived(asked()[:3])
        self.clock.advance(119)
        self.assertFalse(self.wire.disconnected)
        self.clock.advance(1)
        self.assertTrue(self.wire.disconnected)

    def test_sending_keeps_it_open(self) -> None:
        """So does what goes out."""
        self.clock.advance(100)
        self.protocol.call_one_way(Echo(text="x"))
        self.clock.advance(119)
        self.assertFalse(self.wire.disconnected)

    def test_a_new_connection_has_its_time(self) -> None:
        """The time of a connection on which nothing came begins when it was made."""
        self.clock.advance(1000)
        _, wire = connected(self.clock, echoing())
        self.clock.advance(119)
        self.assertFalse(wire.disconnected)

    def test_never(self) -> None:
        """0 turns the limit off."""
        _, wire = connected(self.clock, idle_timeout=0)
        self.clock.advance(100_000)
        self.assertFalse(wire.disconnected)


class EndTests(SynchronousTestCase):
    """Closing and being closed."""

    def setUp(self) -> None:
        """Make a protocol that remembers who was notified of its end."""
        self.clock = Clock()
        self.protocol, self.wire = connected(self.clock)
        self.told: list[object] = []
        self.protocol.on_lost.append(self.told.append)

    def test_close(self) -> None:
        """Closing waits for what is written; everyone is notified when it is done."""
        one, two = self.protocol.close(), self.protocol.close()
        self.assertTrue(self.wire.disconnecting)
        self.assertIsNone(self.wire.producer)
        self.assertFalse(self.protocol.is_connected)
        self.assertNoResult(one)
        self.protocol.connectionLost()
        self.successResultOf(one)
        self.successResultOf(two)
        self.assertEqual(self.told, [self.protocol])

    def test_close_and_a_failure(self) -> None:
        """Who waits for the end is notified, whatever others do with the news."""
        self.protocol.on_lost.append(lambda _: 1 // 0)  # type: ignore[arg-type]
        closed = self.protocol.close()
        self.assertRaises(ZeroDivisionError, self.protocol.connectionLost)
        self.successResultOf(closed)

    def test_close_again(self) -> None:
        """A connection that is gone is closed."""
        self.protocol.connectionLost()
        self.successResultOf(self.protocol.close())

    def test_abort(self) -> None:
        """Aborting waits for nothing."""
        self.protocol.abort()
        self.assertTrue(self.wire.disconnected)
        self.assertFalse(self.protocol.is_connected)

    def test_nothing_is_asked_while_it_closes(self) -> None:
        """No request is sent any more, whether it has a response or not."""
        self.protocol.close()
        self.protocol.call_one_way(Echo(text="x"))
        self.failureResultOf(self.protocol.call(Echo(text="x")), ConnectionLost)
        self.assertEqual(self.wire.value(), b"")

    def test_close_after_abort(self) -> None:
        """Who closes what was aborted waits until it is gone."""
        self.protocol.abort()
        closed = self.protocol.close()
        self.assertNoResult(closed)
        self.protocol.connectionLost()
        self.successResultOf(closed)

    def test_no_timer_is_left(self) -> None:
        """The idle check ends with the connection."""
        self.protocol.connectionLost()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_circle_is_left(self) -> None:
        """A lost connection is freed at once, without a collection of garbage."""
        clock = Clock()
        protocol, wire = connected(clock, echoing(), share=ReactorShare(clock))
        protocol.dataReceived(asked() * 2 + asked(UNKNOWN))
        wire.unregisterProducer()  # as transports do when they are lost
        protocol.connectionLost()
        gc.disable()
        self.addCleanup(gc.enable)
        freed = weakref.ref(protocol)
        del protocol, wire
        self.assertIsNone(freed())

    def test_full_when_lost(self) -> None:
        """A transport that is gone is not told to read on."""
        self.protocol.pauseProducing()
        self.protocol.connectionLost()
        self.protocol.resumeProducing()
        self.assertEqual(self.wire.producerState, "paused")

    def test_odd_transports(self) -> None:
        """A transport whose peer is no IP address is named as it names itself."""
        self.protocol.makeConnection(StringTransport(peerAddress="somewhere"))
        self.assertEqual(self.protocol.address, "somewhere")
