"""Tests of requests for an engine of timed messages."""

from __future__ import annotations

from rocketmq_tw.wire.requests.admin import SwitchTimerEngine
from tests.broker.cases import BrokerCase


class TimerEngineProcessorTests(BrokerCase):
    """There is one engine."""

    def test_wheel(self) -> None:
        """It is the one that works already."""
        response = self.ask(SwitchTimerEngine("F"))
        self.assertEqual((response.status, response.remark), (0, None))

    def test_others(self) -> None:
        """The remark says which there is."""
        self.refused(29, "there is no RocksDB here", SwitchTimerEngine("R"))
        self.refused(29, "E_T is 'X'; expected F", SwitchTimerEngine("X"))


class DisabledTests(BrokerCase):
    """Timed messages are not accepted."""

    settings = {"timer_wheel_enable": False}

    def test_refused(self) -> None:
        """The remark names the setting."""
        self.refused(29, "timerWheelEnable is false", SwitchTimerEngine("F"))
