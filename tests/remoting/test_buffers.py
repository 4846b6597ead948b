"""Tests of :mod:`rocketmq_tw.remoting.buffers`."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.buffers import (
    LONGEST_HEADER,
    SMALL_BODY,
    BufferBudget,
    HeldBytes,
)
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.frame import JSON, join
from tests.remoting.ends import Echo, EchoResponse, asked, connected, echoing

MIB = 1 << 20


def large(code: int, size: int, flag: int = 0, opaque: int = 1) -> bytes:
    """Write a frame with a large body."""
    header = f'{{"code":{code},"flag":{flag},"opaque":{opaque}}}'
    return join(JSON, header.encode(), bytes(size))


class Unread(FileDescriptor):
    """A transport whose peer reads nothing."""

    def __init__(self) -> None:
        super().__init__(MemoryReactorClock())
        self.connected = 1
        self.aborted = False

    def getPeer(self) -> IPv4Address:  # noqa: N802
        """Return the peer's address."""
        return IPv4Address("TCP", "10.0.0.9", 4711)

    def abortConnection(self) -> None:  # noqa: N802
        """Note that it is to be closed."""
        self.aborted = True


class BufferBudgetTests(SynchronousTestCase):
    """Which holders are closed."""

    def setUp(self) -> None:
        """Make a budget of 100 bytes for four holders."""
        self.budget = BufferBudget(100)
        self.closed: list[str] = []
        self.holders = [HeldBytes(self.budget, self.closed.append) for _ in range(4)]

    def test_within(self) -> None:
        """What fits closes nobody; what is released is not counted."""
        for holder in self.holders:
            holder.set_unsent(25)
        self.assertEqual((self.budget.size, self.closed), (100, []))
        self.holders[0].set_unsent(5)
        self.holders[1].release()
        self.assertEqual(self.budget.size, 55)

    def test_oldest_large_one(self) -> None:
        """The oldest one that keeps at least the average is closed, with a reason."""
        for holder, size in zip(self.holders, (10, 40, 40, 20), strict=True):
            holder.set_unsent(size)
        [why] = self.closed
        self.assertTrue(why.startswith("40 bytes"))
        self.assertIn("maxBufferedSize (100)", why)
        self.assertEqual((self.budget.size, self.budget.closed), (70, 1))
        self.holders[2].release()
        self.assertEqual(self.budget.size, 30)

    def test_single(self) -> None:
        """One holder alone can be too much."""
        self.holders[0].set_unsent(101)
        self.assertEqual((self.budget.size, len(self.closed)), (0, 1))

    def test_unlimited(self) -> None:
        """A limit of 0 closes nobody."""
        holder = HeldBytes(BufferBudget(), self.closed.append)
        holder.set_unsent(1 << 40)
        self.assertEqual(self.closed, [])


class ConnectionTests(SynchronousTestCase):
    """What connections keep is counted, and bounded."""

    def setUp(self) -> None:
        """Make a budget of 32 MiB."""
        self.clock = Clock()
        self.budget = BufferBudget(32 * MIB)
        self.peers = PeerLog(self.clock)

    def connect(self, router: Router | None = None) -> Any:
        """Make the server's end of a connection."""
        return connected(self.clock, router, peers=self.peers, budget=self.budget)

    def test_unfinished_frames(self) -> None:
        """A hundred unfinished frames keep no more than the budget."""
        frame = large(RequestCode.SEND_MESSAGE, 15 * MIB)
        wires = []
        with capturedLogs() as events:
            for _ in range(100):
                protocol, wire = self.connect()
                for at in range(0, 8 * MIB, MIB):
                    protocol.dataReceived(frame[at : at + MIB])
                wires.append(wire)
                self.assertLessEqual(self.budget.size, 32 * MIB)
        self.assertEqual([w.disconnected for w in wires], [True] * 96 + [False] * 4)
        self.assertEqual(self.budget.closed, 96)
        self.assertEqual(len(events), 1)

    def test_finished(self) -> None:
        """A frame that is whole is kept no longer, nor that of a lost connection."""
        frame = large(RequestCode.SEND_MESSAGE, 2 * MIB)
        protocol, _ = self.connect()
        protocol.dataReceived(frame[:-1])
        self.assertEqual(self.budget.size, len(frame) - 1)
        protocol.dataReceived(frame[-1:])
        self.assertEqual(self.budget.size, 0)
        protocol.dataReceived(frame[:-1])
        protocol.connectionLost()
        self.assertEqual(self.budget.size, 0)

    def test_slow_readers(self) -> None:
        """Responses that peers do not read are counted, and cost a connection."""
        router = Router()
        router.on(Echo, lambda _request, _call: EchoResponse(text="", body=bytes(MIB)))
        wires = []
        for _ in range(50):
            protocol = RemotingProtocol(router, self.clock, budget=self.budget)
            wires.append(Unread())
            protocol.makeConnection(wires[-1])  # type: ignore[arg-type]
            protocol.dataReceived(asked())
            self.assertLessEqual(self.budget.size, 32 * MIB)
        self.assertGreater(self.budget.size, 30 * MIB)
        self.assertEqual([w.aborted for w in wires], [True] * 19 + [False] * 31)

    def test_requests_that_wait(self) -> None:
        """Frames that came while reads are paused are counted until handled."""
        protocol, _ = self.connect(echoing())
        protocol.pauseProducing()
        frame = large(RequestCode.SEND_MESSAGE, MIB)
        protocol.dataReceived(frame * 2)
        self.assertEqual(self.budget.size, 2 * (len(frame) - 8))
        protocol.resumeProducing()
        self.assertEqual(self.budget.size, 0)


