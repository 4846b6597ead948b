"""
One measurement of our client, in a process of its own; the counterpart of
``MeasureClient.java``.

::

    python -m tests.bench.client_program --shape sync --namesrv 127.0.0.1:9876 \
        --topic Bench --seconds 5 --warm 2

It prints one JSON line, whose fields :mod:`tests.bench.client` reads.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import LoopingCall, deferLater, react
from twisted.internet.threads import deferToThreadPool

from rocketmq_tw.client import EARLIEST, Client, ReplyTimeout
from rocketmq_tw.clock import use_monotonic_time
from rocketmq_tw.model.message import Message, StoredMessage

#: Messages of a batch that fills a topic.
BATCH = 100
#: Batches in flight while a topic is filled.
BATCHES = 8
#: Messages a second of the shape "end to end".
PACE = 1000
#: Seconds that a request waits for its reply.
REPLY_TIME = 30


class Meter:
    """
    Counts messages and their latencies from :meth:`begin` to :meth:`end`.

    :ivar latencies: nanoseconds, one a message.
    """

    def __init__(self) -> None:
        self.latencies: list[int] = []
        self.begin()

    def begin(self) -> None:
        """Forget what was counted before."""
        self.latencies.clear()
        self._cpu, self._start = _cpu(), time.perf_counter()

    def end(self, count: int | None = None) -> None:
        """
        Print what was measured.

        :param count: how many messages, if not one for each latency.
        """
        seconds, cpu = time.perf_counter() - self._start, _cpu() - self._cpu
        found = sorted(self.latencies) or [0]
        line = {
            "event": "measured",
            "count": len(self.latencies) if count is None else count,
            "seconds": seconds,
            "cpu": cpu,
            "p50": found[len(found) // 2] / 1000,
            "p99": found[len(found) * 99 // 100] / 1000,
        }
        print(json.dumps(line), flush=True)


def _cpu() -> float:
    """Return the CPU seconds that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Sender:
    """
    Keeps some messages in flight until a time; counts the ones that are stored.

    :param send: fires when a message is stored, or its reply is here.
    """

    def __init__(self, send: Callable[[], Deferred[Any]], meter: Meter) -> None:
        self._send = send
        self._latencies = meter.latencies
        self._until = 0.0
        self._left = 0
        self._done: Deferred[None] = Deferred()

    def run(self, depth: int, seconds: float) -> Deferred[None]:
        """Send for some seconds, with ``depth`` messages in flight."""
        self._done = Deferred()
        self._until = time.perf_counter() + seconds
        self._left = depth
        for _ in range(depth):
            self._next()
        return self._done

    def _next(self) -> None:
        begin = time.perf_counter_ns()

        def stored(_result: Any) -> None:
            now = time.perf_counter_ns()
            self._latencies.append(now - begin)
            if now < self._until * 1e9:
                self._next()
                return
            self._left -= 1
            if not self._left:
                self._done.callback(None)

        self._send().addCallbacks(stored, self._failed)

    def _failed(self, failure: Any) -> None:
        if not self._done.called:
            self._done.errback(failure)


async def send(options: argparse.Namespace, client: Client, _clock: Any) -> None:
    """Measure sends with one or several messages in flight."""
    producer = client.producer("bench_producer")
    meter = Meter()
    message = Message(options.topic, b"x" * options.size)
    sender = Sender(lambda: producer.send(message), meter)
    await sender.run(options.depth, options.warm)
    meter.begin()
    await sender.run(options.depth, options.seconds)
    meter.end()


async def request(options: argparse.Namespace, client: Client, clock: Any) -> None:
    """Measure round trips, with one or several requests in flight."""
    meter = Meter()
    message = Message(options.topic, b"x" * options.size)
    while True:
        # The one that replies may still be joining its group.
        with suppress(ReplyTimeout):
            await client.request(message, timeout=1)
            break
    asker = Sender(lambda: client.request(message, timeout=REPLY_TIME), meter)
    await asker.run(options.depth, options.warm)
    meter.begin()
    await asker.run(options.depth, options.seconds)
    meter.end()


async def answer(options: argparse.Namespace, client: Client, clock: Any) -> None:
    """Reply to requests, with what they say, until standard input ends."""
    first = Message(options.topic, b"creates the topic")
    await client.producer("bench_answerer").send(first)
    meter = Meter()

    def handle(message: StoredMessage) -> Deferred[Any] | None:
        if message.body == first.body:
            return None
        meter.latencies.append(0)
        return client.reply(message, message.body)

    consumer = client.push_consumer(f"bench_{options.topic}", concurrency=64)
    consumer.subscribe(options.topic, "*", handle)
    await consumer.start()
    print(json.dumps({"event": "started"}), flush=True)
    await deferToThreadPool(clock, clock.getThreadPool(), sys.stdin.read)
    meter.end()


