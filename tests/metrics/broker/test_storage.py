"""The state of the store."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import BrokerRole
from rocketmq_tw.store.errors import TooManyReads
from tests.broker.cases import sent
from tests.metrics.broker.cases import MetricsCase

AGE = "rocketmq_storage_message_reserve_time_milliseconds"


class StorageTests(MetricsCase):
    """Files on a disk."""

    def test_sizes(self) -> None:
        """The disk's, and those of the log."""
        self.ask(sent())
        page = self.read()
        labels = {"storage_type": "local", "storage_medium": "disk"}
        self.assertGreater(page.get("rocketmq_storage_size_bytes", **labels) or 0, 0)
        self.assertGreater(page.get("rocketmq_storage_capacity_bytes") or 0, 0)
        end = self.store.commit_log_max
        self.assertEqual(page.get("rocketmq_storage_log_max_offset_bytes"), end)
        self.assertEqual(page.get("rocketmq_storage_log_min_offset_bytes"), 0)
        self.assertEqual(
            page.get("rocketmq_storage_dispatch_behind_bytes", **labels), 0
        )

    def test_flush_behind(self) -> None:
        """Bytes that are written and not on disk yet."""
        self.ask(sent())
        name = "rocketmq_storage_flush_behind_bytes"
        self.assertEqual(self.read().get(name), self.store.commit_log_max)
        self.clock.pump([1.0] * 15)
        self.assertEqual(self.read().get(name), 0)

    def test_age(self) -> None:
        """That of the oldest message; without messages there is none."""
        self.assertIsNone(self.read().get(AGE))
        self.ask(sent())
        self.clock.advance(60)
        found = self.read().get(AGE) or 0
        self.assertTrue(60_000 <= found < 61_000, found)

    def test_age_from_disk(self) -> None:
        """What has to be read is there on the next page, and is asked for once."""
        reading = Deferred[int]()
        asked: list[int] = []
        self.store.earliest_store_time = lambda: asked.append(1) or reading
        self.assertIsNone(self.read().get(AGE))
        self.assertIsNone(self.read().get(AGE))
        reading.callback(int(self.clock.seconds() * 1000) - 5000)
        self.store.earliest_store_time = self.fail_to_read
        self.assertEqual(len(asked), 1)
        self.assertEqual(self.read().get(AGE), 5000)

    def fail_to_read(self) -> int:
        """Have too many reads already."""
        raise TooManyReads(1)

    def test_writeable(self) -> None:
        """Whether messages are accepted."""
        self.assertEqual(self.read().get("rocketmq_storage_writeable"), 1)


class SlaveStorageTests(MetricsCase):
    """The store of a slave."""

    settings = {"broker_id": 1, "broker_role": BrokerRole.SLAVE}

    def test_writeable(self) -> None:
        """It takes no messages of producers, and that is no reason for an alert."""
        page = self.read()
        self.assertIsNotNone(page.get("rocketmq_storage_capacity_bytes"))
        self.assertIsNone(page.get("rocketmq_storage_writeable"))


class MemoryStorageTests(MetricsCase):
    """Messages in memory."""

    settings = {"memory_store_size": 1 << 20}

    def test_size(self) -> None:
        """The size is that of the messages."""
        self.ask(sent())
        found = self.read().get("rocketmq_storage_size_bytes", storage_medium="memory")
        self.assertEqual(found, self.store.commit_log_max)