class UnsentTests(SynchronousTestCase):
    """What is sent to a peer that reads nothing."""

    def test_late_responses(self) -> None:
        """Responses that come while it does not read count, and end the connection."""
        later: list[Deferred[EchoResponse]] = []

        def handle(request: Echo, call: Call) -> Deferred[EchoResponse]:
            later.append(Deferred())
            return later[-1]

        router, budget, wire = Router(), BufferBudget(3 * MIB), Unread()
        router.on(Echo, handle)
        protocol = RemotingProtocol(router, Clock(), budget=budget)
        protocol.makeConnection(wire)  # type: ignore[arg-type]
        protocol.dataReceived(asked() * 100)
        sizes = []
        for each in later[:3]:
            each.callback(EchoResponse(text="", body=bytes(MIB)))
            protocol._outbox.uncork()
            sizes.append(budget.size // MIB)
        self.assertEqual((sizes, wire.aborted), ([1, 2, 0], True))


class BodyTests(SynchronousTestCase):
    """Large bodies are refused before they come."""

    def setUp(self) -> None:
        """Make a budget without a limit."""
        self.budget = BufferBudget()

    def start(self, frame: bytes, size: int = 200) -> tuple[RemotingProtocol, Any]:
        """Let the first bytes of a frame come, one by one."""
        protocol, wire = connected(Clock(), budget=self.budget)
        for at in range(size):
            protocol.dataReceived(frame[at : at + 1])
        return protocol, wire

    def test_refused(self) -> None:
        """A code that needs no large body is refused at its header, in a sentence."""
        frame = large(RequestCode.HEART_BEAT, SMALL_BODY + 1)
        with capturedLogs() as events:
            protocol, wire = self.start(frame)
        self.assertTrue(wire.disconnecting)
        self.assertIn("announced with request code 34", events[0]["why"])
        protocol.dataReceived(frame[200:])
        self.assertEqual(self.budget.size, 0)

    def test_allowed(self) -> None:
        """Messages may be large, and other bodies up to 1 MiB."""
        for code, size in (
            (RequestCode.SEND_MESSAGE, 15 * MIB),
            (RequestCode.REGISTER_BROKER, 15 * MIB),
            (RequestCode.HEART_BEAT, SMALL_BODY),
        ):
            _, wire = self.start(large(code, size))
            self.assertFalse(wire.disconnecting)

    def test_responses(self) -> None:
        """A response may be large if it is waited for."""
        for opaque, is_closed in ((1, False), (2, True)):
            protocol, wire = connected(Clock(), budget=self.budget)
            protocol.call(Echo("hi")).addErrback(lambda _: None)
            protocol.dataReceived(large(0, 2 * MIB, 1, opaque)[:-1])
            self.assertEqual(wire.disconnecting, is_closed)
            protocol.connectionLost()

    def test_long_header(self) -> None:
        """A header that no request has is refused before it comes."""
        with capturedLogs() as events:
            protocol, wire = self.start(join(JSON, bytes(LONGEST_HEADER + 1)), 8)
        self.assertTrue(wire.disconnecting)
        self.assertIn("a header of 524289 bytes", events[0]["why"])
        self.assertEqual(self.budget.size, 0)

    def test_longest_header(self) -> None:
        """One of the size that the largest have is read."""
        text = "x" * (LONGEST_HEADER - 100)
        protocol, wire = connected(Clock(), echoing(), budget=self.budget)
        frame = asked(ext=f'"text":"{text}"')
        for at in range(0, len(frame), 65_536):
            protocol.dataReceived(frame[at : at + 65_536])
        self.assertEqual(len(wire.commands()), 1)

    def test_malformed(self) -> None:
        """A header that is none ends the connection at once."""
        _, wire = self.start(join(JSON, b"no header", bytes(2 * MIB)))
        self.assertTrue(wire.disconnecting)

    def test_clients(self) -> None:
        """Clients look at no body: they wait for what they asked."""
        protocol, wire = connected(Clock())
        protocol.dataReceived(large(34, 2 * MIB)[:-1])
        self.assertFalse(wire.disconnecting)

    def test_small_frames_are_not_counted(self) -> None:
        """Frames that come whole cost the budget no call."""

        class Uncalled(BufferBudget):
            def set(self, holder: HeldBytes, size: int) -> None:
                raise AssertionError("it was called")

        protocol, wire = connected(Clock(), echoing(), budget=Uncalled(1))
        protocol.dataReceived(asked() * 10)
        self.assertEqual(len(wire.commands()), 10)
