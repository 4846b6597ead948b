"""
A client of an attacking broker, which looks how long its reactor did nothing else.

    python -m tests.longrun.hostile.victim PORT SECONDS

Prints as JSON the longest time in ms, without what the machine did to it, the memory
that it grew by in MiB, the messages that it received, and tracebacks.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from typing import Any

from twisted.internet import defer, task
from twisted.logger import globalLogPublisher

from rocketmq_tw import EARLIEST, Client
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire.compression import BadCompression, BodyTooLarge
from tests.longrun.hostile.memory import anonymous_memory
from tests.longrun.hostile.probe import delay_of, delays, own_part
from tests.longrun.hostile.scripted import TOPIC


class Watch:
    """What the victim sees of itself."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._thread = threading.get_native_id()
        self._last, self._delays = clock.seconds(), delays(os.getpid())
        self._work = time.thread_time()
        self.longest = 0.0
        self.before = self.most = anonymous_memory(os.getpid())
        self.received = 0
        self.refused = 0
        self.failures: list[str] = []

    def tick(self) -> None:
        """Compare the time with the last tick; called every 10 ms."""
        now, after = self._clock.seconds(), delays(os.getpid())
        direct, other = delay_of(self._delays, after, self._thread)
        gap, work = now - self._last, time.thread_time()
        own = own_part(gap, direct=direct, other=other, work=work - self._work)
        self.longest = max(self.longest, own)
        self._last, self._delays, self._work = now, after, work
        self.most = max(self.most, anonymous_memory(os.getpid()))

    def receive(self, message: StoredMessage) -> None:
        """Read a message, as an application would."""
        try:
            self.received += bool(message.body is not None)
        except (BadCompression, BodyTooLarge):
            self.refused += 1

    def log(self, event: dict[str, Any]) -> None:
        """Note what would be a traceback in the log."""
        if event.get("log_failure") is not None:
            self.failures.append(event["log_failure"].getErrorMessage()[:100])

    def report(self) -> None:
        """Print the figures."""
        figures = {
            "longest": round(self.longest * 1000),
            "growth": round((self.most - self.before) / (1 << 20)),
            "received": self.received,
            "refused": self.refused,
            "tracebacks": len(self.failures),
            "last": self.failures[-1:],
        }
        print(json.dumps(figures), flush=True)


async def main(clock: Any, port: str, seconds: str) -> None:
    """Consume."""
    client = Client(clock, f"127.0.0.1:{port}")
    await client.start()
    gc.collect()
    watch = Watch(clock)
    globalLogPublisher.addObserver(watch.log)
    ticks = task.LoopingCall(watch.tick)
    ticks.start(0.01)
    consumer = client.push_consumer("victims", start_from=EARLIEST)
    consumer.subscribe(TOPIC, "*", watch.receive)
    started = consumer.start()
    await task.deferLater(clock, float(seconds), lambda: None)
    ticks.stop()
    watch.report()
    started.addErrback(lambda _: None)
    os._exit(0)


if __name__ == "__main__":
    task.react(
        lambda clock, *given: defer.ensureDeferred(main(clock, *given)), sys.argv[1:]
    )
