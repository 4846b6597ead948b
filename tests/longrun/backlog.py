"""
A backlog that is not in memory, read by one who catches up.

    python -m tests.longrun.backlog [--messages 10000000]

The messages are put into four queues, and dropped from the page cache. While they are
read, others ask for little: their responses may not wait for the disk, and the broker's
memory may not grow with what is read.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from twisted.internet.task import Clock

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.wire.fields import from_ext
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.pull import PullMessage
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.longrun.broker import Broker, Heartbeats, pull

TOPIC = "Backlog"
QUEUES = 4
NOW = 1_700_000_000.0
#: Bytes that the broker may need more at the end than at the beginning.
GROWTH = 32 << 20


def fill(folder: Path, count: int) -> None:
    """Put small messages into a store, and force all to disk."""
    clock = Clock()
    clock.advance(NOW)
    store = MessageStore(str(folder), clock, StoreConfig(message_index_enable=False))
    store.open()
    drafts = [
        Draft(
            TOPIC.encode(), queue, 0, 0, 1, b"\x0a\0\0\1\0\0\x9c\x40", bytes(20), b"", 0
        )
        for queue in range(QUEUES)
    ]
    now = time.time()  # noqa: TID251
    for number in range(count):
        store.put(drafts[number % QUEUES], now)
    store.close()
    clock.advance(10)


def chill(folder: Path) -> None:
    """Drop a store's files from the page cache."""
    for at, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(os.path.join(at, name), os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def read(broker: Broker, count: int) -> dict[str, float]:
    """Read all queues at a time; give the figures."""
    link, heartbeats = broker.link(), Heartbeats(broker)
    offsets = dict.fromkeys(range(QUEUES), 0)
    memory, found, told = [broker.memory()], 0, 0
    begin = time.monotonic()
    waiting = {queue: link.send(pull(TOPIC, queue, 0)) for queue in offsets}
    while waiting:
        for queue, opaque in list(waiting.items()):
            answer = link.answer(opaque)
            assert answer.code == 0, answer
            after = from_ext(PullMessage.response_type, answer.fields).next_begin_offset
            assert after > offsets[queue], answer
            found += after - offsets[queue]
            offsets[queue] = after
            if after < count // QUEUES:
                waiting[queue] = link.send(pull(TOPIC, queue, after))
            else:
                del waiting[queue]
        if found >= told + count // 20:
            told = found
            memory.append(broker.memory())
    took = time.monotonic() - begin
    heartbeats.stop()
    waits = heartbeats.waits
    return {
        "messages": found,
        "messages a second": found / took,
        "memory at first, MB": memory[1] / 1e6,
        "memory at most, MB": max(memory) / 1e6,
        "others' answers, p99.9 s": waits[-1 - len(waits) // 1000],
        "others' slowest answer, s": waits[-1],
    }


def run(folder: Path, count: int) -> dict[str, float]:
    """Fill, chill and read; give the figures."""
    fill(folder / "data", count)
    chill(folder / "data")
    broker = Broker(folder, messageIndexEnable=False)
    broker.start()
    try:
        topic = {"topic": TOPIC, "read_queue_nums": QUEUES, "write_queue_nums": QUEUES}
        assert broker.link().ask(CreateTopic(**topic, perm=6)).code == 0
        return read(broker, count)
    finally:
        broker.kill()


def main(argv: list[str]) -> int:
    """Print the figures; return 1 if the memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000_000)
    count = parser.parse_args(argv).messages
    with tempfile.TemporaryDirectory(prefix="backlog-") as folder:
        found = run(Path(folder), count)
    for name, value in found.items():
        print(f"{name:28} {value:14.3f}")
    grown = found["memory at most, MB"] - found["memory at first, MB"]
    return int(grown * 1e6 > GROWTH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
