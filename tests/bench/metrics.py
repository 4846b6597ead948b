"""
What metrics cost: ``python -m tests.bench.metrics``.

On the path of a message it is the processor time that the broker takes for each, with
metrics and without, in turns. Of a page it is the processor time for each scrape of a
broker with many topics, of which each tenth has a group that is behind: when nothing
has changed since the last one, when some topics have, when all have, and when all
groups have committed, too; and by how much the reactor was late.
"""

from __future__ import annotations

import argparse
import http.client
import socket
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from tests.bench.load import PULLS, SENDS, LoadGenerator, Shape
from tests.bench.report import Table
from tests.bench.rest import memory
from tests.bench.running import Running, folder, stopping
from tests.bench.servers import ours
from tests.broker.cases import sent
from tests.metrics.reading import Reading
from tests.ports import free_port

TOPIC = "BenchMetrics"
QUEUES = 8
#: Seconds until the broker has written what it was given.
SETTLE = 15
#: Seconds from what changes to the next scrape.
PAUSE = 0.7
#: Requests that are in flight at once while topics are made.
AT_ONCE = 200
WITH, WITHOUT = "with metrics", "without"


def cpu_seconds(pid: int) -> float:
    """Return the processor time of all threads, finer than by the clock's ticks."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9


class Scraper:
    """Reads the page over one connection, as Prometheus does."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self) -> bytes:
        """Read the page."""
        self._connection.request("GET", "/metrics")
        return self._connection.getresponse().read()


@contextmanager
def asking(port: int) -> Iterator[Any]:
    """Give a function that sends requests and waits for all responses."""
    with socket.create_connection(("127.0.0.1", port)) as link:

        def ask(requests: Iterable[Request[Any]]) -> None:
            waiting = list(requests)
            for first in range(0, len(waiting), AT_ONCE):
                some = waiting[first : first + AT_ONCE]
                link.sendall(b"".join(encode_request(each, 1) for each in some))
                decoder, left = FrameDecoder(), len(some)
                while left:
                    left -= len(decoder.feed(link.recv(1 << 20)))

        yield ask


def on_the_path(asked: argparse.Namespace, load: LoadGenerator) -> Table:
    """Compare the processor time for each message."""
    rows = []
    shapes: tuple[Shape, ...] = (SENDS[3], SENDS[4], PULLS[0])
    with (
        folder() as scratch,
        stopping(ours(scratch / "a")) as off,
        stopping(ours(scratch / "b", "--metrics", str(free_port()))) as on,
    ):
        running: dict[str, Running] = {WITHOUT: off, WITH: on}
        for server in running.values():
            load.fill(server.port, 100_000, TOPIC)
        for shape in shapes:
            found: dict[str, list[float]] = {WITHOUT: [], WITH: []}
            for number in range(asked.rounds):
                turn = list(running.items())
                for name, server in turn if number % 2 else reversed(turn):
                    before = cpu_seconds(server.pid)
                    drive = load.drive(shape, server.port, asked.seconds, topic=TOPIC)
                    used = cpu_seconds(server.pid) - before
                    found[name].append(used / (drive.rate * asked.seconds) * 1e6)
            off_us, on_us = (statistics.median(found[name]) for name in found)
            more = f"{(on_us / off_us - 1) * 100:+.1f} %"
            rows.append([shape.name, f"{off_us:.2f}", f"{on_us:.2f}", more])
    return Table(
        "Processor time of the broker for each message, in us",
        ["shape", WITHOUT, WITH, "difference"],
        rows,
    )


