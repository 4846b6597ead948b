"""A pull consumer that prints every message: ``LitePullMessages.java`` in Python."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.python import log

from rocketmq_tw import EARLIEST, Client
from rocketmq_tw.client import PullConsumer

from .consume import Commands
from .lines import options, say, say_message


async def follow(consumer: PullConsumer) -> None:
    """Print the messages, until the consumer is stopped."""
    async for message in consumer:
        say_message(message)


async def main(reactor: Any) -> None:
    """Consume until told to stop."""
    given = options(namesrv=None, topic=None, group=None, trace=0)
    async with Client(reactor, given.namesrv_) as client:
        consumer = client.pull_consumer(
            given.group_, start_from=EARLIEST, trace=bool(given.trace_)
        )
        consumer.subscribe(given.topic_)
        await consumer.start()
        say("started")
        following = Deferred.fromCoroutine(follow(consumer))
        commands = Commands(consumer)
        # Not standard output: see ``consume.py``.
        with open(os.devnull, "wb") as nowhere:
            StandardIO(commands, stdout=os.dup(nowhere.fileno()))
        await commands.ended
        report = await consumer.stop()
        await following
        assert not report.abandoned and not report.uncommitted, report
    say("done")


if __name__ == "__main__":
    log.startLogging(sys.stderr, setStdout=False)
    task.react(main)
