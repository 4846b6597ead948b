"""
Files of a store: one of them is replaced by the input, then the store is opened.

It opens, or says in a sentence why not; all its queues are read, and a key is searched.
A file keeps its length, as a file system that lost what was written does.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.store.interfaces import KeyQuery
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.threads import run_here
from rocketmq_tw.wire.compression import BadCompression
from rocketmq_tw.wire.record import MalformedRecord, decode_all
from tests.fuzz.target import Budget, Target
from tests.store.cases import NOW, SMALL, TOPIC, draft

_CONFIG = msgspec.structs.replace(
    SMALL, max_hash_slot_num=16, max_index_num=64, message_index_enable=True
)
_QUERY = KeyQuery(topic=TOPIC, key="k3", max_count=9, begin_ms=0, end_ms=1 << 62)
#: No opening of such a small store takes more turns of the reactor.
_MOST_TURNS = 2000


class _LazyDisk(Disk):
    """A disk that keeps everything without an fsync."""

    def sync(self, descriptor: int) -> None:
        """Do nothing."""


class _Stores:
    """The folders of a closed and of a killed store, and of the copy in use."""

    def __init__(self) -> None:
        where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._folder = tempfile.TemporaryDirectory(prefix="rocketmq-fuzz-", dir=where)
        self.clean = f"{self._folder.name}/clean"
        self.killed = f"{self._folder.name}/killed"
        self.used = f"{self._folder.name}/used"
        clock, store = _opened(self.clean)
        for number in range(20):
            properties = b"KEYS\1k%d\2TAGS\1TagA\2" % number
            body = b"%05d" % number
            store.put(draft(body, queue_id=number % 2, properties=properties), NOW)
        clock.pump([0.25] * 8)
        shutil.copytree(self.clean, self.killed)
        _finished(clock, store.close())

    def copy(self, source: str) -> None:
        """Replace the folder in use."""
        shutil.rmtree(self.used, ignore_errors=True)
        shutil.copytree(source, self.used)

    def file(self, pattern: str, source: str = "") -> Path:
        """Return the first file of a pattern, in the folder in use unless named."""
        return sorted(Path(source or self.used).glob(pattern))[0]


@cache
def stores() -> _Stores:
    """Make the folders, on first use."""
    return _Stores()


def _opened(root: str) -> tuple[Clock, MessageStore]:
    """Open a store on a clock of its own."""
    clock = Clock()
    clock.advance(NOW)
    store = MessageStore(root, clock, _CONFIG, run_in_thread=run_here, disk=_LazyDisk())
    _finished(clock, store.open())
    return clock, store


def _finished(clock: Clock, waited: Deferred[Any]) -> Any:
    """Turn the reactor until a Deferred fires; return its result or raise."""
    results: list[Any] = []
    waited.addBoth(results.append)
    for _ in range(_MOST_TURNS):
        if results:
            break
        clock.advance(0)
    assert results, "it does not end"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0]


def _read_all(clock: Clock, store: MessageStore) -> None:
    """Read both queues from their start."""
    for queue_id in (0, 1):
        offset = store.min_offset(TOPIC, queue_id)
        for _ in range(100):
            if offset >= store.max_offset(TOPIC, queue_id):
                break
            fetched: Any = store.get(TOPIC, queue_id, offset, 32, 1 << 20, None)
            if isinstance(fetched, Deferred):
                fetched = _finished(clock, fetched)
            try:
                decode_all(fetched.data)
            except (MalformedRecord, BadCompression):
                pass
            if fetched.next_offset <= offset:
                break
            offset = fetched.next_offset


def _run(pattern: str) -> Callable[[bytes], None]:
    """Return what replaces a file of this pattern and opens the store."""

    def run(data: bytes) -> None:
        path = stores().file(pattern)
        size = path.stat().st_size
        path.write_bytes(data[:size].ljust(size, b"\0"))
        clock, store = _opened(stores().used)
        try:
            _read_all(clock, store)
            _finished(clock, store.query(_QUERY))
            store.put(draft(b"after"), NOW)
        finally:
            _finished(clock, store.close())

    return run


def _seeds(pattern: str) -> Callable[[], Iterator[bytes]]:
    """Return what gives the file as it was, closed and killed."""

    def seeds() -> Iterator[bytes]:
        for source in (stores().clean, stores().killed):
            yield stores().file(pattern, source).read_bytes()

    return seeds


def _preparing(name: str) -> Callable[[], None]:
    """Return what copies a store."""
    return lambda: stores().copy(getattr(stores(), name))


_PATTERNS: Mapping[str, str] = {
    "commit-log": "commitlog/00000000000000000000",
    "commit-log-end": "commitlog/00000000000000002000",
    "queue": "consumequeue/TopicTest/0/00000000000000000000",
    "queue-end": "consumequeue/TopicTest/0/00000000000000000160",
    "index": "index/*",
    "checkpoint": "checkpoint",
    "queue-checkpoint": "consumequeue.checkpoint",
}

TARGETS = tuple(
    Target(
        name=f"{name}-{state}",
        run=_run(pattern),
        errors=(RocketMQError,),
        seeds=_seeds(pattern),
        pieces=(b"\xda\xa3\x20\xa7", b"\xcb\xd4\x31\x94"),
        budget=Budget(work=80_000, work_each=200, memory=3 << 20, memory_each=400),
        examples=3,
        prepare=_preparing(state),
    )
    for name, pattern in _PATTERNS.items()
    for state in ("clean", "killed")
)
