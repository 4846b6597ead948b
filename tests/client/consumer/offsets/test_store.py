"""Both stores of offsets do the same with what they cache."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.offsets.local import LocalOffsetStore
from rocketmq_tw.client.consumer.offsets.remote import RemoteOffsetStore
from rocketmq_tw.client.consumer.offsets.store import OffsetStore
from rocketmq_tw.threads import run_here
from tests.client.fakes import FakeSession, queues

[QUEUE] = queues("T", 1)


class OffsetStoreTests(SynchronousTestCase):
    """The offsets in memory."""

    def _stores(self) -> list[OffsetStore]:
        """Make one of each."""
        brokers: Any = FakeSession().brokers
        return [
            LocalOffsetStore(self.mktemp(), run_here),
            RemoteOffsetStore(brokers, "G"),
        ]

    def test_cached(self) -> None:
        """Offsets only advance, unless they are frozen, until they are forgotten."""
        for store in self._stores():
            with self.subTest(type(store).__name__):
                self.assertIsNone(store.read(QUEUE))
                store.begin(QUEUE, 5, stored=True)
                store.update(QUEUE, 7)
                store.update(QUEUE, 6)
                self.assertEqual(store.read(QUEUE), 7)
                store.freeze(QUEUE, 2)
                store.update(QUEUE, 8)
                self.assertEqual(store.read(QUEUE), 2)
                store.forget(QUEUE)
                self.assertIsNone(store.read(QUEUE))
