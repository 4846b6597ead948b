"""How many messages wait."""

from __future__ import annotations

import json
import os
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.timer.metrics import TimerMetrics
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.remoting.pacing import all_at_once


class MetricsTests(SynchronousTestCase):
    """A file of three topics at most."""

    def setUp(self) -> None:
        """Start without a file."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "timermetrics")
        self.metrics = self.loaded()

    def loaded(self) -> TimerMetrics:
        """Read the file."""
        metrics = TimerMetrics(JsonFile(self.path), 3)
        metrics.load()
        return metrics

    def test_count(self) -> None:
        """Counts go up and down; what is below zero counts as nothing."""
        for change in (1, 1, -1):
            self.metrics.count("T", change, 5)
        self.metrics.count("U", -1, 5)
        self.assertEqual((self.metrics.of("T"), self.metrics.of("U")), (1, 0))
        self.assertEqual((self.metrics.of("V"), self.metrics.waiting), (0, 1))

    def test_limit(self) -> None:
        """No more topics are counted; those that are go on."""
        for topic in ("T", "U", "V", "W", "T"):
            self.metrics.count(topic, 1, 5)
        self.assertEqual((self.metrics.of("T"), self.metrics.of("W")), (2, 0))

    def test_saved(self) -> None:
        """The file is that of another broker; what is zero is left out."""
        self.metrics.count("T", 1, 5)
        self.metrics.count("U", 1, 5)
        self.metrics.count("U", -1, 6)
        all_at_once(self.metrics.saving(7))
        with open(self.path, encoding="utf-8") as file:
            found = json.load(file)
        version = {"counter": 1, "stateVersion": 0, "timestamp": 7}
        counts = {"T": {"count": 1, "timeStamp": 5}}
        self.assertEqual(found, {"dataVersion": version, "timingCount": counts})
        again = self.loaded()
        self.assertEqual((again.of("T"), again.waiting), (1, 1))

    def test_saved_while_a_slave_asks(self) -> None:
        """The response has what was counted when it began."""
        metrics = TimerMetrics(JsonFile(self.path), 3000)
        for number in range(1500):
            metrics.count(f"T{number}", 1, 5)
        body = metrics.body()
        next(body)
        metrics.count("T1400", -1, 5)
        all_at_once(metrics.saving(7))
        self.assertEqual(len(json.loads(all_at_once(body))["timingCount"]), 1500)

    def test_unchanged(self) -> None:
        """A file without news is not written."""
        all_at_once(self.metrics.saving(7))
        self.assertFalse(os.path.exists(self.path))

    def test_of_another(self) -> None:
        """Odd entries of another broker are left out."""
        text = (
            '{"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1},"timingCount":'
            '{"T":{"count":2,"timeStamp":9},"U":{"count":-1},"V":{},"W":7}}'
        )
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        self.assertEqual(self.loaded().waiting, 2)
