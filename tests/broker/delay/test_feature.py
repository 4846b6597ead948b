"""Tests of installing the delivery of delayed messages."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.delay import feature
from rocketmq_tw.broker.delay.schedule import ScheduleService
from tests.broker.cases import TOPIC, BrokerCase, sent

DELAYED = "DELAY\x011\x02"


class FeatureTests(BrokerCase):
    """What installing it does at each stage of the broker's life."""

    settings = {"message_delay_level": "2s 4s"}

    def test_delivers_from_the_start_on(self) -> None:
        """By the levels of the broker's settings."""
        self.ask(sent(properties=DELAYED))
        self.clock.pump([0.1] * 19)
        self.assertEqual(self.messages(TOPIC), [])
        self.clock.pump([0.1] * 3)
        self.assertEqual(len(self.messages(TOPIC)), 1)

    def test_offsets_are_written_periodically(self) -> None:
        """After ten seconds ``delayOffset.json`` knows what was delivered."""
        self.ask(sent(properties=DELAYED))
        self.clock.pump([0.1] * 95)
        with self.assertRaises(FileNotFoundError):
            self.bytes_of("config", "delayOffset.json")
        self.clock.pump([0.1] * 6)
        self.assertIn(b'"1":1', self.bytes_of("config", "delayOffset.json"))

    def test_stops_with_the_broker(self) -> None:
        """What becomes due after the stop is delivered after the next start."""
        self.ask(sent(properties=DELAYED))
        self.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.pump([1.0] * 5)
        self.start()
        self.assertEqual(self.messages(TOPIC), [])
        self.clock.pump([0.1] * 2)
        self.assertEqual(len(self.messages(TOPIC)), 1)

    def test_returns_what_delivers(self) -> None:
        """For tests, and for what is installed later."""
        broker: Broker = self.broker
        made = feature.install(broker, self.router)
        self.assertIsInstance(made, ScheduleService)
