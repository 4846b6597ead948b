"""Responses that wait until a log is on disk."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.durable import AT_ONCE, AwaitingFlush, split
from rocketmq_tw.wire.command import decode, encode_response
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import BINARY, FrameDecoder
from rocketmq_tw.wire.requests.send import SendResponse
from tests.remoting.logs import MemoryLog


def frame(opaque: int, kind: int = 0) -> bytes:
    """Encode a response."""
    response: Response = SendResponse(msg_id="A", queue_id=1, queue_offset=opaque)
    return encode_response(response, opaque, kind)


class AwaitingFlushTests(SynchronousTestCase):
    """One connection."""

    def setUp(self) -> None:
        """Begin with nothing."""
        self.log = MemoryLog()
        self.sent: list[bytes] = []
        self.turns: list[Callable[[], None]] = []
        self.released: list[int] = []
        self.awaiting = AwaitingFlush(
            send=self.sent.append,
            on_sent=self.released.append,
            refuse=lambda each, error: str(error).encode() + each[-1:],
            postpone=self.turns.append,
        )

    def take_turn(self) -> None:
        """Do what was postponed."""
        self.turns.pop(0)()
        self.assertLessEqual(len(self.turns), 1)

    def add(self, *frames: bytes, end: int, now: float = 0.0) -> None:
        """Let responses wait."""
        joined, count = b"".join(frames), len(frames)
        kept = self.awaiting.add(joined, count=count, end=end, now=now, log=self.log)
        self.assertTrue(kept)

    def test_one_write(self) -> None:
        """All that one flush covers leaves in one piece, in order; the rest waits."""
        self.add(frame(1), frame(2), end=10)
        self.add(frame(3), end=20)
        self.add(frame(4), end=30)
        self.log.flush(20)
        self.assertEqual(self.sent, [frame(1) + frame(2) + frame(3)])
        self.assertEqual((self.released, len(self.awaiting)), ([3], 1))
        self.log.flush(30)
        self.assertEqual(self.sent[1:], [frame(4)])
        self.assertEqual(self.log.waiters, [])

    def test_nothing_due(self) -> None:
        """Then nothing is written."""
        self.add(frame(1), end=10)
        self.log.flush(9)
        self.assertEqual((self.sent, self.released), ([], []))

    def test_too_slow(self) -> None:
        """Each gets code 10 in its own form; who came later goes on waiting."""
        self.add(frame(1), frame(2, BINARY), end=10, now=1.0)
        self.add(frame(3), end=20, now=3.0)
        self.assertEqual(self.awaiting.expired(2.0), 3.0)
        self.take_turn()
        found = FrameDecoder().feed(self.sent.pop())
        for (kind, header, body), opaque in zip(found, (1, 2), strict=True):
            command = decode(kind, header, body)
            self.assertEqual((command.code, command.opaque), (10, opaque))
            self.assertEqual(command.fields["queueOffset"], str(opaque))
        self.assertEqual(self.released, [2])
        self.assertIsNone(self.awaiting.expired(3.0))

    def test_failed(self) -> None:
        """Each frame is replaced by that of an error."""
        self.add(frame(1), frame(2), end=10)
        self.add(frame(3), end=20)
        self.awaiting.failed(ValueError("no"))
        self.assertEqual(self.sent, [])
        self.take_turn()
        self.assertEqual(self.sent, [b"no}no}no}"])
        self.assertEqual((self.released, len(self.awaiting)), ([3], 0))

    def test_many_fail(self) -> None:
        """Some are replaced in each turn, late ones before those that failed."""
        for opaque in range(3 * AT_ONCE):
            self.add(frame(opaque), end=opaque, now=float(opaque))
        self.awaiting.expired(AT_ONCE - 1.0)
        self.awaiting.failed(ValueError("no"))
        for _ in range(3):
            self.take_turn()
        self.assertEqual(self.turns, [])
        self.assertEqual(self.released, [AT_ONCE] * 3)
        self.assertEqual(self.sent[1:], [b"no}" * AT_ONCE] * 2)

    def test_lost_before_its_turn(self) -> None:
        """Then nothing is replaced."""
        self.add(frame(1), end=10)
        self.awaiting.failed(ValueError("no"))
        self.awaiting.clear()
        self.take_turn()
        self.assertEqual((self.sent, self.released), ([], []))

    def test_released_may_wait_again(self) -> None:
        """What arrives while responses are written waits for the next flush."""
        self.awaiting._on_sent = lambda _: self.add(frame(2), end=20)
        self.add(frame(1), end=10)
        self.log.flush(20)
        self.assertEqual(self.sent, [frame(1)])
        self.assertEqual(len(self.awaiting), 1)

    def test_split(self) -> None:
        """Frames are cut where they were joined."""
        self.assertEqual(list(split(frame(1) + frame(22))), [frame(1), frame(22)])
        self.assertEqual(list(split(b"")), [])
