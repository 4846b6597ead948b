"""
Every listing that consumes commits its offsets when a signal stops it.

A successor in the same group then sees no message twice. The committed offsets are read
from the broker right after the listing has ended, long before the next periodic commit
could have stored them.
"""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC
from rocketmq_tw.wire import frame
from rocketmq_tw.wire.command import Command, decode, encode_request
from rocketmq_tw.wire.fields import Request, from_ext
from rocketmq_tw.wire.requests.offset import OffsetResponse, QueryConsumerOffset
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.bench import servers
from tests.listings.test_listings import start

TOPIC = "TopicTest"
QUEUES = 4
#: The group of each listing.
GROUPS = {
    "consume_await.py": "await-consumer",
    "consume_callbacks.py": "callback-consumer",
    "consume_inline_callbacks.py": "inline-consumer",
    "consume_asyncio.py": "asyncio-consumer",
    "pull_asyncio.py": "asyncio-pull",
    "pull_messages.py": "pull-group",
    "consume_in_order.py": "in-order",
    "service.tac": "tac-consumer",
}


class Broker:
    """
    A name server and a broker in a process of their own, with a topic.

    :ivar sent: how many messages it has.
    """

    def __init__(self, data: Path) -> None:
        self.server = servers.ours(data)
        self.name_server = f"127.0.0.1:{self.server.ports[1]}"
        self._socket = socket.create_connection(("127.0.0.1", self.server.port))
        self._socket.settimeout(10)
        self._frames = frame.FrameDecoder(frame.FRAME_LIMIT)
        self.sent = 0

    def call(self, request: Request[OffsetResponse] | SendMessageV2) -> Command:
        """Send a request, and wait for the response."""
        self._socket.sendall(encode_request(request, 1))
        frames: list[frame.Frame] = []
        while not frames:
            frames = self._frames.feed(self._socket.recv(65536))
        return decode(*frames[0])

    def send(self) -> None:
        """Store a message."""
        body = b"message %d" % self.sent
        request = SendMessageV2(
            producer_group="test",
            topic=TOPIC,
            default_topic=AUTO_CREATE_TOPIC,
            default_topic_queue_nums=QUEUES,
            queue_id=self.sent % QUEUES,
            sys_flag=0,
            born_timestamp=0,
            flag=0,
            properties="",
            body=body,
        )
        assert self.call(request).code == 0
        self.sent += 1

    def committed(self, group: str) -> int:
        """Give the sum of a group's offsets: how many messages it has consumed."""
        total = 0
        for queue_id in range(QUEUES):
            request = QueryConsumerOffset(
                consumer_group=group, topic=TOPIC, queue_id=queue_id
            )
            response = self.call(request)
            if response.code == 0:
                total += from_ext(OffsetResponse, response.fields).offset
        return total

    def stop(self) -> None:
        """End it."""
        self._socket.close()
        self.server.stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Start a broker."""
    made = Broker(tmp_path_factory.mktemp("data"))
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("listing", sorted(GROUPS))
def test_offsets_are_committed(
    listing: str, number: signal.Signals, broker: Broker, tmp_path: Path
) -> None:
    """Once it has printed all messages, a signal ends it without a loss."""
    broker.send()
    seen = broker.committed(GROUPS[listing])
    # Each queue is read for itself: the newest message may come before older ones.
    missing = {f"message {number}" for number in range(seen, broker.sent)}
    process = start(listing, broker.name_server, tmp_path)
    limit = threading.Timer(60, process.kill)
    limit.start()
    output = ""
    assert process.stdout is not None
    for line in process.stdout:
        output += line
        found = missing.intersection(re.findall(r"message \d+", line))
        missing -= found
        if found and not missing:
            process.send_signal(number)
    process.wait(60)
    limit.cancel()
    process.stdout.close()
    assert not missing, output
    assert "Traceback" not in output, output
    assert broker.committed(GROUPS[listing]) == broker.sent
