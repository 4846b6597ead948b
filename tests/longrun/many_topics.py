"""
Many topics: 50,000 that sends create, at a broker and a name server.

    python -m tests.longrun.many_topics [--topics 50000] [--folder /dev/shm]

Each topic must cost the same, however many there are; its route must be known before
the send that created it is confirmed; after a restart of either end all routes must be
back soon, and after a kill all that was acknowledged. In a folder in memory the time
that a disk takes for the files of so many queues does not count. Where other programs
keep the processors busy, the processor times are what counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.route import GetClusterInfo, GetRoute
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.longrun.broker import Broker, Heartbeats, Link, pull, send

#: How many topics are looked at together.
CHUNK = 1000
#: How many topics administrators create.
CREATED = 2000

#: The name of a figure, with its value and the most that it may be.
Figures = dict[str, tuple[float, float]]


class NameServer(Broker):
    """A name server as a program of its own."""

    def _command(self) -> list[str]:
        """Give its command line."""
        program = "from twisted.scripts.twistd import run; run()"
        words = [
            "-c",
            program,
            "-n",
            "--pidfile=",
            "rocketmq-namesrv",
            "--data",
            "data",
        ]
        return [sys.executable, *words, "-p", f"127.0.0.1:{self.port}"]


def main(argv: list[str]) -> int:
    """Print the figures; return 1 if one is too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topics", type=int, default=50_000)
    parser.add_argument("--folder", default=None)
    options = parser.parse_args(argv)
    count = options.topics
    with tempfile.TemporaryDirectory(
        prefix="many-topics-", dir=options.folder
    ) as folder:
        figures = run(Path(folder), count)
        # Removing the files takes longer than the rest.
        _print(figures)
    return int(any(value > limit for value, limit in figures.values()))


def _print(figures: Figures) -> None:
    """Print the figures beside their limits."""
    for name, (value, limit) in figures.items():
        print(f"{name:54} {value:10.3f}   limit {limit:g}", flush=True)


def run(folder: Path, count: int) -> Figures:
    """Create so many topics, restart, create some more; give figures and limits."""
    names = NameServer(folder / "namesrv")
    names.start()
    address = f"127.0.0.1:{names.port}"
    broker = Broker(folder / "broker", namesrvAddr=address, maxTopics=count + 10_000)
    broker.start()
    try:
        figures = _sends(broker, names, count)
        figures |= _administrator(broker, names)
        figures |= _restarts(broker, names, [_name(n) for n in range(count)])
        figures |= _kill(broker, names, count)
    finally:
        broker.stop()
        names.stop()
    return figures