def scrapes(asked: argparse.Namespace, *, of_queues: bool) -> Table:
    """Measure a page of many topics."""
    port = free_port()
    conf = {
        "metricsExporterType": "PROM",
        "metricsPromExporterPort": port,
        "metricsOfQueues": str(of_queues).lower(),
        "autoCreateTopicEnable": "true",
    }
    rows = []
    with folder() as scratch, stopping(ours(scratch / "a", conf=conf)) as server:
        topics = [f"{TOPIC}-{number}" for number in range(asked.topics)]
        with asking(server.port) as ask:
            for queue_id in range(QUEUES):
                ask(
                    sent(t, default_topic_queue_nums=QUEUES, queue_id=queue_id)
                    for t in topics
                )
                ask(
                    UpdateConsumerOffset(
                        f"group-{number % 50}", topic, queue_id, int(number % 10 > 0)
                    )
                    for number, topic in enumerate(topics)
                )
            time.sleep(SETTLE)
            scraper = Scraper(port)
            size, lines = _page_of(scraper)
            for name, changed, commits in (
                ("nothing changes", 0, False),
                ("1 % of the topics change", asked.topics // 100, False),
                ("all topics change", asked.topics, False),
                ("and all groups commit", asked.topics, True),
            ):
                changing = topics[:changed]
                cost = _cost(asked, server, scraper, ask, changing, commits=commits)
                rows.append([name, *cost])
            rows.append(["page", f"{size / 1e6:.1f} MB, {lines} lines", "", ""])
            rows.append(["memory", f"{memory(server.pid):.0f} MiB", "", ""])
            lag = _worst_lag(scraper)
            rows.append(["reactor late by at most", lag, "", ""])
    kind = "with" if of_queues else "without"
    return Table(
        f"A scrape a second of {asked.topics} topics with {QUEUES} queues and a group"
        f" each, {kind} series for queues",
        ["", "ms of a scrape", "% of a processor", "least and most, ms"],
        rows,
    )


def _page_of(scraper: Scraper) -> tuple[int, int]:
    """Return the size of the page, and its lines, after it was read strictly."""
    page = scraper.get()
    Reading(page)
    return len(page), page.count(b"\n")


def _cost(
    asked: argparse.Namespace,
    server: Running,
    scraper: Scraper,
    ask: Any,
    changing: list[str],
    *,
    commits: bool,
) -> list[str]:
    """
    Return the processor time of one scrape: the median, the least and the most.

    Each is measured by itself, when the broker has nothing else to do, from before its
    request until its last byte was read.
    """
    found = []
    for turn in range(asked.scrapes):
        ask(sent(topic) for topic in changing)
        if commits:
            ask(
                UpdateConsumerOffset(f"group-{number % 50}", topic, 0, turn + 2)
                for number, topic in enumerate(changing)
            )
        time.sleep(PAUSE)
        before = cpu_seconds(server.pid)
        scraper.get()
        found.append((cpu_seconds(server.pid) - before) * 1000)
    one = statistics.median(found)
    spread = f"{min(found):.1f} to {max(found):.1f}"
    return [f"{one:.1f}", f"{one / 10:.2f}", spread]


def _worst_lag(scraper: Scraper) -> str:
    """Return the bound of the last bucket of the reactor's lag that has anything."""
    name = "rocketmq_reactor_lag_seconds"
    page = Reading(scraper.get())
    everything = page.get(f"{name}_count") or 0
    bounds = sorted(
        (float(labels["le"]), labels["le"]) for labels in page.labels(f"{name}_bucket")
    )
    for bound, text in bounds:
        if page.get(f"{name}_bucket", le=text) == everything:
            return f"{bound * 1000:g} ms"
    return "?"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.metrics")
    add = parser.add_argument
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=3.0)
    add("--topics", type=int, default=2000)
    add("--scrapes", type=int, default=20)
    add("--only", choices=("path", "page"))
    asked = parser.parse_args()
    if asked.only != "page":
        with folder() as scratch:
            print(on_the_path(asked, LoadGenerator(Path(scratch))).text())
    if asked.only != "path":
        for of_queues in (False, True):
            print(scrapes(asked, of_queues=of_queues).text(), flush=True)


if __name__ == "__main__":
    main()
