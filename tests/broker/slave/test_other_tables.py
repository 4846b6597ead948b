"""Tests of what slaves of Apache RocketMQ ask about features that do not exist here."""

from __future__ import annotations

import json

from rocketmq_tw.wire.requests.replication import (
    GetTimerCheckPoint,
    GetTimerMetrics,
)
from tests.broker.cases import BrokerCase


class OtherTablesTests(BrokerCase):
    """Requests of a slave to its master."""

    def test_check_point(self) -> None:
        """Seven numbers; the first is the time of day, in whole seconds."""
        body = self.ask(GetTimerCheckPoint()).body
        numbers = [int.from_bytes(body[at : at + 8], "big") for at in range(0, 56, 8)]
        now = int(self.clock.seconds())
        self.assertEqual((len(body), numbers), (56, [now * 1000, *[0] * 6]))

    def test_metrics(self) -> None:
        """An empty table with a version, which Java would make up otherwise."""
        found = json.loads(self.ask(GetTimerMetrics()).body)
        version = {"counter": 0, "stateVersion": 0, "timestamp": 0}
        self.assertEqual(found, {"dataVersion": version, "timingCount": {}})