def _sends(broker: Broker, names: Broker, count: int) -> Figures:
    """Send to new topics, while somebody else asks both ends something small."""
    probes = [Heartbeats(broker), Heartbeats(names, GetClusterInfo())]
    memory = [server.memory() for server in (broker, names)]
    link = broker.link()
    _each_well(link.ask_all(_first_sends("Warm", CHUNK)))
    took: list[float] = []
    work: list[float] = []
    part = max(count // CHUNK // 10, 1) * CHUNK
    own = {0: _user_cpu(broker, names)}
    for begin in range(0, count, CHUNK):
        if begin in (part, count - part):
            own[begin] = _user_cpu(broker, names)
        topics = [_name(number) for number in range(begin, begin + CHUNK)]
        at, cpu = time.monotonic(), broker.cpu() + names.cpu()
        _each_well(link.ask_all(send(topic, 0, b"first") for topic in topics))
        took.append(time.monotonic() - at)
        work.append(broker.cpu() + names.cpu() - cpu)
        assert _routes(names, topics[-1:]) == 1, "the route came late"
    own[count] = _user_cpu(broker, names)
    missing = count - _routes(names, [_name(number) for number in range(count)])
    for probe in probes:
        probe.stop()
    after = [server.memory() for server in (broker, names)]
    grown = [(b - a) / count for a, b in zip(memory, after, strict=True)]
    last = max(len(took) // 10, 1)
    return {
        "routes missing": (missing, 0),
        "a topic by a send, first 1,000, ms": (took[0], 10),
        "a topic by a send, last 10 %, ms": (sum(took[-last:]) / last, 10),
        # What the kernel takes for a directory is the file system's matter.
        # It varies between 0.9 and 1.7; a cost that grows with the table is ten times
        # as much at the end.
        "processor time outside the kernel, last to first": (
            (own[count] - own[count - part]) / (own[part] - own[0]),
            2,
        ),
        "processor time of a topic, both ends, ms": (sum(work) / count * 1e3, 5),
        "worst wait at the broker, s": (probes[0].waits[-1], 0.2),
        "worst wait at the name server, s": (probes[1].waits[-1], 0.2),
        "memory of the broker for a topic, bytes": (grown[0], 8000),
        "memory of the name server for a topic, bytes": (grown[1], 3000),
    }


def _user_cpu(*servers: Broker) -> float:
    """Wait until queues have their files; give the processor time, without kernel's."""
    before = 0.0
    while (now := sum(server.cpu() for server in servers)) - before > 0.1:
        before = now
        time.sleep(1)
    return sum(server.user_cpu() for server in servers)


def _administrator(broker: Broker, names: Broker) -> Figures:
    """Create topics one after the other, as a tool does."""
    link = broker.link()
    begin = time.monotonic()
    topics = [f"Created{number:06d}" for number in range(CREATED)]
    for topic in topics:
        answer = link.ask(_create(topic))
        assert answer.code == 0, answer
    took = time.monotonic() - begin
    missing = len(topics) - _routes(names, topics)
    return {
        "2,000 CREATE_TOPIC, s": (took, 7.5),
        "routes of created topics missing": (missing, 0),
    }


def _restarts(broker: Broker, names: Broker, topics: Sequence[str]) -> Figures:
    """Restart both ends in good order."""
    begin = time.monotonic()
    broker.stop()
    stopped = time.monotonic() - begin
    begin = time.monotonic()
    broker.start()
    ready, work = broker.ready_in, broker.ready_cpu
    _wait_for_routes(names, topics)
    routes = time.monotonic() - begin
    names.stop()
    names.start()
    begin = time.monotonic()
    _wait_for_routes(names, topics)
    back = time.monotonic() - begin
    return {
        "stop of the broker, s": (stopped, 3),
        "start of the broker, processor time, s": (work, 2),
        "start of the broker, s": (ready, 6),
        "all routes after the start of the broker, s": (routes, 6),
        "all routes after the start of a name server, s": (back, 12),
    }


def _kill(broker: Broker, names: Broker, count: int) -> Figures:
    """Kill the broker right after it has acknowledged new topics."""
    link = broker.link()
    _each_well(link.ask_all(_first_sends("Late", CHUNK)))
    topics = [f"Late{number:06d}" for number in range(CHUNK)]
    made = [f"LateMade{number:06d}" for number in range(20)]
    _each_well(link.ask_all(_create(topic) for topic in made))
    broker.kill()
    broker.start()
    ready = broker.ready_in
    _wait_for_routes(names, [_name(number) for number in range(count)])
    answers = [
        answer
        for topic in topics
        if (answer := _first_message(broker.link(), topic)) is not None
    ]
    return {
        "start of the broker after a kill, s": (ready, 4),
        "acknowledged messages lost by a kill": (len(topics) - len(answers), 0),
        "acknowledged topics lost by a kill": (20 - _routes(names, made), 0),
    }


def _first_message(link: Link, topic: str) -> bytes | None:
    """Read the first message of a topic."""
    answer = link.ask(pull(topic, 0, 0))
    link.close()
    return answer.body if answer.code == 0 else None


def _wait_for_routes(names: Broker, topics: Sequence[str]) -> None:
    """Wait until a name server knows all topics."""
    end = time.monotonic() + 60
    while _routes(names, topics[-1:] + topics[:: max(1, len(topics) // 50)]) < 50:
        assert time.monotonic() < end, "the routes do not come back"
        time.sleep(0.02)
    assert _routes(names, topics) == len(topics)


def _routes(names: Broker, topics: Sequence[str]) -> int:
    """Count the topics that a name server knows."""
    link = names.link()
    answers = link.ask_all(GetRoute(topic=topic) for topic in topics)
    known = sum(answer.code == 0 for answer in answers)
    link.close()
    return known


def _name(number: int) -> str:
    """Give the name of a topic; they are as long as they are in many companies."""
    return f"Department-of-something-Topic-{number:06d}"


def _first_sends(prefix: str, count: int) -> Iterator[Request[Any]]:
    """Make sends to new topics."""
    return (send(f"{prefix}{number:06d}", 0, b"first") for number in range(count))


def _create(topic: str) -> Request[Any]:
    """Make the request that creates a topic."""
    return CreateTopic(topic=topic, read_queue_nums=4, write_queue_nums=4, perm=6)


def _each_well(answers: Any) -> None:
    """Look that all requests were carried out."""
    for answer in answers:
        assert answer.code == 0, answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
