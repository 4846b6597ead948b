"""What the tests of the store share: a draft, small files, stores opened at once."""

import os
import shutil

import msgspec
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.files import reads
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.index import log_reader
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.table import ConsumeQueues
from rocketmq_tw.testing.clocks import SettableClock
from rocketmq_tw.threads import RunInThread, run_here
from rocketmq_tw.wire.record import Draft

#: 2023-11-14 22:13:20 UTC.
NOW = 1_700_000_000.0
TOPIC = "TopicTest"
TAG_A = 2598919
DRAFT = Draft(
    topic=TOPIC.encode(),
    queue_id=0,
    flag=0,
    sys_flag=0,
    born_time_ms=1,
    born_host=b"\x0a\0\0\1\0\0\x9c\x40",
    body=b"Hello",
    properties=b"TAGS\x01TagA\x02",
    tags_code=TAG_A,
)
#: A record of DRAFT: 91 + 5 + 9 + 10 bytes.
SIZE = 115
#: Eight records a file, and four entries.
SMALL = StoreConfig(
    commit_log_file_size=1000,
    consume_queue_file_size=80,
    window_size=4096,
    flush_commit_log_least_pages=0,
    max_hash_slot_num=50,
    max_index_num=100,
)


def draft(body: bytes = b"Hello", **fields: object) -> Draft:
    """Make a draft with a body of its own."""
    return msgspec.structs.replace(DRAFT, body=body, **fields)


def taken(queues: ConsumeQueues) -> set[str]:
    """Take the paths of a table that are to be flushed."""
    paths: set[str] = set()
    for _ in queues.take_dirty(paths):
        pass
    return paths


class StoreCase(SynchronousTestCase):
    """Opens stores below one temporary directory, and closes them at the end."""

    config = SMALL

    def setUp(self) -> None:
        """
        Make a directory and a clock.

        Whether the kernel has a page at hand that was just written depends on what else
        the machine does, so reads wait for it; tests of cold pages refuse the read.
        """
        self.patch(reads, "NO_WAIT", 0)
        self.patch(log_reader, "NO_WAIT", 0)
        self.clock = SettableClock()
        self.clock.advance(NOW)
        self.root = self.mktemp()
        os.makedirs(self.root)

    def open(
        self,
        root: str | None = None,
        disk: Disk | None = None,
        run_in_thread: RunInThread | None = None,
        **options: object,
    ) -> MessageStore:
        """Open a store and wait for it."""
        config = msgspec.structs.replace(self.config, **options)
        where = root or self.root
        store = MessageStore(
            where,
            self.clock,
            config,
            run_in_thread=run_in_thread or run_here,
            disk=disk,
        )
        self.finish(store.open())
        self.addCleanup(store.close)
        return store

    def finish(self, waited: "Deferred[None]") -> None:
        """Turn the reactor until it fires; raise its failure."""
        results: list[object] = []
        waited.addBoth(results.append)
        while not results:
            self.clock.advance(0)
        self.successResultOf(waited.addCallback(lambda _: results[0]))

    def reopen(self, store: MessageStore, **options: object) -> MessageStore:
        """Close a store in good order and open it anew."""
        self.successResultOf(store.close())
        return self.open(**options)

    def kill(self) -> str:
        """Return a copy of the directory, as it is when the process dies now."""
        copy = self.mktemp()
        shutil.copytree(self.root, copy)
        return copy

    def path(self, *parts: str) -> str:
        """Return a path in the store."""
        return os.path.join(self.root, *parts)

    def read_log(self, store: MessageStore, position: int, size: int) -> bytes:
        """Read bytes of a log, also if the kernel does not have them at hand."""
        found = store.source.read(position, size)
        return self.successResultOf(found) if isinstance(found, Deferred) else found

    def log_of(self, store: MessageStore) -> bytes:
        """Return the log of a store, from its first file to its end."""
        begin, end, found = store.commit_log_min, store.commit_log_max, b""
        while begin + len(found) < end:
            piece = self.read_log(store, begin + len(found), 1 << 20)
            assert piece
            found += piece
        return found

    def bytes_of(self, *parts: str) -> bytes:
        """Read one file of the store."""
        with open(self.path(*parts), "rb") as file:
            return file.read()