async def fill(options: argparse.Namespace, client: Client, _clock: Any) -> None:
    """Send ``--count`` messages, a multiple of :data:`BATCH`, in batches."""
    producer = client.producer("bench_producer")
    batch = [Message(options.topic, b"x" * options.size)] * BATCH
    meter = Meter()
    await producer.send_batch(batch)
    left = options.count // BATCH - 1
    while left > 0:
        some = min(BATCHES, left)
        left -= some
        await DeferredList(
            [producer.send_batch(batch) for _ in range(some)], fireOnOneErrback=True
        )
    meter.end(options.count)


async def push(options: argparse.Namespace, client: Client, _clock: Any) -> None:
    """Consume the whole topic again and again; the last time is measured."""
    warm_until = time.perf_counter() + options.warm
    number = 0
    while True:
        number += 1
        is_last = time.perf_counter() >= warm_until
        meter = Meter()
        group = f"bench_{options.topic}_{number}"
        await _consume_all(client, options.topic, group, options.count, meter)
        if is_last:
            meter.end(options.count)
            return


async def _consume_all(
    client: Client, topic: str, group: str, count: int, meter: Meter
) -> None:
    """Consume ``count`` messages; the meter begins with the first."""
    all_came: Deferred[None] = Deferred()
    seen = 0

    def handle(_message: StoredMessage) -> None:
        nonlocal seen
        if not seen:
            meter.begin()
        seen += 1
        if seen == count:
            all_came.callback(None)

    consumer = client.push_consumer(group, start_from=EARLIEST)
    consumer.subscribe(topic, "*", handle)
    await consumer.start()
    await all_came
    await consumer.stop()


async def end_to_end(options: argparse.Namespace, client: Client, clock: Any) -> None:
    """Send at a fixed pace and consume; latencies are from send to handler."""
    producer = client.producer("bench_producer")
    meter = Meter()
    latencies = meter.latencies

    def handle(message: StoredMessage) -> None:
        latencies.append(time.perf_counter_ns() - int(message.body[:20]))

    consumer = client.push_consumer(f"bench_{options.topic}")
    pad = b"x" * max(options.size - 20, 0)

    def one() -> Deferred[Any]:
        body = b"%020d" % time.perf_counter_ns() + pad
        return producer.send(Message(options.topic, body))

    await one()
    consumer.subscribe(options.topic, "*", handle)
    await consumer.start()
    while not latencies:
        await one()
        await deferLater(clock, 0.1)
    await _at_pace(one, options.warm)
    meter.begin()
    await _at_pace(one, options.seconds)
    meter.end()


async def first(options: argparse.Namespace, _client: Client, clock: Any) -> None:
    """
    Send the first message of new topics, each with a new client.

    Latencies are from the start of the client to the result of the send.
    """
    meter = Meter()
    for number in range(options.count):
        begin = time.perf_counter_ns()
        async with Client(clock, options.namesrv) as client:
            producer = client.producer("bench_producer")
            await producer.start()
            message = Message(f"{options.topic}_{number}", b"x" * options.size)
            await producer.send(message)
            meter.latencies.append(time.perf_counter_ns() - begin)
    meter.end()


def _at_pace(one: Callable[[], Deferred[Any]], seconds: float) -> Deferred[Any]:
    """Call ``one`` :data:`PACE` times a second; what is late is made up for."""
    begin = time.perf_counter()
    sent = 0
    # What a failed send means is seen from the count of latencies.

    def tick() -> None:
        nonlocal sent
        elapsed = time.perf_counter() - begin
        while sent < min(elapsed, seconds) * PACE:
            sent += 1
            one().addErrback(lambda _: None)
        if elapsed >= seconds:
            loop.stop()

    loop = LoopingCall(tick)
    return loop.start(1 / PACE)


_SHAPES = {
    "send": send,
    "request": request,
    "answer": answer,
    "fill": fill,
    "push": push,
    "end-to-end": end_to_end,
    "first": first,
}


def main(reactor: Any) -> Deferred[None]:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=_SHAPES, required=True)
    parser.add_argument("--namesrv", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--depth", type=int, default=1, help="sends in flight")
    parser.add_argument("--size", type=int, default=1024, help="bytes of a body")
    parser.add_argument("--count", type=int, default=0, help="messages, or topics")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm", type=float, default=1.0)
    options = parser.parse_args()
    use_monotonic_time(reactor)

    async def run() -> None:
        async with Client(reactor, options.namesrv) as client:
            await _SHAPES[options.shape](options, client, reactor)

    return Deferred.fromCoroutine(run())


if __name__ == "__main__":
    react(main)
