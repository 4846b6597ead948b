"""Tests of the kind of document that slaves copy."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.slave.replicated import Ask, Replicated
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.offset import GetAllDelayOffset


class ReplicatedTests(SynchronousTestCase):
    """A feature says what is copied, and how."""

    def test_asks(self) -> None:
        """It gets a function that asks the master."""
        copied: list[bytes] = []

        async def copy(ask: Ask) -> None:
            copied.append((await ask(GetAllDelayOffset())).body)

        def ask(request: Any) -> Any:
            return succeed(Response(body=b"offsets"))

        with self.assertRaises(StopIteration):
            Replicated("the delay offsets", copy).copy(ask).send(None)
        self.assertEqual(copied, [b"offsets"])
