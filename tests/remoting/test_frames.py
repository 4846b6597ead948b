"""Frames in order: through a lane, or one by one."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.durable import DurableLog, ResponseWaiter
from rocketmq_tw.remoting.frames import LONGEST_REST
from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.wire.command import decode, encode_response
from rocketmq_tw.wire.errors import RemoteProtocolError
from rocketmq_tw.wire.frame import Frame
from tests.remoting.ends import UNKNOWN, Echo, EchoResponse, asked, connected, echoing

PLAIN = '"text":"plain"'


class EchoLane:
    """
    Takes echoes of "plain"; the first other one is decoded and left.

    :ivar asked: at which frames it was tried.
    :ivar log: what its responses wait for.
    """

    starts: tuple[bytes, ...] = (b'{"code":%d,' % Echo.code,)

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.log: DurableLog | None = None

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
    ) -> Taken:
        """Respond with "by the lane"."""
        self.asked.append(at)
        taken = Taken()
        for kind, header, body in frames[at:until]:
            if not header.startswith(self.starts):
                break
            try:
                command = decode(kind, header, body)
            except RemoteProtocolError:
                break
            if PLAIN.encode() not in header:
                taken.left = command
                break
            response = EchoResponse(text="by the lane")
            taken.responses += encode_response(response, command.opaque or 0)
            taken.count += 1
        if self.log is not None:
            taken.log, taken.end = self.log, 7
            taken.response_count = taken.count
        return taken


class Log:
    """A log that is flushed when the test says so."""

    def __init__(self) -> None:
        self.is_on_disk = False
        self.waiting: list[ResponseWaiter] = []

    def await_flush(self, waiter: ResponseWaiter, end: int) -> bool:
        """Remember who waits."""
        if not self.is_on_disk and waiter not in self.waiting:
            self.waiting.append(waiter)
        return not self.is_on_disk


class LaneTests(SynchronousTestCase):
    """A connection whose router has a lane."""

    def setUp(self) -> None:
        """Connect."""
        self.router = echoing()
        self.lane = EchoLane()
        self.router.use_lane(Echo, self.lane)
        self.protocol, self.wire = connected(Clock(), self.router)

    def read(self, *frames: bytes) -> list[str]:
        """Receive frames in one read; give the texts of the responses."""
        self.protocol.dataReceived(b"".join(frames))
        return [each.fields["text"] for each in self.wire.commands()]

    def test_in_order(self) -> None:
        """The first that is not plain goes to the handler, and then the lane again."""
        plain, other = asked(ext=PLAIN), asked(ext='"text":"other"')
        texts = self.read(plain, plain, other, plain)
        lane = "by the lane"
        self.assertEqual(texts, [lane, lane, "other", lane])
        self.assertEqual(self.lane.asked, [0, 3])

    def test_other_requests(self) -> None:
        """Requests that begin otherwise are not shown to it."""
        self.protocol.dataReceived(asked(ext=PLAIN) + asked(UNKNOWN))
        self.assertEqual(self.lane.asked, [0])

    def test_the_frame_is_handled(self) -> None:
        """The handler gets the header of the frame that was left."""
        headers: list[bytes] = []

        def handle(request: Echo, call: Call) -> EchoResponse:
            headers.append(call.raw_header)
            return EchoResponse(text=request.text)

        self.router.on(Echo, handle)
        self.router.use_lane(Echo, self.lane)
        self.read(asked(ext=PLAIN), asked(opaque=77, ext='"text":"other"'))
        self.assertIn(b'"opaque":77', headers[0])

    def test_rest(self) -> None:
        """A lane that took nothing is tried less and less often, until it took some."""
        other = asked(ext='"text":"other"')
        tried = []
        for number in range(60):
            before = len(self.lane.asked)
            self.read(other, other)
            if len(self.lane.asked) > before:
                tried.append(number)
        self.assertEqual(tried, [0, 2, 6, 14, 30, 46])
        for _ in range(LONGEST_REST):
            self.read(asked(ext=PLAIN))
        self.lane.asked.clear()
        self.read(asked(ext=PLAIN))
        self.read(asked(ext=PLAIN))
        self.assertEqual(self.lane.asked, [0, 0])

    def test_one_among_others(self) -> None:
        """It goes on behind a frame that it did not take, but not behind two."""
        plain, other = asked(ext=PLAIN), asked(ext='"text":"other"')
        lane = "by the lane"
        texts = self.read(plain, other, other, plain, plain)
        self.assertEqual(texts, [lane, "other", "other", lane, lane])
        self.assertEqual(self.lane.asked, [0, 2, 3])
        self.lane.asked.clear()
        texts = self.read(plain, other, other, other, plain)
        self.assertEqual(texts, [lane, "other", "other", "other", "plain"])
        self.assertEqual(self.lane.asked, [0, 2, 3])

    def test_paused(self) -> None:
        """While reading is paused nothing goes to the lane; afterwards all does."""
        self.protocol.pauseProducing()
        self.assertEqual(self.read(asked(ext=PLAIN), asked(ext=PLAIN)), [])
        self.assertEqual(self.lane.asked, [])
        self.protocol.resumeProducing()
        self.assertEqual(len(self.wire.commands()), 2)

    def test_after_the_flush(self) -> None:
        """Its responses may wait for a log; they are in flight meanwhile."""
        log = self.lane.log = Log()
        plain = asked(ext=PLAIN)
        self.assertEqual(self.read(plain, plain), [])
        (waiter,) = log.waiting
        waiter.flushed(7)
        self.assertEqual(len(self.wire.commands()), 2)
        log.is_on_disk = True
        self.assertEqual(len(self.read(plain, plain)), 2)

    def test_in_flight(self) -> None:
        """It takes no more than may be in flight; then reading is paused."""
        self.protocol, self.wire = connected(Clock(), self.router, max_in_flight=3)
        log = self.lane.log = Log()
        plain = asked(ext=PLAIN)
        self.read(*[plain] * 5)
        self.assertEqual(self.wire.producerState, "paused")
        log.waiting[0].flushed(7)
        self.assertEqual(len(self.wire.commands()), 3)
        self.assertEqual(self.wire.producerState, "producing")
        log.waiting[0].flushed(7)
        self.assertEqual(len(self.wire.commands()), 2)

    def test_closed(self) -> None:
        """What comes behind a handler that closed the connection is not handled."""

        def close(_request: Echo, call: Call) -> EchoResponse:
            call.peer.close()
            return EchoResponse(text="closed")

        self.router.on(Echo, close)
        self.router.use_lane(Echo, self.lane)
        plain, other = asked(ext=PLAIN), asked(ext='"text":"other"')
        self.assertEqual(self.read(plain, other, plain), ["by the lane", "closed"])
        self.assertTrue(self.wire.disconnecting)

    def test_invalid(self) -> None:
        """What comes before an invalid frame is handled."""
        self.protocol.dataReceived(asked(ext=PLAIN) + asked(ext='"x":}'))
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual(len(self.wire.commands()), 1)
