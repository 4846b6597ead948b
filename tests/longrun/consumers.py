"""
Consumers that are stopped or killed under load, again and again, in memory.

    python -m tests.longrun.consumers [--cycles 100] [--how stop] [--ordered]

Messages are sent all the time, and handlers take up to 100 ms each. In each cycle a
member consumes for a while, and is stopped, or killed without any notice; then its
successor starts. With ``--ordered`` another member always runs, so that queues change
their owners, and the messages of each queue come in order.

The ledger is kept outside. Every message is consumed. After stops none comes twice;
after a kill only what was in flight, or consumed less than a commit interval before.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from rocketmq_tw.client.client import Client
from rocketmq_tw.client.consumer.consumption import COMMIT_PERIOD
from rocketmq_tw.client.consumer.offsets.start import EARLIEST
from rocketmq_tw.client.consumer.push import PushConsumer
from rocketmq_tw.client.producer.message import Message
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.testing import MemoryCluster

TOPIC = "Load"
QUEUES = 8
#: Seconds between two messages, and the longest that a handler takes.
SEND_PERIOD = 0.01
SLOWEST = 0.1


class Ledger:
    """
    What was sent, and when each message was consumed.

    :ivar sent: the messages that a broker has stored.
    :ivar missing: those of them that are not consumed yet.
    :ivar began: when each message came, by its body.
    :ivar finished: when its handler had finished, by its body.
    """

    def __init__(self) -> None:
        self.sent: set[bytes] = set()
        self.missing: set[bytes] = set()
        self.began: defaultdict[bytes, list[float]] = defaultdict(list)
        self.finished: dict[bytes, float] = {}

    def stored(self, body: bytes) -> None:
        """Note that a broker has stored a message, which may be consumed already."""
        self.sent.add(body)
        if body not in self.finished:
            self.missing.add(body)

    def finish(self, body: bytes, now: float) -> None:
        """Note that a message was consumed."""
        self.finished.setdefault(body, now)
        self.missing.discard(body)

    @property
    def again(self) -> dict[bytes, list[float]]:
        """The messages that came more than once, and when."""
        return {body: times for body, times in self.began.items() if len(times) > 1}

    def check_order(self) -> None:
        """
        Check that messages came in order; ``began`` is sorted by first deliveries.

        :raises AssertionError: one has overtaken another of its queue.
        """
        last: dict[int, int] = {}
        for number in map(int, self.began):
            queue = number % QUEUES
            assert last.get(queue, -1) < number, (number, last[queue])
            last[queue] = number


class Load:
    """
    A cluster with a producer that sends all the time, and members that consume.

    :param options: of the consumers.
    """

    def __init__(self, seed: int, **options: Any) -> None:
        self.cluster = MemoryCluster(seed=seed)
        self.cluster.start()
        self.cluster.create_topic(TOPIC, QUEUES)
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self._options = options
        self._producer = self.cluster.producer()
        self._number = self._members = 0
        self._killed: set[int] = set()
        self._dead: list[Client] = []
        self._loop = LoopingCall(self._send)
        self._loop.clock = self.cluster.clock
        self._loop.start(SEND_PERIOD)

    def _send(self) -> None:
        """Send one message."""
        body, queue_id = b"%d" % self._number, self._number % QUEUES
        self._number += 1
        queue = MessageQueue(TOPIC, "broker-a", queue_id)
        sent = self._producer.send(Message(TOPIC, body), queue=queue)
        sent.addCallback(lambda _: self.ledger.stored(body))

    def member(self) -> PushConsumer:
        """Start a member of the group."""
        number = self._members = self._members + 1

        def handle(message: StoredMessage) -> Deferred[None]:
            return self._handle(message, number)

        return self.cluster.consumer(
            "G", TOPIC, handle, start_from=EARLIEST, **self._options
        )

    def _handle(self, message: StoredMessage, member: int) -> Deferred[None]:
        """Take a while to consume a message; never finish if the member is killed."""
        clock, ledger, body = self.cluster.clock, self.ledger, message.body
        done: Deferred[None] = Deferred()
        if member in self._killed:
            return done
        ledger.began[body].append(clock.seconds())

        def finish() -> None:
            if member not in self._killed and not done.called:
                ledger.finish(body, clock.seconds())
                done.callback(None)

        clock.callLater(self.dice.uniform(0, SLOWEST), finish)
        return done

    def kill(self) -> float:
        """Kill the member that was started last; return when."""
        self._killed.add(self._members)
        clock: Any = self.cluster.clients[-1].session.clock
        self._dead.append(self.cluster.clients[-1])
        clock.shut_down()
        return self.cluster.clock.seconds()

    def end(self) -> None:
        """Send no more, and consume all that was sent."""
        self._loop.stop()
        self.cluster.advance(1)
        self.member()
        # The locks of a killed member last 60 s, in which its queues wait.
        self.cluster.wait_until(lambda: not self.ledger.missing, 3600)
        for client in self._dead:
            # Its timers do not run any more, so it cannot be stopped.
            self.cluster.clients.remove(client)
        self.cluster.stop()


def stops(cycles: int, seed: int, **options: Any) -> dict[str, int]:
    """
    Stop members under load.

    :raises AssertionError: a message was consumed twice, or out of order.
    """
    load = Load(seed, **options)
    if options.get("ordered"):
        load.member()
    for _ in range(cycles):
        member = load.member()
        load.cluster.advance(load.dice.uniform(0.5, 8))
        report = load.cluster.result_of(member.stop())
        assert not report.abandoned, report
        assert not report.uncommitted, report
        load.cluster.advance(load.dice.uniform(0, 1))
    load.end()
    if options.get("ordered"):
        load.ledger.check_order()
    assert not load.ledger.again, load.ledger.again
    return {"cycles": cycles, "messages": len(load.ledger.sent)}


def kills(cycles: int, seed: int, **options: Any) -> dict[str, int]:
    """
    Kill members under load.

    :raises AssertionError: a message that came again was neither in flight nor
        consumed less than a commit interval before a kill.
    """
    load = Load(seed, **options)
    if options.get("ordered"):
        load.member()
    killed: list[float] = []
    for _ in range(cycles):
        load.member()
        load.cluster.advance(load.dice.uniform(6, 14))
        killed.append(load.kill())
        load.cluster.advance(load.dice.uniform(0, 3))
    load.end()
    for body, times in load.ledger.again.items():
        finished = load.ledger.finished[body]
        # The kill that explains it: the message was in flight, or not committed yet.
        assert any(
            times[0] <= moment <= times[1] and moment - finished < COMMIT_PERIOD + 0.1
            for moment in killed
        ), (body, times, finished, killed)
    again = len(load.ledger.again)
    return {"cycles": cycles, "messages": len(load.ledger.sent), "again": again}


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--how", choices=["stop", "kill"], default="stop")
    parser.add_argument("--ordered", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    run = stops if options.how == "stop" else kills
    found = run(options.cycles, options.seed, ordered=options.ordered)
    print(f"{options.how} {'ordered' if options.ordered else ''} {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
