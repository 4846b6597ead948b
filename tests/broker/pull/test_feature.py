"""Tests of installing pulls."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND
from tests.broker.cases import TOPIC, BrokerCase, pulled, sent


class FeatureTests(BrokerCase):
    """What becomes of held pulls at each stage of the broker's life."""

    def setUp(self) -> None:
        """Hold a pull."""
        super().setUp()
        self.topic()
        self.response: Deferred[Any] = self.ask(pulled(sys_flag=SUBSCRIPTION | SUSPEND))
        self.assertNoResult(self.response)

    def test_message_ends_it(self) -> None:
        """It is responded to with the message that came."""
        self.ask(sent(TOPIC))
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(self.response).status, 0)

    def test_time_ends_it(self) -> None:
        """Deadlines are watched from the start on."""
        self.clock.pump([1.0] * 16)
        self.assertEqual(self.successResultOf(self.response).status, 19)

    def test_stop_ends_it(self) -> None:
        """It is responded to before its connection is closed."""
        self.stop()
        self.assertEqual(self.successResultOf(self.response).status, 19)
        self.assertEqual(len(self.held), 0)

    def test_lost_connection_ends_it(self) -> None:
        """Nobody waits any more, so nothing is held."""
        self.assertEqual(len(self.held), 1)
        self.broker.lifecycle.connection_lost(self.peer)
        self.assertEqual(len(self.held), 0)
