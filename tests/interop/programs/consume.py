"""A push consumer that prints every message: ``ConsumeMessages.java`` on our client."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver
from twisted.python import log

from rocketmq_tw import EARLIEST, Client, Retry, Sql
from rocketmq_tw.client import ClientConfig, PullConsumer, PushConsumer
from rocketmq_tw.model.message import StoredMessage

from .lines import credentials, options, say, say_message, tls


class Commands(LineReceiver):
    """Follow the commands on standard input; ``ended`` fires at its end."""

    delimiter = b"\n"

    def __init__(self, consumer: PushConsumer | PullConsumer) -> None:
        self._consumer = consumer
        self.ended: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Print the queues held now: ``assignment`` is the only command."""
        queues = [
            (queue.topic, queue.broker_name, queue.queue_id)
            for queue in self._consumer.assignment()
        ]
        say("assignment", queues=queues)

    def connectionLost(self, reason: Any = None) -> None:
        """Standard input ended: stop."""
        self.ended.callback(None)


async def main(reactor: Any) -> None:
    """Consume until told to stop."""
    given = options(
        namesrv=None,
        topic=None,
        group=None,
        expression="*",
        sql="",
        listener="concurrent",
        refuse=0,
        level=1,
        trace=0,
        retries=0,
        slow=0,
        model="clustering",
        offsets="",
        ip="",
        user="",
        password="",
        ca="",
        cert="",
        key="",
    )

    def handle(message: StoredMessage) -> Deferred[None] | Retry | None:
        i = int(message.properties["i"])
        again = given.retries_ or not message.reconsume_times
        if given.refuse_ and i % given.refuse_ == 0 and again:
            say("refused", i=i)
            return Retry(level=given.level_)
        if given.slow_:
            pause = task.deferLater(reactor, given.slow_ / 1000)
            return pause.addCallback(lambda _: say_message(message))
        say_message(message)
        return None

    broadcast = given.model_ == "broadcasting"
    client = Client(
        reactor,
        given.namesrv_,
        client_id=f"{given.ip_}@DEFAULT" if broadcast else None,
        tls=tls(given),
        credentials=credentials(given),
        config=ClientConfig(offset_directory=given.offsets_ or None),
    )
    await client.start()
    consumer = client.push_consumer(
        given.group_,
        start_from=EARLIEST,
        ordered=given.listener_ == "orderly",
        broadcast=broadcast,
        trace=bool(given.trace_),
        max_retries=given.retries_ or None,
    )
    expression = Sql(given.sql_) if given.sql_ else given.expression_
    consumer.subscribe(given.topic_, expression, handle)
    await consumer.start()
    say("started")
    commands = Commands(consumer)
    # Not standard output: what StandardIO writes to no longer blocks, and a print of
    # a message would fail where the harness reads slowly.
    with open(os.devnull, "wb") as nowhere:
        StandardIO(commands, stdout=os.dup(nowhere.fileno()))
    await commands.ended
    await client.stop()
    say("done")


if __name__ == "__main__":
    log.startLogging(sys.stderr, setStdout=False)
    task.react(main)
