"""Sentences of the codec's errors."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.errors import (
    BadField,
    FrameTooLong,
    LocalProtocolError,
    MalformedFrame,
    MalformedHeader,
    MalformedJson,
    OtherProtocol,
    ProtocolError,
    RemoteProtocolError,
)


class ErrorTests(SynchronousTestCase):
    """What can be wrong with bytes."""

    def test_sentences(self) -> None:
        """Each says what was found and what was expected."""
        for error, sentence in (
            (
                FrameTooLong(99, 20),
                "a frame of 99 bytes was announced; expected 4 to 16",
            ),
            (OtherProtocol("TLS", "turn it on"), "the peer speaks TLS: turn it on"),
            (
                BadField("queueId", "'x'", "`int`"),
                "the field queueId is 'x'; expected `int`",
            ),
            (MalformedJson(3, "why"), "malformed JSON at character 3: why"),
        ):
            self.assertEqual(str(error), sentence)

    def test_whose_fault(self) -> None:
        """Only what breaks the peer's framing closes its connection."""
        fatal = (FrameTooLong, MalformedFrame, MalformedHeader, OtherProtocol)
        for error in fatal:
            self.assertTrue(issubclass(error, RemoteProtocolError))
        for error in (BadField, MalformedJson, LocalProtocolError):
            self.assertTrue(issubclass(error, ProtocolError))
            self.assertFalse(issubclass(error, RemoteProtocolError))
        self.assertTrue(issubclass(ProtocolError, RocketMQError))
