"""
Many queues: 2,000 topics of 4 queues each, a first message in every queue.

    python -m tests.longrun.many_queues [--topics 2000]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.longrun.broker import Broker, pull, send

QUEUES = 4


def main(argv: list[str]) -> int:
    """Print the figures; return 1 if one is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topics", type=int, default=2000)
    count = parser.parse_args(argv).topics
    with tempfile.TemporaryDirectory(prefix="many-queues-") as folder:
        broker = Broker(Path(folder))
        broker.start()
        try:
            figures = measure(broker, count)
        finally:
            broker.stop()
        broker.start()
        figures["start-up after a clean stop, s"] = (broker.ready_in, 3.0)
        broker.kill()
        broker.start()
        figures["start-up after a kill, s"] = (broker.ready_in, 3.0)
        broker.stop()
    for name, (value, limit) in figures.items():
        print(f"{name:40} {value:10.2f}   limit {limit:g}")
    return int(any(value > limit for value, limit in figures.values()))


def measure(broker: Broker, count: int) -> dict[str, tuple[float, float]]:
    """Create topics, send, read, and look at what it took: figures and limits."""
    link = broker.link()
    topics = [f"Topic{number:05d}" for number in range(count)]
    begin = time.monotonic()
    everywhere = [(topic, queue) for topic in topics for queue in range(QUEUES)]
    _all_well(link.ask_all(_create(topic) for topic in topics))
    created = time.monotonic() - begin
    begin = time.monotonic()
    _all_well(link.ask_all(send(*where, b"first") for where in everywhere))
    sent = time.monotonic()
    missing = _missing(broker, everywhere)
    visible = time.monotonic() - sent
    time.sleep(70)  # a minute until the queues are forced to disk
    before = broker.cpu()
    time.sleep(20)
    idle = (broker.cpu() - before) / 20 * 100
    return {
        f"{count} topics created, s": (created, 10),
        f"{len(everywhere)} messages sent, s": (sent - begin, 60),
        "not visible": (len(missing), 0),
        "all read after the last send, s": (visible, 5),
        "disk, MB": (_used(broker.folder) / 1e6, 200),
        "memory, MB": (broker.memory() / 1e6, 150),
        "idle, % of a processor": (idle, 1),
        "open files": (broker.descriptors(), 200),
    }


def _missing(broker: Broker, queues: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Read the first message of each queue; give those that have none."""
    answers = broker.link().ask_all(pull(*where, 0) for where in queues)
    found = zip(queues, answers, strict=True)
    return [where for where, answer in found if answer.code != 0 or not answer.body]


def _create(topic: str) -> Request[object]:
    """Make the request that creates a topic."""
    made: Request[object] = CreateTopic(
        topic=topic, read_queue_nums=QUEUES, write_queue_nums=QUEUES, perm=6
    )
    return made


def _all_well(answers: object) -> None:
    """Look that all requests were carried out."""
    for answer in answers:  # type: ignore[attr-defined]
        assert answer.code == 0, answer


def _used(folder: Path) -> int:
    """Give the bytes that files really take."""
    return sum(
        os.stat(os.path.join(at, name)).st_blocks * 512
        for at, _, names in os.walk(folder)
        for name in names
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
