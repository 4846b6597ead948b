"""
Sends numbered messages and consumes them, and does nothing else.

    python -m tests.longrun.hostile.bystander NAME_SERVER LEDGER [TIMEOUT]

Each queue has a sender of its own, which sends a number after the one before has a
result: the numbers of a queue arrive in order, and none of those that were acknowledged
is missing. What was seen so far is printed twice a second, as JSON; each acknowledged
message is a line of the ledger. Nothing more is sent once standard input ends.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from twisted.internet import defer, stdio, task
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from rocketmq_tw import EARLIEST, Client, Message, MessageQueue
from rocketmq_tw.client import PushConsumer, SendResult
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.remoting.errors import ConnectionLost

TOPIC = "Bystander"
GROUP = "bystanders"
QUEUES = 4
#: Seconds between a result and the next message of a queue.
PAUSE = 0.05
#: Seconds after which a send is given up; not while the servers are restarted.
TIMEOUT = "30"


class Seen:
    """
    What the bystander saw.

    :ivar acknowledged: of each queue, the numbers with a positive result.
    :ivar received: of each queue, the numbers that were consumed.
    """

    def __init__(self, ledger: TextIO) -> None:
        self._ledger = ledger
        self.acknowledged: list[set[int]] = [set() for _ in range(QUEUES)]
        self.received: list[set[int]] = [set() for _ in range(QUEUES)]
        self._newest = [-1] * QUEUES
        self.repeated = 0
        self.out_of_order = 0
        self.failed = self.interrupted = 0
        self.last_error = ""

    def stored(self, queue_id: int, number: int, result: SendResult) -> None:
        """Note an acknowledged message."""
        self.acknowledged[queue_id].add(number)
        print(queue_id, result.queue_offset, number, file=self._ledger, flush=True)

    def consumed(self, message: StoredMessage) -> None:
        """Note a consumed message: a new one comes behind all before it."""
        queue_id, number = message.queue_id, int(message.body)
        received = self.received[queue_id]
        if number in received:
            self.repeated += 1
        elif number < self._newest[queue_id]:
            self.out_of_order += 1
        received.add(number)
        self._newest[queue_id] = max(number, self._newest[queue_id])

    def fail(self, failure: Failure) -> None:
        """Note a send that failed."""
        self.failed += 1
        # A send in order is not repeated then: the broker may have stored it.
        self.interrupted += isinstance(failure.value.__cause__, ConnectionLost)
        self.last_error = failure.getErrorMessage()[:200]

    def report(self) -> None:
        """Print the figures."""
        pairs = list(zip(self.acknowledged, self.received, strict=True))
        figures = {
            "acknowledged": sum(len(sent) for sent, _ in pairs),
            "missing": sum(len(sent - received) for sent, received in pairs),
            "out_of_order": self.out_of_order,
            "repeated": self.repeated,
            "failed": self.failed,
            "interrupted": self.interrupted,
            "last_error": self.last_error,
        }
        print(json.dumps(figures), flush=True)


class Input(Protocol):
    """Calls a function when standard input ends."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It has ended."""
        self._ended()


async def produce(
    clock: object,
    client: Client,
    seen: Seen,
    queue: MessageQueue,
    timeout: float,
    ended: list[str],
) -> None:
    """Send one number after the other until there is no more input."""
    producer = client.producer(f"bystander-{queue.queue_id}")
    number = 0
    while not ended:
        try:
            message = Message(TOPIC, b"%d" % number)
            result = await producer.send(message, queue=queue, timeout=timeout)
            seen.stored(queue.queue_id, number, result)
        except Exception:
            seen.fail(Failure())
        number += 1
        await task.deferLater(clock, PAUSE)


async def main(
    clock: object, name_server: str, ledger: str, timeout: str = TIMEOUT
) -> None:
    """Send and consume."""
    ended: list[str] = []
    seen = Seen(Path(ledger).open("a"))
    stdio.StandardIO(Input(lambda: ended.append("input")), reactor=clock)
    async with Client(clock, name_server) as client:
        # Creates the topic.
        first = await client.producer("bystander").send(Message(TOPIC, b"-1"))
        consumer: PushConsumer = client.push_consumer(
            GROUP, start_from=EARLIEST, concurrency=1
        )
        consumer.subscribe(TOPIC, "*", seen.consumed)
        await consumer.start()
        reports = task.LoopingCall(seen.report)
        reports.start(0.5)
        broker_name = first.queue.broker_name
        queues = [MessageQueue(TOPIC, broker_name, number) for number in range(QUEUES)]
        senders = [
            defer.ensureDeferred(
                produce(clock, client, seen, queue, float(timeout), ended)
            )
            for queue in queues
        ]
        await defer.gatherResults(senders)
        await task.deferLater(clock, 3.0)
        reports.stop()
        seen.report()


if __name__ == "__main__":
    task.react(
        lambda clock, *given: defer.ensureDeferred(main(clock, *given)), sys.argv[1:]
    )
