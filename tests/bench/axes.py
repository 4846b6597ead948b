"""What grows: how a server is brought to a size, and kept there while it is driven."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.requests.offset import QueryConsumerOffset, UpdateConsumerOffset
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND, PullMessage
from tests.bench.load import LoadGenerator, Shape
from tests.bench.running import Running
from tests.longrun.backlog import chill
from tests.longrun.broker import Link

SENT, OLD, HELD = "Bench", "BenchOld", "BenchHeld"
QUEUES = 4
GIB = 1 << 30
OLD_BODY = 16 << 10
#: Held pulls of one connection.
HELD_EACH = 100
#: Groups whose offsets are kept, for each topic.
GROUPS = 250
#: Milliseconds between two pulls of the one who reads old messages.
PAUSE = 10

#: Starts a server on a store.
Start = Callable[[Path], Running]


class Axis(NamedTuple):
    """
    Something that grows.

    :ivar name: what the points count.
    :ivar points: its sizes.
    :ivar prepare: makes the store of a server that does not run.
    :ivar hold: brings a running server to the size, and keeps it there.
    :ivar more: parameters of the load generator.
    """

    name: str
    points: tuple[float, ...]
    prepare: Callable[[Path, float, Start, LoadGenerator], None]
    hold: Callable[[Running, float, LoadGenerator], AbstractContextManager[None]]
    more: Callable[[float], dict[str, str | int]]


def topics_prepared(
    store: Path, size: float, start: Start, load: LoadGenerator
) -> None:
    """Write a table of topics of one queue each."""
    _write_topics(store, [f"{SENT}{number:05d}" for number in range(int(size))], 1)


@contextmanager
def topics_held(server: Running, size: float, load: LoadGenerator) -> Iterator[None]:
    """Send to each topic once, so that its queue is there."""
    load.fill(server.port, int(size), SENT, topics=int(size), queues=1)
    yield


def offsets_prepared(
    store: Path, size: float, start: Start, load: LoadGenerator
) -> None:
    """Write a table of offsets of four queues for each topic and group."""
    pairs = int(size) // QUEUES
    topics = [f"BenchTopic{number}" for number in range(-(-pairs // GROUPS))]
    _write_topics(store, [SENT, *topics], QUEUES)
    table = {
        f"{topics[number // GROUPS]}@{_group(number)}": dict.fromkeys(range(QUEUES), 1)
        for number in range(pairs)
    }
    path = store / "config" / "consumerOffset.json"
    path.write_text(json.dumps({"offsetTable": table}))


@contextmanager
def offsets_held(server: Running, size: float, load: LoadGenerator) -> Iterator[None]:
    """Commit offsets all the time, so that the table is written again and again."""
    last = int(size) // QUEUES - 1
    topic, group = f"BenchTopic{last // GROUPS}", _group(last)
    link, ended = Link(server.port), threading.Event()
    found = link.ask(QueryConsumerOffset(group, topic, 0))
    assert found.code == 0, f"the offsets were not read: {found}"

    def commit() -> None:
        offset = 1
        while not ended.wait(0.2):
            offset += 1
            link.ask(UpdateConsumerOffset(group, topic, 0, offset))

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        link.close()


def one_topic(store: Path, size: float, start: Start, load: LoadGenerator) -> None:
    """Write a table of the topics that are sent to and pulled from."""
    _write_topics(store, [SENT, HELD], QUEUES)


@contextmanager
def pulls_held(server: Running, size: float, load: LoadGenerator) -> Iterator[None]:
    """Let pulls wait for messages of a topic to which nobody sends."""
    with ExitStack() as stack:
        for begin in range(0, int(size), HELD_EACH):
            link = _connect(stack, server.port)
            count = min(HELD_EACH, int(size) - begin)
            link.sendall(b"".join(_held_pull(begin + i) for i in range(count)))
        link = Link(server.port)
        # Its response comes after the pulls were read.
        link.ask(QueryConsumerOffset("none", SENT, 0))
        link.close()
        yield


@contextmanager
def connections_held(
    server: Running, size: float, load: LoadGenerator
) -> Iterator[None]:
    """Keep connections open that do nothing."""
    with ExitStack() as stack:
        for _ in range(int(size)):
            _connect(stack, server.port)
        yield


def store_prepared(store: Path, size: float, start: Start, load: LoadGenerator) -> None:
    """Store messages, and drop their files from the page cache."""
    _write_topics(store, [SENT, OLD], QUEUES)
    server = start(store)
    try:
        count = max(1000, int(size * GIB) // OLD_BODY)
        load.fill(server.port, count, OLD, OLD_BODY, queues=QUEUES)
    finally:
        server.stop()
    chill(store)


@contextmanager
def store_read(server: Running, size: float, load: LoadGenerator) -> Iterator[None]:
    """Read the old messages from the first on, at a constant pace."""
    shape = Shape("old", "pull", 1, 32)
    reader = load.begin(shape, server.port, 3600, topic=OLD, pause=PAUSE)
    try:
        yield
        assert reader.poll() is None, reader.communicate()
    finally:
        reader.kill()
        reader.communicate()


def no_more(size: float) -> dict[str, str | int]:
    """Send to one topic."""
    return {"topic": SENT}


def to_all_topics(size: float) -> dict[str, str | int]:
    """Send to all topics in turn."""
    return {"topic": SENT, "topics": int(size), "queues": 1}


def axes(largest_store: float, scale: float = 1.0) -> dict[str, Axis]:
    """
    Return all, by the names of the command line.

    :param largest_store: in GiB.
    :param scale: all other sizes are multiplied by it, but for the first of each axis.
    """
    stores = tuple(round(largest_store * part, 4) for part in (0, 0.1, 0.5, 1))
    counts = _scaled(scale, 10, 100, 1_000, 10_000)
    offsets = _scaled(scale, 40, 1_000, 10_000, 100_000)
    connections = _scaled(scale, 10, 100, 1_000, 5_000)
    return {
        "topics": Axis("topics", counts, topics_prepared, topics_held, to_all_topics),
        "offsets": Axis("offsets", offsets, offsets_prepared, offsets_held, no_more),
        "held": Axis("held pulls", counts, one_topic, pulls_held, no_more),
        "connections": Axis(
            "connections", connections, one_topic, connections_held, no_more
        ),
        "store": Axis("GiB stored", stores, store_prepared, store_read, no_more),
    }


def _scaled(scale: float, first: int, *more: int) -> tuple[float, ...]:
    """Multiply sizes; each is larger than the one before."""
    found = [first]
    for size in more:
        found.append(max(found[-1] + QUEUES, int(size * scale)))
    return tuple(found)


def _group(number: int) -> str:
    return f"bench{number % GROUPS}"


def _connect(stack: ExitStack, port: int) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=30)
    return stack.enter_context(link)


def _held_pull(number: int) -> bytes:
    """Encode a pull that waits a minute; one of four queues."""
    request = PullMessage(
        consumer_group=_group(number),
        topic=HELD,
        queue_id=number % QUEUES,
        queue_offset=0,
        max_msg_nums=32,
        sys_flag=SUBSCRIPTION | SUSPEND,
        commit_offset=0,
        suspend_timeout_millis=60_000,
        subscription="*",
    )
    return encode_request(request, number + 1)


def _write_topics(store: Path, names: list[str], queues: int) -> None:
    """Write the table of topics of a broker that does not run yet."""
    table: dict[str, Any] = {
        name: {
            "topicName": name,
            "readQueueNums": queues,
            "writeQueueNums": queues,
            "perm": 6,
            "topicFilterType": "SINGLE_TAG",
            "topicSysFlag": 0,
            "order": False,
        }
        for name in names
    }
    folder = store / "config"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "topics.json").write_text(json.dumps({"topicConfigTable": table}))
