"""The store that a broker's settings ask for."""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.store import make_store, store_host, store_lock
from rocketmq_tw.broker.threads import Threads
from rocketmq_tw.store.memory.store import MemoryMessageStore
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.testing import ManualThreads, MemoryNetwork


class StoreTests(SynchronousTestCase):
    """Files or memory, and the address in the records."""

    def make(self, config: BrokerConfig) -> MessageStore | MemoryMessageStore:
        """Make a store."""
        reactor = MemoryNetwork(Clock()).reactor("10.0.0.1")
        return make_store(config, reactor, Threads(reactor, ManualThreads()), 10911)

    def test_files(self) -> None:
        """Nothing is touched before it is opened."""
        root = self.mktemp()
        config = BrokerConfig(broker_ip1="10.0.0.1", store_path_root_dir=root)
        self.assertIsInstance(self.make(config), MessageStore)
        self.assertIsNotNone(store_lock(config))
        self.assertFalse(os.path.exists(root))

    def test_memory(self) -> None:
        """A broker in memory needs no lock."""
        config = BrokerConfig(broker_ip1="10.0.0.1", memory_store_size=1 << 20)
        self.assertIsInstance(self.make(config), MemoryMessageStore)
        self.assertIsNone(store_lock(config))

    def test_host(self) -> None:
        """Records hold the address; a name is not looked up, but replaced."""
        for host, expected in (
            ("10.0.0.1", "0a00000100002a9f"),
            ("::1", "0" * 31 + "100002a9f"),
            ("broker.example", "7f00000100002a9f"),
        ):
            config = BrokerConfig(broker_ip1=host)
            self.assertEqual(store_host(config, 10911).hex(), expected)
