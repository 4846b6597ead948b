"""Tests of rocketmq_tw.broker.assignment.modes."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.assignment.modes import Mode, RequestModes
from rocketmq_tw.broker.errors import TooManyRequestModes
from rocketmq_tw.wire.bodies.pop import MessageRequestMode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Response
from tests.broker.doubles import MemoryFile

POP = Mode("T", "G", MessageRequestMode.POP, 3)
TEXT = (
    b'{"messageRequestModeMap":{"T":{"G":{"consumerGroup":"G","mode":"POP",'
    b'"popShareQueueNum":3,"topic":"T"}}}}'
)


class ModeTests(SynchronousTestCase):
    """Modes are kept in the file, and copied to slaves."""

    def setUp(self) -> None:
        """Have none."""
        self.file = MemoryFile()
        self.modes = RequestModes(self.file, limit=1)

    def test_kept(self) -> None:
        """A mode is written at once, as Apache RocketMQ writes it, and read again."""
        self.modes.set(POP)
        self.assertEqual(self.file.text, TEXT)
        again = RequestModes(self.file)
        again.load()
        self.assertEqual(again.get("T", "G"), POP)
        self.assertIsNone(again.get("T", "H"))

    def test_limit(self) -> None:
        """One more is refused; those that are kept can be changed."""
        self.modes.set(POP)
        error = self.assertRaises(TooManyRequestModes, self.modes.set, Mode("U", "G"))
        self.assertIn("maxRequestModes (1)", str(error))
        self.modes.set(Mode("T", "G"))
        self.assertEqual((len(self.modes), self.modes.refused), (1, 1))

    def test_copied(self) -> None:
        """A slave has its master's; it writes them only if they are others."""
        from twisted.internet.defer import Deferred, succeed

        def ask(request: Any) -> Deferred[Any]:
            return succeed(Response(body=TEXT))

        for _ in range(2):
            self.successResultOf(Deferred.fromCoroutine(self.modes.copy(ask)))
        self.assertEqual((self.file.writes, self.modes.get("T", "G")), (1, POP))

        def large(request: Any) -> Deferred[Any]:
            return succeed(Response(body=bytes(17 << 20)))

        copied = Deferred.fromCoroutine(self.modes.copy(large))
        self.failureResultOf(copied, BadField)
