"""Tests of what a slave has that a master has not."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.config import BrokerRole
from rocketmq_tw.broker.slave import feature
from rocketmq_tw.broker.slave.sync import SlaveSync
from tests.broker.cases import BrokerCase


class MasterTests(BrokerCase):
    """A master."""

    def test_nothing_installed(self) -> None:
        """It copies nobody, and knows no master."""
        self.assertIsNone(self.made[feature.install])
        self.assertEqual(self.broker.master.address, "")

    def test_documents(self) -> None:
        """Features say what slaves are to copy besides the tables."""
        names = [document.name for document in self.broker.replicated]
        self.assertEqual(
            names,
            [
                "the delay offsets",
                "the timer's check point",
                "the request modes",
            ],
        )


class SlaveTests(BrokerCase):
    """A slave."""

    settings: dict[str, Any] = {"broker_role": BrokerRole.SLAVE, "broker_id": 1}

    def test_installed(self) -> None:
        """It copies its master, once it knows one."""
        sync = self.made[feature.install]
        self.assertIsInstance(sync, SlaveSync)
        self.assertIsNone(sync.copied_at)

    def test_delivers_nothing(self) -> None:
        """Delayed messages are delivered by the master."""
        self.assertFalse(self.schedule.is_running)
