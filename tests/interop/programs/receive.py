"""A simple consumer that prints every message, and gives some back once."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import task
from twisted.python import log

from rocketmq_tw import Client

from .lines import options, say, say_message


async def main(reactor: Any) -> None:
    """Receive ``count`` messages; acknowledge them one by one, and in batches."""
    given = options(namesrv=None, topic=None, group=None, count=0, refuse=0, trace=0)
    async with Client(reactor, given.namesrv_) as client:
        consumer = client.simple_consumer(
            given.group_, invisible_time=60, trace=bool(given.trace_)
        )
        say("started")
        received = batches = 0
        while received < given.count_:
            taken = []
            for popped in await consumer.receive(given.topic_, wait=5):
                i = int(popped.message.properties["i"])
                again = popped.message.reconsume_times
                if given.refuse_ and i % given.refuse_ == 0 and not again:
                    say("refused", i=i)
                    kept = await consumer.change_invisible_time(popped, 30)
                    await consumer.change_invisible_time(kept, 1)
                    continue
                say_message(popped.message)
                taken.append(popped)
            received += len(taken)
            batches += 1
            if batches % 2:
                await consumer.ack_all(taken)
            else:
                for popped in taken:
                    await consumer.ack(popped)
        rest = await consumer.receive(given.topic_, wait=1)
        say("done", rest=len(rest))


if __name__ == "__main__":
    log.startLogging(sys.stderr, setStdout=False)
    task.react(main)
