"""The contract of stores, kept by both."""

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.store.memory.store import MemoryMessageStore
from rocketmq_tw.store.message_store import MessageStore
from tests.store.cases import StoreCase
from tests.store.contract import StoreContract

CONFIG = StoreConfig(
    commit_log_file_size=64 << 10,
    consume_queue_file_size=2000,
    window_size=4096,
    max_message_size=100,
    max_hash_slot_num=50,
    max_index_num=100,
)


class FileStoreTests(StoreContract, StoreCase):
    """The store with files."""

    def make(self) -> IMessageStore:
        """Make it in the test's directory."""
        return MessageStore(self.root, self.clock, CONFIG)


class MemoryStoreTests(StoreContract, StoreCase):
    """The store in memory."""

    def make(self) -> IMessageStore:
        """Make one with room enough."""
        return MemoryMessageStore(CONFIG)
