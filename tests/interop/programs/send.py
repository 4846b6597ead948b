"""Send the corpus with our producer: the counterpart of ``SendMessages.java``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.python import log

from rocketmq_tw import COMMIT, ROLLBACK, UNKNOWN, Client, Message, StoredMessage
from rocketmq_tw.client import Producer, SendResult, TransactionProducer, Verdict
from rocketmq_tw.clock import time_of_day
from tests.interop.corpus import SHARDS, message

from .lines import credentials, options, say, tls

BATCH = 20
BATCH_SIZE = 1_000_000
IN_FLIGHT = 200
VERDICTS = {"commit": COMMIT, "rollback": ROLLBACK, "check": UNKNOWN}
"""The modes of transactions, with the verdicts of their local transactions."""


class Corpus:
    """Messages to send, made from the numbers of a seed."""

    def __init__(self, topic: str, seed: str, delay: float) -> None:
        self._topic = topic
        self.delay = delay
        self._seed = seed

    def message(self, i: int, delay_level: int = 0, **time: float) -> Message:
        """Make message ``i``."""
        made = message(self._seed, i)
        return Message(
            self._topic,
            made.body,
            tag=made.tag,
            keys=made.keys,
            properties=made.properties,
            delay_level=delay_level,
            **time,
        )

    def timed(self, i: int) -> Message:
        """Make message ``i``, to be delivered after a delay, or at a time."""
        if i % 2:
            return self.message(i, delay=self.delay)
        return self.message(i, deliver_at=time_of_day() + self.delay)

    def batches(self, numbers: range) -> Iterator[tuple[int, list[Message]]]:
        """Yield the first number and the messages of batches of a fitting size."""
        batch: list[Message] = []
        first = numbers.start
        size = 0
        for i in numbers:
            made = self.message(i)
            if batch and (len(batch) == BATCH or size + len(made.body) > BATCH_SIZE):
                yield first, batch
                first, batch, size = i, [], 0
            batch.append(made)
            size += len(made.body)
        if batch:
            yield first, batch


async def send_part(
    mode: str, producer: TransactionProducer, corpus: Corpus, numbers: range
) -> None:
    """
    Send some numbers in one way.

    :param mode: ``sync``, ``async``, ``oneway``, ``batch``, ``ordered``, ``delayed``,
        ``timed``, ``recalled``, or one of :data:`VERDICTS`.
    """
    if mode in VERDICTS:
        for i in numbers:
            result = await producer.send_in_transaction(
                corpus.message(i), lambda message, transaction: VERDICTS[mode]
            )
            assert (result.error, result.end_error) == (None, None), result
            report(mode, i, 1, result.sent)
    elif mode == "batch":
        for first, batch in corpus.batches(numbers):
            result = await producer.send_batch(batch)
            report(mode, first, len(batch), result)
    elif mode == "async":
        await send_together(producer, corpus, numbers)
    else:
        for i in numbers:
            await send_one(mode, producer, corpus, i)


def check(message: StoredMessage) -> Verdict:
    """Commit what a broker asks about."""
    say("checked", i=int(message.properties["i"]))
    return COMMIT


async def send_one(mode: str, producer: Producer, corpus: Corpus, i: int) -> None:
    """Send one message and wait for its response, if there is one."""
    if mode == "oneway":
        await producer.send_oneway(corpus.message(i))
        say("sent", mode=mode, i=i, count=1)
    elif mode == "ordered":
        result = await producer.send(corpus.message(i), key=str(i % SHARDS))
        report(mode, i, 1, result)
    elif mode in ("timed", "recalled"):
        message = corpus.timed(i)
        result = await producer.send(message)
        if mode == "recalled":
            await producer.recall(message.topic, result.recall_handle or "")
        report(mode, i, 1, result)
    else:
        level = 1 if mode == "delayed" else 0
        report(mode, i, 1, await producer.send(corpus.message(i, level)))


async def send_together(producer: Producer, corpus: Corpus, numbers: range) -> None:
    """Send with many requests under way at once."""
    free = DeferredSemaphore(IN_FLIGHT)
    pending: list[Deferred[Any]] = []
    for i in numbers:
        await free.acquire()
        sent = producer.send(corpus.message(i))
        sent.addBoth(lambda result: free.release() or result)
        sent.addCallback(lambda result, i=i: report("async", i, 1, result))
        pending.append(sent)
    await gatherResults(pending, consumeErrors=True)


def report(mode: str, first: int, count: int, result: SendResult) -> None:
    """Print where a message, or a batch, went."""
    say(
        "sent",
        mode=mode,
        i=first,
        count=count,
        status=result.status.name,
        msgId=result.message_id,
        offsetMsgId=result.offset_message_id,
        broker=result.queue.broker_name,
        queueId=result.queue.queue_id,
        queueOffset=result.queue_offset,
    )


async def main(reactor: Any) -> None:
    """Run the plan of the command line."""
    given = options(
        **{"namesrv": None, "topic": None, "plan": None, "seed": "s", "from": 0},
        group="interop_producer",
        linger=0,
        trace=0,
        delay=30,
        user="",
        password="",
        ca="",
        cert="",
        key="",
    )
    corpus = Corpus(given.topic_, given.seed_, given.delay_)
    client = Client(
        reactor, given.namesrv_, tls=tls(given), credentials=credentials(given)
    )
    await client.start()
    producer = client.transaction_producer(
        given.group_, check, trace=bool(given.trace_)
    )
    await producer.start()
    say("started")
    first = given.from_
    for part in given.plan_.split(","):
        mode, count = part.split(":")
        await send_part(mode, producer, corpus, range(first, first + int(count)))
        first += int(count)
    if given.linger_:
        await task.deferLater(reactor, given.linger_)
    await client.stop()
    say("done")


if __name__ == "__main__":
    log.startLogging(sys.stderr, setStdout=False)
    task.react(main)
