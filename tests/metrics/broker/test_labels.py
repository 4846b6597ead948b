"""The labels of topics, groups and clients."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.broker.labels import GroupLabels, truth, version_label


class LabelTests(SynchronousTestCase):
    """As Apache RocketMQ has them."""

    def test_versions(self) -> None:
        """Ordinal numbers of clients that were seen, and of none."""
        for ordinal, name in (
            (515, "v5_5_1"),
            (513, "v5_5_0"),
            (493, "v5_4_0"),
            (479, "v5_3_3"),
            (478, "v5_3_3_snapshot"),
            (475, "v5_3_1"),
            (409, "v4_9_8"),
            (401, "v4_9_4"),
            (213, "v4_0_0"),
            (121, "121"),
            (9999, "9999"),
            (-1, "-1"),
        ):
            self.assertEqual(version_label(ordinal), name)

    def test_truth(self) -> None:
        """Booleans are texts."""
        self.assertEqual((truth(True), truth(False)), ("true", "false"))

    def test_retry(self) -> None:
        """What is popped again counts with the topic it was popped from."""
        for retry_v2, name, topic in (
            (False, "%RETRY%g_T", "T"),
            (False, "%RETRY%g+T", "%RETRY%g+T"),
            (True, "%RETRY%g+T", "T"),
            (False, "%RETRY%g", "%RETRY%g"),
        ):
            labels = GroupLabels(lambda name: False, retry_v2)
            expected = topic, "g", "false", "true"
            self.assertEqual(labels.of(name, "g"), expected)

    def test_system(self) -> None:
        """A topic or a group of the system."""
        labels = GroupLabels(lambda name: name == "S", False)
        self.assertEqual(labels.of("S", "g")[2:], ("true", "false"))
        self.assertEqual(labels.of("T", "CID_RMQ_SYS_X")[2], "true")
        self.assertEqual(labels.of("T", "TOOLS_CONSUMER")[2], "true")
        self.assertEqual(labels.of("T", "g")[2], "false")
